using System.Text.Json;

namespace Spillway.Runtimes.Simulated.Chat;

/// <summary>What a request asks of a simulated language model.</summary>
internal sealed record SimulatedAsk
{
    private const double BytesPerToken = 4;

    // What an answer's length follows from is bounded: as at OpenAI.
    private const int ChoicesMax = 128;
    private const int InputsMax = 2048;
    private const int DimensionsMax = 4096;

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Whether the answer is a stream.</summary>
    public bool Stream { get; init; }

    /// <summary>Whether the stream ends with usage.</summary>
    public bool WantsUsage { get; init; }

    /// <summary>Tokens of the prompt: its text's bytes by four.</summary>
    public int PromptTokens { get; init; }

    /// <summary>The most tokens of the answer; null for none.</summary>
    public int? TokensMax { get; init; }

    /// <summary>How many answers.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>The tool that it must call; empty for none.</summary>
    public string ToolName { get; init; } = "";

    /// <summary>How many inputs an embedding has.</summary>
    public int Inputs { get; init; } = 1;

    /// <summary>Length of an embedding.</summary>
    public int Dimensions { get; init; } = 8;

    /// <summary>Whether embeddings go as base64.</summary>
    public bool IsBase64 { get; init; }

    /// <summary>Reads one; throws for what is none.</summary>
    public static SimulatedAsk Read(JsonElement body) => new()
    {
        Model = Text(body, "model"),
        Stream = body.TryGetProperty("stream", out var stream) && stream.ValueKind is JsonValueKind.True,
        WantsUsage = body.TryGetProperty("stream_options", out var options) && options.ValueKind is JsonValueKind.Object
            && options.TryGetProperty("include_usage", out var usage) && usage.ValueKind is JsonValueKind.True,
        PromptTokens = Math.Max(1, (int)Math.Ceiling(TextBytes(body) / BytesPerToken)),
        TokensMax = Whole(body, "max_completion_tokens", 0, int.MaxValue) ?? Whole(body, "max_tokens", 0, int.MaxValue),
        Choices = Whole(body, "n", 1, ChoicesMax) ?? 1,
        ToolName = Tool(body),
        Inputs = Count(body),
        Dimensions = Whole(body, "dimensions", 1, DimensionsMax) ?? 8,
        IsBase64 = Text(body, "encoding_format") == "base64",
    };

    /// <summary>A list of texts counts its members; a text, and a list of tokens, is one input.</summary>
    private static int Count(JsonElement body)
    {
        if (!body.TryGetProperty("input", out var input) || input.ValueKind is not JsonValueKind.Array)
            return 1;
        var count = input.GetArrayLength();
        if (count == 0 || input[0].ValueKind is JsonValueKind.Number)
            return 1;
        return count <= InputsMax ? count
            : throw new InvalidOperationException(
                $"The field input has {count} members; at most {InputsMax} are taken.");
    }

    private static string Text(JsonElement body, string name) =>
        body.ValueKind is JsonValueKind.Object && body.TryGetProperty(name, out var value)
            && value.ValueKind is JsonValueKind.String ? value.GetString()! : "";

    private static int? Whole(JsonElement body, string name, int least, int most)
    {
        if (!body.TryGetProperty(name, out var value) || value.ValueKind is not JsonValueKind.Number)
            return null;
        return value.TryGetInt32(out var number) && number >= least && number <= most ? number
            : throw new InvalidOperationException($"The field {name} is no whole number from {least} to {most}.");
    }

    private static long TextBytes(JsonElement body)
    {
        foreach (var name in (string[])["messages", "prompt", "input"])
        {
            if (body.TryGetProperty(name, out var value))
                return value.GetRawText().Length;
        }

        return 0;
    }

    /// <summary>The first tool, unless the conversation has its result already.</summary>
    private static string Tool(JsonElement body)
    {
        if (!body.TryGetProperty("tools", out var tools) || tools.ValueKind is not JsonValueKind.Array
            || tools.GetArrayLength() == 0)
            return "";
        if (body.TryGetProperty("messages", out var messages)
            && messages.EnumerateArray().Any(m => Text(m, "role") == "tool"))
            return "";
        return tools[0].TryGetProperty("function", out var function) ? Text(function, "name") : "";
    }
}
