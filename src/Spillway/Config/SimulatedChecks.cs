using System.Globalization;
using Spillway.Policies.Batching;
using Spillway.Runtimes.Simulated;

namespace Spillway.Config;

/// <summary>
/// Rules of a simulated model: its inputs and outputs are known here, so what names them can be checked.
/// </summary>
/// <param name="bound">Knows where each key stands.</param>
/// <param name="path">Key path of the model: "models[0]".</param>
internal sealed class SimulatedChecks(OptionBinder bound, string path)
{
    private const double LatencyMsMax = 3_600_000;

    /// <summary>Reports everything that the profile, and what refers to it, breaks.</summary>
    public void All(ModelOptions model, SimulatedOptions profile)
    {
        var inputs = Ports("simulated.inputs", profile.Inputs);
        var outputs = Ports("simulated.outputs", profile.Outputs);
        Latency(profile.LatencyMs);
        if (inputs is not null)
        {
            foreach (var (name, shape) in model.Typical)
            {
                if (Known($"typical.{name}", name, "input", inputs) is { } spec
                    && !spec.Accepts(new([.. shape.Take(Shape.RankMax)])))
                    Report($"typical.{name}", "", $"The shape does not fit the input, {spec.Shape}.",
                        "Write as many dimensions, and the fixed ones alike.");
            }

            foreach (var (name, door) in model.Serve)
            {
                if (door.Picture is { To.Length: > 0 } picture)
                    Known($"serve.{name}.picture.to", picture.To, "input", inputs);
            }
        }

        if (outputs is not null)
        {
            From("outputs.ctc.from", model.Outputs.Ctc?.From, outputs);
            From("outputs.topK.from", model.Outputs.TopK?.From, outputs);
        }

        Padded(model.Padding, inputs, outputs);
    }

    private List<TensorSpec>? Ports(string key, IReadOnlyDictionary<string, string> texts)
    {
        if (bound.Failed($"{path}.{key}"))
            return null;
        if (texts.Count > Signature.PortsMax)
        {
            Report(key, "", $"A model has at most {Signature.PortsMax} inputs and {Signature.PortsMax} outputs.",
                "Remove some.");
            return null;
        }

        var specs = new List<TensorSpec>();
        foreach (var (name, text) in texts)
        {
            if (TensorSpecText.TryParse(name, text, out var spec, out var problem))
                specs.Add(spec);
            else
                Report($"{key}.{name}", text, problem, "Write type and shape in quotes, as in \"FP32 [-1,4]\".");
        }

        return specs.Count == texts.Count ? specs : null;
    }

    private void Latency(IReadOnlyDictionary<int, double> points)
    {
        const string Key = "simulated.latencyMs";
        var before = 0;
        foreach (var (rows, time) in points)
        {
            var key = $"{Key}.{rows.ToString(CultureInfo.InvariantCulture)}";
            if (rows < 1)
                Report(key, $"{rows}", "A run has at least one row.", "Write row counts from 1 up before the colons.");
            else if (rows <= before)
                Report(key, $"{rows}", $"The row counts must ascend; {before} stands before it.",
                    "Order the row counts.");
            if (time is < 0 or > LatencyMsMax)
            {
                Report(key, OptionText.Number(time),
                    $"The time of a run is out of range: {OptionText.Number(time)} ms.",
                    $"Allowed is 0 to {OptionText.Number(LatencyMsMax)} ms.");
            }

            before = rows;
        }
    }

    private void Padded(PaddingOptions? padding, List<TensorSpec>? inputs, List<TensorSpec>? outputs)
    {
        if (padding is null || inputs is null || outputs is null)
            return;
        foreach (var (name, trimmed) in padding.Outputs)
        {
            var key = $"padding.outputs.{name}";
            Varies(key, Known(key, name, "output", outputs), trimmed.Axis);
        }

        foreach (var (name, padded) in padding.Inputs)
            Varies($"padding.inputs.{name}", Known($"padding.inputs.{name}", name, "input", inputs), padded.Axis);
        if (padding.Mask is { Input.Length: > 0 } mask)
            Varies("padding.mask", Known("padding.mask.input", mask.Input, "input", inputs), mask.Axis);
    }

    private void Varies(string key, TensorSpec? spec, int axis)
    {
        if (spec is null || bound.Failed($"{path}.{key}.axis") || (axis < spec.Shape.Rank && spec.Shape[axis] < 0))
            return;
        Report($"{key}.axis", axis.ToString(CultureInfo.InvariantCulture),
            $"This dimension of {spec.Name} {spec.Shape} is not variable.", "Name the axis of a -1, counted from 0.");
    }

    private void From(string key, string? name, List<TensorSpec> outputs)
    {
        if (!string.IsNullOrEmpty(name))
            Known(key, name, "output", outputs);
        else if (name is not null && outputs.Count > 1)
            Report(key, "", "The model has several outputs.",
                $"Name one of: {string.Join(", ", outputs.Select(o => o.Name))}.");
    }

    private TensorSpec? Known(string key, string name, string what, List<TensorSpec> specs)
    {
        if (specs.Find(s => s.Name == name) is { } spec)
            return spec;
        var names = specs.Select(s => s.Name).ToArray();
        bound.Report($"{path}.{key}", name, $"The model has no {what} of that name.",
            $"Its {what}s: {string.Join(", ", names)}.",
            Suggestion.Nearest(name, names));
        return null;
    }

    private void Report(string key, string value, string problem, string remedy) =>
        bound.Report($"{path}.{key}", value, problem, remedy);
}
