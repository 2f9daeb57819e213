using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Spillway.Client;

namespace Spillway.Extensions.AI;

/// <summary>
/// A route over embedding models as an <see cref="IEmbeddingGenerator{TInput,TEmbedding}"/>. Vectors come as base64,
/// a quarter of the bytes of numbers in decimal; a server that answers with numbers is understood too. Failures as in
/// <see cref="SpillwayChatClient"/>. Thread-safe; does not dispose the handler that it is given.
/// </summary>
public sealed class SpillwayEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly RouteCalls _calls;
    private readonly EmbeddingGeneratorMetadata _metadata;
    private readonly string _route;

    /// <summary>Makes one.</summary>
    /// <param name="handler">As in <see cref="SpillwayChatClient"/>.</param>
    /// <param name="route">The route's name; <see cref="EmbeddingGenerationOptions.ModelId"/> takes its place.</param>
    /// <param name="address">The server's, with /v1/; only handlers that reach one elsewhere need it.</param>
    /// <param name="key">The key for a server elsewhere; empty for none.</param>
    public SpillwayEmbeddingGenerator(HttpMessageHandler handler, string route, Uri? address = null, string key = "")
    {
        (_calls, _route) = (new(handler, address, key), route);
        _metadata = new("spillway", _calls.Address, route);
    }

    /// <inheritdoc/>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var texts = values.ToList();
        if (texts.Count == 0)
            return [];
        using var response = await _calls.PostAsync("embeddings", Body(texts, options), cancellationToken)
            .ConfigureAwait(false);
        var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return Read(answer, texts.Count);
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            throw new InferenceException(
                new(FaultKind.UpstreamFailed, $"The answer is no list of embeddings: {odd.Message}"), odd);
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>It asks nothing any more; the handler is its owner's.</summary>
    public void Dispose() => _calls.Dispose();

    private byte[] Body(List<string> texts, EmbeddingGenerationOptions? options)
    {
        var into = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(into))
        {
            json.WriteStartObject();
            json.WriteString("model", options?.ModelId ?? _route);
            json.WriteStartArray("input");
            foreach (var text in texts)
                json.WriteStringValue(text);
            json.WriteEndArray();
            json.WriteString("encoding_format", "base64");
            if (options?.Dimensions is { } dimensions)
                json.WriteNumber("dimensions", dimensions);
            foreach (var (name, value) in options?.AdditionalProperties ?? [])
            {
                json.WritePropertyName(name);
                JsonSerializer.Serialize(json, value, PlainJson.Options);
            }

            json.WriteEndObject();
        }

        return into.WrittenSpan.ToArray();
    }

    private static GeneratedEmbeddings<Embedding<float>> Read(byte[] answer, int count)
    {
        using var json = JsonDocument.Parse(answer);
        var vectors = new Embedding<float>?[count];
        var model = json.RootElement.TryGetProperty("model", out var name) ? name.GetString() : null;
        foreach (var item in json.RootElement.GetProperty("data").EnumerateArray())
        {
            var at = item.GetProperty("index").GetInt32();
            if (at >= 0 && at < count)
                vectors[at] = new(Vector(item.GetProperty("embedding"))) { ModelId = model };
        }

        if (Array.IndexOf(vectors, null) is >= 0 and var missing)
        {
            throw new InferenceException(new(FaultKind.UpstreamFailed,
                FormattableString.Invariant($"The answer has no vector for text {missing} of {count}.")));
        }

        return new(vectors!) { Usage = Usage(json.RootElement) };
    }

    private static float[] Vector(JsonElement vector)
    {
        if (vector.ValueKind is JsonValueKind.Array)
            return [.. vector.EnumerateArray().Select(v => v.GetSingle())];
        // Little-endian, as OpenAI sends them.
        var bytes = vector.GetBytesFromBase64();
        return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
    }

    private static UsageDetails? Usage(JsonElement json)
    {
        if (!json.TryGetProperty("usage", out var usage) || usage.ValueKind is not JsonValueKind.Object
            || !usage.TryGetProperty("prompt_tokens", out var tokens) || !tokens.TryGetInt64(out var input))
            return null;
        return new() { InputTokenCount = input, TotalTokenCount = input };
    }
}
