namespace Spillway.Runtimes;

/// <summary>
/// How inputs of different lengths become one batch, and how its outputs are shared out again, by port: what a replica
/// carries out where it gathers the batch. Immutable. A request's own bytes are never touched.
/// </summary>
public sealed class PaddingPlan
{
    private readonly PaddedInput?[] _inputs;
    private readonly TrimmedOutput?[] _outputs;
    private readonly PaddedInput _first;

    /// <summary>A plan that fits a model's signature; whoever makes one checks that.</summary>
    /// <param name="model">The model's own inputs and outputs.</param>
    /// <param name="inputs">At least one.</param>
    /// <param name="outputs">Any number.</param>
    /// <param name="mask">The input that the replica makes; null for none.</param>
    public PaddingPlan(
        Signature model, IReadOnlyList<PaddedInput> inputs, IReadOnlyList<TrimmedOutput> outputs, MaskInput? mask)
    {
        ArgumentOutOfRangeException.ThrowIfZero(inputs.Count);
        (_inputs, _outputs) = (new PaddedInput?[model.Inputs.Count], new TrimmedOutput?[model.Outputs.Count]);
        foreach (var input in inputs)
            _inputs[input.Port] = input;
        foreach (var output in outputs)
            _outputs[output.Port] = output;
        (_first, Mask) = (inputs[0], mask);
    }

    /// <summary>The input that the replica makes; null for none.</summary>
    public MaskInput? Mask { get; }

    /// <summary>How an input is padded; null when it is not.</summary>
    public PaddedInput? Input(int port) => _inputs[port];

    /// <summary>How an output is cut back; null when it is not.</summary>
    public TrimmedOutput? Output(int port) => _outputs[port];

    /// <summary>The own length of a request.</summary>
    /// <param name="inputs">One tensor per input of the model, in the signature's order.</param>
    public long LengthOf(TensorSet inputs) => inputs[_first.Port].Shape[_first.Axis];
}

/// <summary>An input that is padded at its end.</summary>
/// <param name="Port">Index in the signature.</param>
/// <param name="Axis">The dimension that is the length, from 1.</param>
/// <param name="Value">One element of padding, in the input's type.</param>
public readonly record struct PaddedInput(int Port, int Axis, ReadOnlyMemory<byte> Value);

/// <summary>An output that is cut back to what a request's own length gives.</summary>
/// <param name="Port">Index in the signature.</param>
/// <param name="Axis">The dimension that follows the length, from 1.</param>
/// <param name="Per">Input positions for one of its positions, at least 1.</param>
/// <param name="Plus">Added to the length before it is divided.</param>
public readonly record struct TrimmedOutput(int Port, int Axis, int Per, int Plus)
{
    /// <summary>The positions that a length gives, rounded down, never below 0.</summary>
    public long Keep(long length) => Math.Max(length + Plus, 0) / Per;
}

/// <summary>An input that the replica makes: one for real positions, zero for padding. No request brings it.</summary>
/// <param name="Port">Index in the signature.</param>
/// <param name="Axis">The dimension that is the length, from 1; others but the rows are 1.</param>
/// <param name="One">The number 1 in the input's type.</param>
public readonly record struct MaskInput(int Port, int Axis, ReadOnlyMemory<byte> One);

/// <summary>The padding of one run.</summary>
/// <param name="Plan">How.</param>
/// <param name="Length">To which length, at least that of each request; 0 leaves them as they are, equal.</param>
public readonly record struct RunPadding(PaddingPlan Plan, long Length);
