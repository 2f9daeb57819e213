using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Spillway.Client;

namespace Spillway.Extensions.AI;

/// <summary>
/// A route over language models as an <see cref="IChatClient"/>: text, pictures, tools, reasoning, JSON, streams,
/// usage. A refusal or a failure is an <see cref="InferenceException"/> that says which of the closed list it is and
/// when another attempt may succeed; a stream that breaks off is one too, and never a clean end. Thread-safe; does not
/// dispose the handler that it is given.
/// </summary>
public sealed class SpillwayChatClient : IChatClient
{
    private readonly RouteCalls _calls;
    private readonly ChatClientMetadata _metadata;

    /// <summary>Makes one.</summary>
    /// <param name="handler">
    /// <c>SpillwayServer.CreateHandler()</c> for the server in this process, or a handler that reaches one elsewhere.
    /// </param>
    /// <param name="route">The route's name; <see cref="ChatOptions.ModelId"/> takes its place in single calls.</param>
    /// <param name="address">The server's, with /v1/; only handlers that reach one elsewhere need it.</param>
    /// <param name="key">The key for a server elsewhere; empty for none.</param>
    public SpillwayChatClient(HttpMessageHandler handler, string route, Uri? address = null, string key = "")
    {
        _calls = new(handler, address, key);
        _metadata = new("spillway", _calls.Address, route);
        Route = route;
    }

    /// <summary>The route's name.</summary>
    public string Route { get; }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var body = ChatBody.Write(messages, options, Route, isStream: false);
        using var response = await _calls.PostAsync("chat/completions", body, cancellationToken).ConfigureAwait(false);
        var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        return ChatReading.Whole(AnswerText.Parse(answer));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var body = ChatBody.Write(messages, options, Route, isStream: true);
        using var response = await _calls.PostAsync("chat/completions", body, cancellationToken).ConfigureAwait(false);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var reading = new ChatReading();
        await foreach (var item in System.Net.ServerSentEvents.SseParser.Create(stream)
            .EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.Data == "[DONE]")
            {
                if (reading.Rest() is { } rest)
                    yield return rest;
                yield break;
            }

            var json = AnswerText.Parse(Encoding.UTF8.GetBytes(item.Data));
            if (json.TryGetProperty("error", out var error) && error.ValueKind is not JsonValueKind.Null)
                throw ChatReading.Broken(error);
            if (reading.Update(json) is { } update)
                yield return update;
        }

        throw new InferenceException(
            new(FaultKind.UpstreamFailed, "The stream ended without saying that it is whole."));
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>It asks nothing any more; the handler is its owner's.</summary>
    public void Dispose() => _calls.Dispose();
}
