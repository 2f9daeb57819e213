using System.Globalization;

namespace Spillway.App.Load;

/// <summary>Makes the bodies for a model from its metadata, <c>--input</c> and <c>--shape</c>.</summary>
internal static class InputPlanner
{
    private const string Range = "..";

    public static RequestContent[] Create(LoadOptions options, ModelMetadata metadata, string model)
    {
        var sources = ByName("--input", options.Inputs, metadata, model);
        var shapes = ByName("--shape", options.Shapes, metadata, model);
        var random = new Random(options.Seed);
        var varied = metadata.Inputs.Any(i => sources.GetValueOrDefault(i.Name, "random") == "random")
            || shapes.Values.Any(shape => shape.Contains(Range, StringComparison.Ordinal));
        var binary = options.Format == "binary";
        var parameters = new Parameters(
            options.DeadlineMs is { } ms ? (long)Math.Ceiling(ms * 1000) : null, options.Priority);
        return
        [
            .. Enumerable.Range(0, varied ? options.Variants : 1).Select(_ => RequestBuilder.Infer(
                Inputs(metadata, sources, shapes, random),
                binary,
                (options.OutputFormat ?? options.Format) == "binary",
                parameters)),
        ];
    }

    /// <summary>
    /// The inputs of one request. Equal ranges in it give the same length, as a model expects of its inputs.
    /// </summary>
    private static List<InputData> Inputs(
        ModelMetadata metadata, Dictionary<string, string> sources, Dictionary<string, string> shapes, Random random)
    {
        Dictionary<string, long> drawn = [];
        return
        [
            .. metadata.Inputs.Select(input => InputData.Create(
                input,
                Shape(input, shapes.GetValueOrDefault(input.Name), drawn, random),
                sources.GetValueOrDefault(input.Name, "random"),
                random)),
        ];
    }

    private static Dictionary<string, string> ByName(
        string option, string[] texts, ModelMetadata metadata, string model)
    {
        Dictionary<string, string> values = [];
        foreach (var text in texts)
        {
            var (name, value) = Quantity.Pair(text);
            if (name is null)
                throw LoadException.Usage($"{option} '{text}' names no input. Write {option} input-name=value.");
            if (!metadata.Inputs.Any(i => i.Name == name))
                throw LoadException.Usage($"{option} '{text}': model '{model}' has no input '{name}'. Its inputs: "
                    + $"{string.Join(", ", metadata.Inputs.Select(i => i.Name))}.");
            values[name] = value;
        }

        return values;
    }

    private static long[] Shape(InputSpec input, string? text, Dictionary<string, long> drawn, Random random)
    {
        // A variable dimension is 1 unless it is named: right for a batch, and small for everything else.
        if (text is null)
            return [.. input.Shape.Select(d => d < 0 ? 1 : d)];
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var shape = new long[parts.Length];
        var fits = parts.Length == input.Shape.Length;
        for (var i = 0; fits && i < parts.Length; i++)
        {
            fits = TryDimension(parts[i], drawn, random, out shape[i])
                && (input.Shape[i] < 0 || input.Shape[i] == shape[i]);
        }

        return fits ? shape
            : throw LoadException.Usage($"--shape {input.Name}={text} does not fit: input '{input.Name}' "
            + $"is [{string.Join(',', input.Shape)}], -1 standing for any number.");
    }

    /// <summary>"48", or "160..960" for a number of that range, drawn once a request.</summary>
    private static bool TryDimension(string text, Dictionary<string, long> drawn, Random random, out long dimension)
    {
        if (drawn.TryGetValue(text, out dimension)
            || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out dimension))
            return true;
        var ends = text.Split(Range);
        if (ends.Length != 2 || !long.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var least)
            || !int.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out var most) || least > most)
            return false;
        drawn[text] = dimension = random.NextInt64(least, most + 1L);
        return true;
    }
}
