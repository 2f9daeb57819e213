using System.Globalization;
using Spillway.Config;
using Spillway.Policies.Sequences;

namespace Spillway.Engine.Sequences;

/// <summary>
/// Declared sequences against the signature of the loaded model: names become ports, shapes become bytes.
/// </summary>
internal static class SequenceBinding
{
    private const long MiB = 1024 * 1024;

    /// <summary>
    /// The plan, null for a model without; or a load fault that names the key and what the model has.
    /// </summary>
    public static Outcome<SequencePlan?> Bind(ModelOptions model, Signature signature)
    {
        if (model.Sequences is not { } options)
            return (SequencePlan?)null;
        if (model.Padding is not null || model.Serve.Values.Any(door => door.Picture is not null))
            return Unfit("", "cannot stand beside padding or serve.*.picture. Remove one of them");
        if (!States(options, signature).TryGet(out var states, out var fault)
            || !Controls(options.Controls, signature).TryGet(out var controls, out fault))
            return fault;
        int[] hidden = [.. states.Select(s => s.Input), .. controls.Select(c => c.Input)];
        if (hidden.Distinct().Count() < hidden.Length || states.DistinctBy(s => s.Output).Count() < states.Count)
            return Unfit("", "names an input or an output twice. Name each once");
        if (hidden.Length == signature.Inputs.Count || states.Count == signature.Outputs.Count)
            return Unfit(".state", "leaves no input or no output for clients. Leave out what they send and get");
        var plan = new SequencePlan(options, signature, states, controls);
        var most = (long)plan.StateBytes * options.SequencesMax;
        if (most <= options.MemoryMaxMb * MiB)
            return plan;
        return Unfit(".memoryMaxMb", string.Create(CultureInfo.InvariantCulture,
            $"{options.SequencesMax} sequences of {plan.StateBytes:N0} bytes need {(most + MiB - 1) / MiB:N0} MiB; "
            + $"{options.MemoryMaxMb} are allowed. Lower sequencesMax, or raise memoryMaxMb"));
    }

    private static Outcome<List<StatePort>> States(SequenceOptions options, Signature model)
    {
        List<StatePort> states = [];
        var offset = 0L;
        for (var i = 0; i < options.State.Count; i++)
        {
            var (state, key) = (options.State[i], $".state[{i}]");
            if (!Port($"{key}.input", state.Input, "input", model.Inputs).TryGet(out var input, out var fault)
                || !Port($"{key}.output", state.Output, "output", model.Outputs).TryGet(out var output, out fault)
                || !ShapeOf(key, state, model.Inputs[input], model.Batched).TryGet(out var shape, out fault))
                return fault;
            var type = model.Inputs[input].Type;
            if (type != model.Outputs[output].Type || type is DataType.Bytes)
            {
                return Unfit(key, $"joins {model.Outputs[output].Type.WireName()} to {type.WireName()}. Join an output "
                    + "of numbers to an input of the same type");
            }

            if (!shape.TryCount(out var count) || offset + (count * type.Size()) > options.MemoryMaxMb * MiB
                || offset + (count * type.Size()) > Array.MaxLength)
                return Unfit($"{key}", $"of shape {shape} is larger than memoryMaxMb. Raise it");
            states.Add(new(input, output, type, shape, (int)offset, (int)(count * type.Size())));
            offset += count * type.Size();
        }

        return states;
    }

    private static Outcome<Shape> ShapeOf(string key, SequenceStateOptions state, TensorSpec spec, bool batched)
    {
        var shape = spec.Shape;
        if (batched)
            shape[0] = 1;
        if (state.Shape.Count > 0)
        {
            if (state.Shape.Count > Shape.RankMax)
                return Unfit($"{key}.shape", $"has {state.Shape.Count} dimensions; at most {Shape.RankMax} are served");
            shape = new([.. state.Shape]);
            if (!spec.Accepts(shape) || (batched && shape[0] != 1))
            {
                return Unfit($"{key}.shape", $"is {shape}; the model's input {spec.Name} is {spec.Shape}. Give the "
                    + "shape for one sequence, its rows 1");
            }
        }

        foreach (var dim in shape.Dims)
        {
            if (dim < 0)
            {
                return Unfit(
                    key, $"input {spec.Name} is {spec.Shape}, which leaves a dimension open. Declare its shape");
            }
        }

        return shape;
    }

    private static Outcome<List<ControlPort>> Controls(SequenceControlOptions options, Signature model)
    {
        List<ControlPort> controls = [];
        foreach (var (what, name) in ((SequenceControl, string)[])
            [(SequenceControl.Start, options.Start), (SequenceControl.End, options.End),
                (SequenceControl.Ready, options.Ready), (SequenceControl.Id, options.Id)])
        {
            if (name.Length == 0)
                continue;
            var key = $".controls.{(what is SequenceControl.Id ? "id" : $"{what}".ToLowerInvariant())}";
            if (!Port(key, name, "input", model.Inputs).TryGet(out var port, out var fault))
                return fault;
            var spec = model.Inputs[port];
            var shape = spec.Shape;
            for (var i = 0; i < shape.Rank; i++)
                shape[i] = Math.Abs(shape[i]);
            var fits = what is SequenceControl.Id
                ? spec.Type is DataType.UInt64 or DataType.Int64 or DataType.UInt32 or DataType.Int32
                : spec.Type is DataType.Float32 or DataType.Int32 or DataType.Bool;
            if (!fits || !shape.TryCount(out var count) || count != 1)
            {
                return Unfit(key, $"input {name} is {spec.Type.WireName()} {spec.Shape}. It takes one number: FP32, "
                    + "INT32 or BOOL for a flag, a whole number of 32 or 64 bits for the id");
            }

            controls.Add(new(port, what, spec.Type, shape));
        }

        return controls;
    }

    private static Outcome<int> Port(string key, string name, string what, IReadOnlyList<TensorSpec> specs)
    {
        var port = specs.ToList().FindIndex(spec => spec.Name == name);
        return port >= 0 ? port : Unfit(key,
            $"names '{name}'; the model's {what}s are {string.Join(", ", specs.Select(s => s.Name))}");
    }

    private static Fault Unfit(string key, string why) =>
        new(FaultKind.LoadFailed, $"model.yaml, sequences{key}: {why}.");
}
