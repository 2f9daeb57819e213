using System.Globalization;
using Spillway.Policies.Batching;
using Spillway.Runtimes.Simulated;
using Spillway.Transforms.Picture;

namespace Spillway.Config;

/// <summary>Rules of one model.yaml that concern more than the form of one value.</summary>
/// <param name="bound">Knows where each key stands.</param>
/// <param name="path">Key path of the model: "models[0]".</param>
internal sealed class ModelChecks(OptionBinder bound, string path)
{
    private const int NameLengthMax = 128;

    /// <summary>Elements of one typical input; the batch curve allocates that much for each row.</summary>
    private const long TypicalElementsMax = 268_435_456;

    /// <summary>Reports everything that the model breaks by itself.</summary>
    public void All(ModelOptions model)
    {
        Name("name", model.Name, "the deployment");
        foreach (var (name, door) in model.Serve)
        {
            Name($"serve.{name}", name, "a served name");
            if (door.Picture is { } picture)
                Picture($"serve.{name}.picture", picture);
        }

        Times(model.Batching, model.Deadline);
        foreach (var (name, shape) in model.Typical)
            Typical($"typical.{name}", shape);
        Outputs(model.Outputs);
        Versions(model.Versions);
        Expects("inputs", model.Expects.Inputs);
        Expects("outputs", model.Expects.Outputs);
        if (model.Padding is { } padding && !Failed("padding.inputs"))
            new PaddingChecks(bound, $"{path}.padding").All(padding);
    }

    /// <summary>True for what can name a deployment, a door or a model's folder.</summary>
    public static bool IsName(string name) => name.Length is > 0 and <= NameLengthMax
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-') && name is not ("." or "..");

    private void Name(string key, string name, string what)
    {
        if (IsName(name))
            return;
        if (Failed(key))
            return;
        Report(key, name, $"This cannot name {what}.",
            $"Use 1 to {NameLengthMax} letters, digits, dots, underscores and dashes."
            + (key == "name" ? " Without the key the folder's name is used." : ""));
    }

    private void Times(BatchingOptions batching, DeadlineOptions deadline)
    {
        var isFixed = deadline.FixedMs > 0;
        var (shortest, name) = isFixed ? (deadline.FixedMs, "deadline.fixedMs")
            : (deadline.FloorMs, "deadline.floorMs");
        if (shortest > deadline.MaxMs && !Failed("deadline"))
        {
            Report(name, OptionText.Number(shortest),
                $"It is longer than deadline.maxMs ({OptionText.Number(deadline.MaxMs)} ms).",
                $"Lower {name}, or raise deadline.maxMs.");
        }

        if (batching.BatchWaitMs >= shortest && !Failed("deadline") && !Failed("batching.batchWaitMs"))
        {
            Report("batching.batchWaitMs", OptionText.Number(batching.BatchWaitMs),
                $"A batch may wait as long as the shortest default deadline ({name}, "
                + $"{OptionText.Number(shortest)} ms), so that its requests expire.",
                $"Lower batching.batchWaitMs well below {OptionText.Number(shortest)} (default 0), or raise {name}.");
        }
    }

    private void Picture(string key, PictureOptions picture)
    {
        if (picture.WidthMin > picture.WidthMax && !Failed(key))
        {
            Report($"{key}.widthMin", $"{picture.WidthMin}", $"It is larger than widthMax ({picture.WidthMax} pixels).",
                "Lower widthMin, or raise widthMax.");
        }
    }

    private void Typical(string key, IReadOnlyList<long> dims)
    {
        var written = $"[{string.Join(", ", dims.Select(d => d.ToString(CultureInfo.InvariantCulture)))}]";
        if (dims.Count is 0 or > Shape.RankMax || dims[0] != 1 || dims.Any(d => d < 1))
        {
            Report(key, written, $"A typical shape has 1 to {Shape.RankMax} positive dimensions, the first of them 1.",
                "Write the shape of one ordinary request, as in [1, 3, 48, 320]; "
                + "the batch curve multiplies the first dimension.");
            return;
        }

        if (!new Shape([.. dims]).TryCount(out var count) || count > TypicalElementsMax)
            Report(key, written, $"The shape holds more than {TypicalElementsMax} elements.",
                "Write the shape of one ordinary request.");
    }

    private void Outputs(OutputOptions outputs)
    {
        var names = new List<(string Key, string Name)>();
        if (outputs.Ctc is { } ctc)
            names.AddRange([("outputs.ctc.text", ctc.Text), ("outputs.ctc.confidence", ctc.Confidence)]);
        if (outputs.TopK is { } top)
            names.AddRange([("outputs.topK.label", top.Label), ("outputs.topK.score", top.Score)]);
        for (var i = 0; i < names.Count; i++)
        {
            var (key, name) = names[i];
            if (string.IsNullOrWhiteSpace(name) && !Failed(key))
                Report(key, name, "An output needs a name.", "Give a name, or remove the key.");
            else if (names.FindIndex(n => n.Name == name) is var first && first < i)
                Report(key, name, $"{names[first].Key} has the same name.", "Give each output its own name.");
        }
    }

    private void Versions(VersionOptions versions)
    {
        var said = (versions.Latest != 1 ? 1 : 0) + (versions.All ? 1 : 0) + (versions.Only.Count > 0 ? 1 : 0);
        if (said > 1)
            Report("versions", "", "Only one of latest, all and only can hold.", "Keep one of them.");
    }

    private void Expects(string side, IReadOnlyDictionary<string, string> ports)
    {
        if (ports.Count > Signature.PortsMax)
            Report($"expects.{side}", "", $"A model has at most {Signature.PortsMax} {side}.", "Remove some.");
        foreach (var (name, text) in ports)
        {
            if (!TensorSpecText.TryParse(name, text, out _, out var problem))
                Report($"expects.{side}.{name}", text, problem, "Write type and shape, as in \"FP32 [-1,4]\".");
        }
    }

    private bool Failed(string key) => bound.Failed($"{path}.{key}");

    private void Report(string key, string value, string problem, string remedy) =>
        bound.Report($"{path}.{key}", value, problem, remedy);
}
