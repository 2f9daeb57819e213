using System.Runtime.CompilerServices;

namespace Spillway.Client;

/// <summary>
/// Asks a server over HTTP, tensors in binary both ways: Spillway, or another of the Open Inference Protocol with its
/// binary extension. Thread-safe; does not dispose the HTTP client that it is given. When no server could be reached,
/// that is the <see cref="HttpRequestException"/> of .NET, as handlers for retries expect it.
/// </summary>
/// <param name="http">
/// With the server's address as its base, which may have a path and then ends with a slash. Its own timeout should be
/// infinite: a call has its own deadline. Its <see cref="HttpClient.MaxResponseContentBufferSize"/> is the largest
/// answer that is taken.
/// </param>
/// <param name="time">The clock of deadlines; the system's by default.</param>
public sealed class HttpInferenceClient(HttpClient http, TimeProvider? time = null) : IInferenceClient
{
    /// <summary>
    /// What a call waits beyond its deadline, so that the server's own refusal, which says more, has time to arrive.
    /// </summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1);

    /// <summary>Longer than timers can be set for is without end.</summary>
    private static readonly TimeSpan s_timerMax = TimeSpan.FromDays(49);

    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <inheritdoc/>
    public async Task<InferenceReply> InferAsync(InferenceCall call, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        call.Check();
        using var late = new CancellationTokenSource(
            call.Deadline is { } deadline && deadline < s_timerMax ? deadline + s_grace : Timeout.InfiniteTimeSpan,
            _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            using var request = WireCall.Write(call);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, either.Token)
                .ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
                throw new InferenceException(WireFault.Read(response, body));
            return WireReply.Read(response, body).TryGet(out var reply, out var broken)
                ? reply
                : throw new InferenceException(broken);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException("The caller gave the call up.", cancellation);
        }
        catch (OperationCanceledException gone)
        {
            var most = call.Deadline is { } own && late.IsCancellationRequested
                ? $"{own.TotalMilliseconds:0} ms" : $"the HTTP client's timeout of {http.Timeout.TotalSeconds:0} s";
            throw new InferenceException(
                new(FaultKind.DeadlineExceeded, $"{http.BaseAddress} gave no answer within {most}. Give more time."),
                gone);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<InferenceReply> StreamAsync(
        InferenceCall call, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        yield return await InferAsync(call, cancellation).ConfigureAwait(false);
    }
}
