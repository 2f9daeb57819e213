using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Spillway.App.Load;

/// <summary>One input as a server's metadata declares it; -1 in the shape is variable.</summary>
internal sealed record InputSpec(string Name, DataType Type, long[] Shape);

/// <summary>What <c>GET /v2/models/{m}</c> says.</summary>
internal sealed record ModelMetadata(IReadOnlyList<InputSpec> Inputs, double? DeadlineMs)
{
    private const int BytesMax = 4 << 20;

    /// <summary>Asks a server; its answer is at most 4 MB and 10 s away.</summary>
    public static async Task<ModelMetadata> GetAsync(
        Uri server, string model, IEnumerable<string> headers, CancellationToken stop)
    {
        using var client =
            new HttpClient { Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = BytesMax };
        foreach (var header in headers)
        {
            // Who may ask the model may ask what it takes.
            var (name, value) = Quantity.Pair(header, ':');
            if (name is "Authorization" or "authorization" or "x-api-key" or "X-Api-Key")
                client.DefaultRequestHeaders.TryAddWithoutValidation(name, value.Trim());
        }

        var address = new Uri(server, $"/v2/models/{Uri.EscapeDataString(model)}");
        try
        {
            using var answer = await client.GetAsync(address, stop);
            var text = await answer.Content.ReadAsStringAsync(stop);
            if (answer.StatusCode != HttpStatusCode.OK)
                throw Refused(server, model, (int)answer.StatusCode, text);
            return Parse(text, address);
        }
        catch (HttpRequestException failure)
        {
            throw LoadException.Failed($"{server} does not answer: {failure.Message} Start the server "
                + "(spillway up), or name another with --server URL.");
        }
        catch (TaskCanceledException) when (!stop.IsCancellationRequested)
        {
            throw LoadException.Failed($"{address} did not answer within 10 s. Is this an Open Inference server?");
        }
    }

    /// <summary>Reads a metadata document.</summary>
    public static ModelMetadata Parse(string text, Uri address)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("inputs", out var inputs))
                throw Strange(address, "it has no 'inputs'");
            return new([.. inputs.EnumerateArray().Select(i => ParseInput(i, address))], ParseDeadline(root));
        }
        catch (Exception strange) when (strange is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            throw Strange(address, strange.Message);
        }
    }

    private static InputSpec ParseInput(JsonElement input, Uri address)
    {
        var name = input.GetProperty("name").GetString() ?? "";
        var datatype = input.GetProperty("datatype").GetString() ?? "";
        if (!DataTypes.TryParse(System.Text.Encoding.UTF8.GetBytes(datatype), out var type))
            throw Strange(address, $"input '{name}' has datatype '{datatype}'; known: {DataTypes.AllWireNames}");
        return new(name, type, [.. input.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64())]);
    }

    private static double? ParseDeadline(JsonElement root)
    {
        if (!root.TryGetProperty("properties", out var properties) || properties.ValueKind != JsonValueKind.Object
            || !properties.TryGetProperty("deadline_ms", out var deadline))
            return null;
        var text = deadline.ValueKind == JsonValueKind.String ? deadline.GetString() : deadline.GetRawText();
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var ms) && ms > 0 ? ms
            : null;
    }

    private static LoadException Refused(Uri server, string model, int status, string text)
    {
        var shown = text.Length > 200 ? text[..200] + "…" : text;
        return LoadException.Failed($"{server} does not describe model '{model}': status {status} {shown.Trim()} "
            + $"See what it serves: curl {server}v2/models. For a server without metadata use --path with --body.");
    }

    private static LoadException Strange(Uri address, string why) => LoadException.Failed(
        $"The answer of {address} is no Open Inference model metadata: {why}. Is this an Open Inference server? "
        + "For another one use --path with --body.");
}
