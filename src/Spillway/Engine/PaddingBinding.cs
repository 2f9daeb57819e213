using Spillway.Policies.Batching;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// Declared padding against the signature of the loaded model: names become ports, numbers become bytes.
/// </summary>
internal static class PaddingBinding
{
    /// <summary>The plan; or a load fault that names the key, what is wrong with it and what the model has.</summary>
    public static Outcome<PaddingPlan> Bind(PaddingOptions options, Signature model)
    {
        if (!model.Batched)
        {
            return Unfit("padding", "needs a model whose first dimension counts rows in every input and output; this "
                + "one takes one request a run, so there is nothing to pad to. Remove the section");
        }

        if (!Inputs(options, model).TryGet(out var inputs, out var fault)
            || !Outputs(options, model).TryGet(out var outputs, out fault))
            return fault;
        if (options.Mask is not { } asked)
            return new PaddingPlan(model, inputs, outputs, mask: null);
        return Mask(asked, options, model).TryGet(out var mask, out fault)
            ? new PaddingPlan(model, inputs, outputs, mask)
            : fault;
    }

    private static Outcome<List<PaddedInput>> Inputs(PaddingOptions options, Signature model)
    {
        List<PaddedInput> inputs = [];
        foreach (var (name, input) in options.Inputs)
        {
            var key = $"padding.inputs.{name}";
            if (!Port(key, name, "input", model.Inputs, input.Axis).TryGet(out var port, out var fault))
                return fault;
            var type = model.Inputs[port].Type;
            if (NumberBytes.Of(type, input.Value) is not { } value)
            {
                return Unfit($"{key}.value", FormattableString.Invariant(
                    $"is {input.Value}, which {type.WireName()} does not hold. Give a number of that type"));
            }

            inputs.Add(new(port, input.Axis, value));
        }

        return inputs;
    }

    private static Outcome<List<TrimmedOutput>> Outputs(PaddingOptions options, Signature model)
    {
        List<TrimmedOutput> outputs = [];
        foreach (var (name, output) in options.Outputs)
        {
            var key = $"padding.outputs.{name}";
            if (!Port(key, name, "output", model.Outputs, output.Axis).TryGet(out var port, out var fault))
                return fault;
            outputs.Add(new(port, output.Axis, output.Per, output.Plus));
        }

        return outputs;
    }

    private static Outcome<MaskInput> Mask(PaddingMaskOptions asked, PaddingOptions options, Signature model)
    {
        const string Key = "padding.mask.input";
        if (!Port(Key, asked.Input, "input", model.Inputs, asked.Axis).TryGet(out var port, out var fault))
            return fault;
        var spec = model.Inputs[port];
        for (var i = 1; i < spec.Shape.Rank; i++)
        {
            if (i != asked.Axis && spec.Shape[i] is not (1 or -1))
                return Unfit(Key, $"has shape {spec.Shape}; a mask is [rows, length], its other dimensions 1");
        }

        if (options.Inputs.ContainsKey(asked.Input))
            return Unfit(Key, $"'{asked.Input}' is padded already by padding.inputs. Name it in one of the two");
        return new MaskInput(port, asked.Axis, NumberBytes.Of(spec.Type, 1));
    }

    /// <summary>The port of that name, whose dimension at the axis must be variable.</summary>
    private static Outcome<int> Port(string key, string name, string what, IReadOnlyList<TensorSpec> specs, int axis)
    {
        var port = specs.ToList().FindIndex(spec => spec.Name == name);
        if (port < 0)
        {
            var names = string.Join(", ", specs.Select(s => s.Name));
            return Unfit(key, $"names '{name}'; the model's {what}s are {names}");
        }

        var spec = specs[port];
        if (spec.Type is DataType.Bytes)
            return Unfit(key, $"is of type BYTES, which has no padding. Pad {what}s of numbers only");
        if (axis >= spec.Shape.Rank || spec.Shape[axis] >= 0)
        {
            return Unfit(key, $"axis {axis} of {what} {spec.Name} {spec.Shape} is not variable. Name the axis of a -1, "
                + "counted from 0");
        }

        return port;
    }

    private static Fault Unfit(string key, string why) => new(FaultKind.LoadFailed, $"model.yaml, {key}: {why}.");
}
