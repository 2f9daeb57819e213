using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Spillway.Transforms.Text;

namespace Spillway.Engine.Doors;

/// <summary>
/// A model's scores float32 [batch, classes] as the best labels BYTES [-1, k] and their scores FP32 [-1, k].
/// </summary>
internal sealed class TopKOutput(TopKOptions options, LabelFile labels) : IOutputStage
{
    private readonly int _longest = labels.LongestBytes;
    private int _port;
    private int _k;

    public Outcome<IReadOnlyList<TensorSpec>> Bind(Signature model)
    {
        if (!ScoreOutput.Find(model, "outputs.topK", options.From, rank: 2).TryGet(out _port, out var fault))
            return fault;
        var classes = model.Outputs[_port].Shape[1];
        if (classes >= 0 && labels.CheckClasses(classes) is { } unfit)
            return unfit;
        _k = Math.Min(options.K, labels.Count);
        return new TensorSpec[]
        {
            new(options.Label, DataType.Bytes, new([-1, _k])),
            new(options.Score, DataType.Float32, new([-1, _k])),
        };
    }

    public Fault? Take(TensorSet outputs, int port, in Shape shape, ReadOnlySpan<byte> data)
    {
        if (port != _port)
            return null;
        var (rows, classes) = ((int)shape[0], (int)shape[1]);
        if (labels.CheckClasses(classes) is { } unfit)
            return unfit with { Kind = FaultKind.RuntimeFailed };
        var text = new PooledText(outputs.Rent(rows * _k * (sizeof(uint) + _longest)));
        var values = outputs.Rent(rows * _k * sizeof(float));
        var scores = MemoryMarshal.Cast<byte, float>(data);
        Span<int> best = _k <= 256 ? stackalloc int[_k] : new int[_k];
        for (var row = 0; row < rows; row++)
        {
            var own = MemoryMarshal.Cast<byte, float>(values.Span).Slice(row * _k, _k);
            if (TopK.Select(scores.Slice(row * classes, classes), options.Softmax, best, own) is { } fault)
                return fault;
            foreach (var label in best)
            {
                var began = text.Skip(sizeof(uint));
                var name = labels[label];
                name.CopyTo(text.GetSpan());
                text.Advance(name.Length);
                BinaryPrimitives.WriteUInt32LittleEndian(text.Span[began..], (uint)name.Length);
            }
        }

        ScoreOutput.Add(outputs, 0, DataType.Bytes, new([rows, _k]), text.Memory);
        ScoreOutput.Add(outputs, 1, DataType.Float32, new([rows, _k]), values);
        return null;
    }
}
