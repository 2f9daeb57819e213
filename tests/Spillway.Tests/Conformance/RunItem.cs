using System.Text;
using Spillway.Runtimes;

namespace Spillway.Tests.Conformance;

/// <summary>A work item for driving a replica by hand: inputs in, copies of the outputs out.</summary>
public sealed class RunItem : WorkItem
{
    private readonly List<(int Port, Shape Shape, byte[] Data)> _outputs = [];

    public override TensorSet Inputs { get; } = new();

    public override int Rows => RowsGiven;

    /// <summary>Rows it claims; by default 1.</summary>
    public int RowsGiven { get; init; } = 1;

    /// <summary>What it was handed, in the order of the calls.</summary>
    public IReadOnlyList<(int Port, Shape Shape, byte[] Data)> Outputs => _outputs;

    /// <summary>Adds the next input.</summary>
    public RunItem With(DataType type, long[] dims, byte[] data)
    {
        var port = Inputs.Count;
        ref var tensor = ref Inputs.Add();
        (tensor.Port, tensor.Type, tensor.Shape, tensor.Data) = (port, type, new Shape(dims), data);
        return this;
    }

    /// <summary>Adds the next input, FP32.</summary>
    public RunItem With(long[] dims, params float[] values) => With(DataType.Float32, dims, Bytes(values));

    /// <summary>An output's numbers.</summary>
    public T[] Numbers<T>(int port)
        where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, T>(_outputs[port].Data.AsSpan()).ToArray();

    /// <summary>Forgets the outputs.</summary>
    public void Clear() => _outputs.Clear();

    public override void Output(int port, in Shape shape, ReadOnlySpan<byte> data) => _outputs.Add((port, shape, data.ToArray()));

    /// <summary>Numbers as the bytes of a tensor.</summary>
    public static byte[] Bytes<T>(params T[] values)
        where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    /// <summary>Strings as the bytes of a BYTES tensor.</summary>
    public static byte[] Texts(params string[] values) =>
        [.. values.Select(Encoding.UTF8.GetBytes).SelectMany(static text => BitConverter.GetBytes(text.Length).Concat(text))];
}

/// <summary>Records the marks of a run and lets a test act at one of them.</summary>
public sealed class RunMarks(Action<Stage>? at = null) : RunControl
{
    private readonly List<Stage> _marks = [];

    /// <summary>The stages marked, in order.</summary>
    public IReadOnlyList<Stage> Marks => _marks;

    /// <summary>How the run is padded.</summary>
    public override RunPadding? Padding => Pads;

    /// <summary>Sets <see cref="Padding"/>.</summary>
    public RunPadding? Pads { get; init; }

    public override void Mark(Stage stage)
    {
        _marks.Add(stage);
        at?.Invoke(stage);
    }
}
