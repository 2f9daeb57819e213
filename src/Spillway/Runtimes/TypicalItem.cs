using System.Runtime.InteropServices;

namespace Spillway.Runtimes;

/// <summary>
/// One request of typical shapes, random numbers in it, that keeps what the model answers: for probes and profiles.
/// </summary>
public sealed class TypicalItem : WorkItem, IDisposable
{
    private readonly int _rows;
    private readonly List<byte[]> _outputs = [];

    /// <summary>Makes the inputs; the same arguments give the same numbers.</summary>
    /// <param name="signature">The model's.</param>
    /// <param name="typical">Sizes of variable dimensions by input; others are 1.</param>
    /// <param name="rows">
    /// Rows, at most what <see cref="RowsWithin"/> says; of no effect without a batch dimension.
    /// </param>
    public TypicalItem(Signature signature, IReadOnlyDictionary<string, IReadOnlyList<long>> typical, int rows)
    {
        _rows = rows;
        var random = new Random(rows);
        for (var port = 0; port < signature.Inputs.Count; port++)
        {
            var spec = signature.Inputs[port];
            ref var tensor = ref Inputs.Add();
            (tensor.Port, tensor.Type, tensor.Shape) = (port, spec.Type,
                ShapeOf(spec, typical, signature.Batched ? rows : 0));
            tensor.Shape.TryCount(out var count);
            // An empty byte string is its length, four zero bytes.
            var data = Inputs.Rent((int)count * Math.Max(spec.Type.Size(), spec.Type is DataType.Bytes ? 4 : 1));
            data.Span.Clear();
            if (spec.Type is DataType.Float32)
            {
                foreach (ref var value in MemoryMarshal.Cast<byte, float>(data.Span))
                    value = random.NextSingle();
            }

            tensor.Data = data;
        }
    }

    /// <inheritdoc/>
    public override TensorSet Inputs { get; } = new();

    /// <inheritdoc/>
    public override int Rows => _rows;

    /// <summary>The outputs of the last run, port by port.</summary>
    public IReadOnlyList<byte[]> Outputs => _outputs;

    /// <inheritdoc/>
    public override void Output(int port, in Shape shape, ReadOnlySpan<byte> data) => _outputs.Add(data.ToArray());

    /// <summary>Runs it alone; null or the fault.</summary>
    public Fault? Run(IBatchReplica replica)
    {
        _outputs.Clear();
        return replica.Run([this], Silent.Instance);
    }

    /// <inheritdoc/>
    public void Dispose() => Inputs.Reset();

    /// <summary>The most rows, up to a wish, whose inputs are of a bearable size; 0 when one row is not.</summary>
    public static int RowsWithin(Signature signature, IReadOnlyDictionary<string, IReadOnlyList<long>> typical,
        int wish)
    {
        const long ElementsMax = 64 * 1024 * 1024; // 256 MiB of floats
        var most = (long)wish;
        foreach (var spec in signature.Inputs)
        {
            if (!ShapeOf(spec, typical, signature.Batched ? 1 : 0).TryCount(out var count) || count > ElementsMax)
                return 0;
            most = Math.Min(most, ElementsMax / Math.Max(count, 1));
        }

        return (int)most;
    }

    private static Shape ShapeOf(TensorSpec spec, IReadOnlyDictionary<string, IReadOnlyList<long>> typical, int rows)
    {
        var shape = spec.Shape;
        for (var i = 0; i < shape.Rank; i++)
        {
            var size = typical.TryGetValue(spec.Name, out var dims) && i < dims.Count ? dims[i] : 1;
            if (shape[i] < 0)
                shape[i] = Math.Max(size, 1);
        }

        if (rows > 0)
            shape[0] = rows;
        return shape;
    }

    private sealed class Silent : RunControl
    {
        public static readonly Silent Instance = new();

        public override void Mark(Stage stage)
        {
        }
    }
}
