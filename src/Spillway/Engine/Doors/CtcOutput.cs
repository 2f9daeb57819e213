using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Spillway.Transforms.Text;

namespace Spillway.Engine.Doors;

/// <summary>A model's scores float32 [batch, steps, classes] as text BYTES [-1] and confidence FP32 [-1].</summary>
internal sealed class CtcOutput(CtcOptions options, LabelFile labels) : IOutputStage
{
    private readonly CtcDecoder _decoder = new(labels);
    private readonly int _longest = labels.LongestBytes;
    private int _port;

    public Outcome<IReadOnlyList<TensorSpec>> Bind(Signature model)
    {
        if (!ScoreOutput.Find(model, "outputs.ctc", options.From, rank: 3).TryGet(out _port, out var fault))
            return fault;
        var classes = model.Outputs[_port].Shape[2];
        if (classes >= 0 && _decoder.CheckClasses(classes) is { } unfit)
            return unfit;
        return new TensorSpec[]
        {
            new(options.Text, DataType.Bytes, new([-1])),
            new(options.Confidence, DataType.Float32, new([-1])),
        };
    }

    public Fault? Take(TensorSet outputs, int port, in Shape shape, ReadOnlySpan<byte> data)
    {
        if (port != _port)
            return null;
        var (rows, steps, classes) = ((int)shape[0], (int)shape[1], (int)shape[2]);
        if (_decoder.CheckClasses(classes) is { } unfit)
            return unfit with { Kind = FaultKind.RuntimeFailed };
        // A step gives at most one label: room for the worst case, known before anything is decoded.
        var text = new PooledText(outputs.Rent(rows * (sizeof(uint) + (steps * _longest))));
        var confidence = outputs.Rent(rows * sizeof(float));
        var scores = MemoryMarshal.Cast<byte, float>(data);
        for (var row = 0; row < rows; row++)
        {
            var began = text.Skip(sizeof(uint));
            if (_decoder.Decode(scores.Slice(row * steps * classes, steps * classes), steps, text, out var mean) is { } fault)
                return fault;
            BinaryPrimitives.WriteUInt32LittleEndian(text.Span[began..], (uint)(text.Written - began - sizeof(uint)));
            BinaryPrimitives.WriteSingleLittleEndian(confidence.Span[(row * sizeof(float))..], mean);
        }

        ScoreOutput.Add(outputs, 0, DataType.Bytes, new([rows]), text.Memory);
        ScoreOutput.Add(outputs, 1, DataType.Float32, new([rows]), confidence);
        return null;
    }
}
