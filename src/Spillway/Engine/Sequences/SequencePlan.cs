using System.Buffers.Binary;
using Spillway.Policies.Sequences;

namespace Spillway.Engine.Sequences;

/// <summary>One state of a model: where it goes in and out, and where it lies in a sequence's memory.</summary>
/// <param name="Input">The model's input port.</param>
/// <param name="Output">The model's output port.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Of one sequence; the batch dimension, where it is the first, is 1.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Bytes">Bytes of one sequence.</param>
internal readonly record struct StatePort(int Input, int Output, DataType Type, Shape Shape, int Offset, int Bytes);

/// <summary>What an input that the server makes tells.</summary>
internal enum SequenceControl
{
    /// <summary>1 for the first request.</summary>
    Start,

    /// <summary>1 for the last request.</summary>
    End,

    /// <summary>Always 1.</summary>
    Ready,

    /// <summary>The id.</summary>
    Id,
}

/// <summary>An input that the server makes: one number.</summary>
internal readonly record struct ControlPort(int Input, SequenceControl What, DataType Type, Shape Shape);

/// <summary>
/// How a stateful model is fed: which of its ports clients see, which carry state, which the server makes. Immutable,
/// made once per load by <see cref="SequenceBinding"/>.
/// </summary>
internal sealed class SequencePlan
{
    private readonly int[] _inputs;
    private readonly int[] _outputs;

    public SequencePlan(SequenceOptions options, Signature model, IReadOnlyList<StatePort> states,
        IReadOnlyList<ControlPort> controls)
    {
        (Options, States, Controls) = (options, states, controls);
        StateBytes = states.Sum(s => s.Bytes);
        HashSet<int> hidden = [.. states.Select(s => s.Input), .. controls.Select(c => c.Input)];
        _inputs = [.. Enumerable.Range(0, model.Inputs.Count).Where(port => !hidden.Contains(port))];
        int[] seen = [.. Enumerable.Range(0, model.Outputs.Count).Where(port => states.All(s => s.Output != port))];
        _outputs = [.. Enumerable.Range(0, model.Outputs.Count).Select(port => Array.IndexOf(seen, port))];
        Visible = model with
        {
            Inputs = [.. _inputs.Select(port => model.Inputs[port])],
            Outputs = [.. seen.Select(port => model.Outputs[port])],
        };
    }

    public SequenceOptions Options { get; }

    /// <summary>What clients see: the model without state and controls.</summary>
    public Signature Visible { get; }

    public IReadOnlyList<StatePort> States { get; }

    public IReadOnlyList<ControlPort> Controls { get; }

    /// <summary>Bytes of all states of one sequence.</summary>
    public int StateBytes { get; }

    /// <summary>The model's port of an input that clients see.</summary>
    public int ModelInput(int visible) => _inputs[visible];

    /// <summary>The port that clients see of a model's output; -1 for a state.</summary>
    public int VisibleOutput(int port) => _outputs[port];

    /// <summary>Makes the model's inputs from the client's; the states follow when it is the request's turn.</summary>
    public void Complete(InferenceRequest request, TensorSet into)
    {
        for (var i = 0; i < _inputs.Length + States.Count + Controls.Count; i++)
            into.Add().Port = i;
        foreach (ref readonly var given in request.Inputs.Span)
        {
            var port = _inputs[given.Port];
            into[port] = given;
            into[port].Port = port;
        }

        var mark = request.Sequence ?? default;
        foreach (var control in Controls)
        {
            ref var tensor = ref into[control.Input];
            (tensor.Type, tensor.Shape) = (control.Type, control.Shape);
            var data = into.Rent(control.Type.Size());
            Write(data.Span, control.Type, control.What switch
            {
                SequenceControl.Start => mark.Start ? 1UL : 0,
                SequenceControl.End => mark.End ? 1UL : 0,
                SequenceControl.Ready => 1,
                SequenceControl.Id => mark.Key.Number,
            });
            tensor.Data = data;
        }
    }

    /// <summary>The request's turn has come: its states are these bytes.</summary>
    public void Feed(TensorSet inputs, byte[] state)
    {
        foreach (var port in States)
        {
            ref var tensor = ref inputs[port.Input];
            (tensor.Type, tensor.Shape) = (port.Type, port.Shape);
            tensor.Data = state.AsMemory(port.Offset, port.Bytes);
        }
    }

    /// <summary>An output of the model that is a state goes there; a fault when it is not the state's size.</summary>
    public Fault? Keep(int output, in Shape shape, ReadOnlySpan<byte> data, byte[] into)
    {
        foreach (var port in States)
        {
            if (port.Output != output)
                continue;
            if (data.Length != port.Bytes)
            {
                return new(FaultKind.RuntimeFailed,
                    $"The model gave a next state of shape {shape}; its state is {port.Shape}. The sequence keeps the "
                    + "state that it had. Declare the state's shape in model.yaml, sequences.state.");
            }

            data.CopyTo(into.AsSpan(port.Offset));
        }

        return null;
    }

    private static void Write(Span<byte> data, DataType type, ulong value)
    {
        if (type is DataType.Float32)
            BinaryPrimitives.WriteSingleLittleEndian(data, value);
        else if (data.Length == sizeof(ulong))
            BinaryPrimitives.WriteUInt64LittleEndian(data, value);
        else if (data.Length == sizeof(uint))
            BinaryPrimitives.WriteUInt32LittleEndian(data, (uint)value);
        else
            data[0] = (byte)value;
    }
}
