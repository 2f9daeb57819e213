using System.Buffers.Binary;
using System.Text;

namespace Spillway.Engine.Routes;

/// <summary>
/// An answer that was declared: a text in every element of each output of texts, and zero in every number. Immutable;
/// it is checked against the route's outputs when it is needed, because a model may come later.
/// </summary>
/// <param name="route">The route's name, for messages.</param>
/// <param name="text">The text.</param>
internal sealed class FixedAnswer(string route, string text)
{
    private const int BytesMax = 16 * 1024 * 1024;

    private readonly byte[] _text = Element(text);

    /// <summary>Fills the outputs that were asked for; null, or why the declared values do not fit.</summary>
    public Fault? Write(Signature signature, Work work)
    {
        work.Outputs.Reset();
        var rows = signature.Batched ? Math.Max(work.Claim.Rows, 1) : 1;
        for (var port = 0; port < signature.Outputs.Count; port++)
        {
            if (!IsAsked(work.Request, port))
                continue;
            var spec = signature.Outputs[port];
            var element = spec.Type is DataType.Bytes ? _text : new byte[spec.Type.Size()];
            var shape = ShapeOf(spec.Shape, rows, signature.Batched);
            if (!shape.TryCount(out var count) || count * element.Length > BytesMax)
                return Unfit($"the output '{spec.Name}' of {rows} rows is larger than {BytesMax} bytes");
            ref var tensor = ref work.Outputs.Add();
            (tensor.Port, tensor.Type, tensor.Shape) = (port, spec.Type, shape);
            tensor.Data = Repeat(work.Outputs.Rent((int)count * element.Length), element);
        }

        return null;
    }

    private Fault Unfit(string why) => new(
        FaultKind.ModelNotReady, $"The fixed answer of {route} does not fit the outputs of its model: {why}.");

    private static bool IsAsked(InferenceRequest request, int port)
    {
        for (var i = 0; i < request.Outputs.Count; i++)
        {
            if (request.Outputs[i].Port == port)
                return true;
        }

        return request.Outputs.Count == 0;
    }

    /// <summary>What is variable is as short as it can be, but for the rows.</summary>
    private static Shape ShapeOf(in Shape declared, int rows, bool isBatched)
    {
        Shape shape = default;
        for (var i = 0; i < declared.Rank; i++)
            shape.TryAdd(i == 0 && isBatched ? rows : Math.Max(declared[i], 1));
        return shape;
    }

    private static byte[] Element(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        var element = new byte[sizeof(uint) + utf8.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(element, (uint)utf8.Length);
        utf8.CopyTo(element, sizeof(uint));
        return element;
    }

    private static Memory<byte> Repeat(Memory<byte> into, byte[] element)
    {
        for (var at = 0; at < into.Length; at += element.Length)
            element.CopyTo(into.Span[at..]);
        return into;
    }
}
