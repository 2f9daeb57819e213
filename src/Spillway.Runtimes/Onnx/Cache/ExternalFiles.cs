using System.Text;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// Finds the files beside an ONNX model that hold its weights (TensorProto.external_data): they belong to what the
/// model is. Reads protobuf by its lengths and skips whatever it does not need; a file that is no protobuf has none.
/// </summary>
internal static class ExternalFiles
{
    /// <summary>Most files that are looked at, and how deep graphs may lie inside graphs.</summary>
    private const int FilesMax = 1024, DepthMax = 16;

    private enum Part
    {
        None, Model, Graph, Function, Node, Attribute, Tensor, Sparse, Entry,
    }

    /// <summary>Relative paths as the model names them; null when there are more than can be looked at.</summary>
    public static IReadOnlyCollection<string>? Find(ReadOnlySpan<byte> model)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        return Walk(model, Part.Model, DepthMax * 4, found) ? found : null;
    }

    private static bool Walk(ReadOnlySpan<byte> message, Part part, int depth, SortedSet<string> found)
    {
        if (depth == 0)
            return false;
        while (TryField(ref message, out var field, out var body))
        {
            var inner = Inside(part, field);
            if (inner == Part.Entry)
                TakeLocation(body, found);
            else if (inner != Part.None && !Walk(body, inner, depth - 1, found))
                return false;
            if (found.Count > FilesMax)
                return false;
        }

        return true;
    }

    /// <summary>What a field of a message holds, by the numbers of onnx.proto3.</summary>
    private static Part Inside(Part part, int field) => (part, field) switch
    {
        (Part.Model, 7) => Part.Graph,
        (Part.Model, 25) => Part.Function,
        (Part.Graph, 1) or (Part.Function, 7) => Part.Node,
        (Part.Graph, 5) => Part.Tensor,
        (Part.Graph, 15) => Part.Sparse,
        (Part.Node, 5) => Part.Attribute,
        (Part.Attribute, 5 or 10) => Part.Tensor,
        (Part.Attribute, 6 or 11) => Part.Graph,
        (Part.Attribute, 22 or 23) => Part.Sparse,
        (Part.Sparse, 1 or 2) => Part.Tensor,
        (Part.Tensor, 13) => Part.Entry,
        _ => Part.None,
    };

    private static void TakeLocation(ReadOnlySpan<byte> entry, SortedSet<string> found)
    {
        ReadOnlySpan<byte> key = [], value = [];
        while (TryField(ref entry, out var field, out var body))
        {
            if (field == 1)
                key = body;
            else if (field == 2)
                value = body;
        }

        if (key.SequenceEqual("location"u8))
            found.Add(Encoding.UTF8.GetString(value));
    }

    /// <summary>
    /// The next field that has a length; others are passed over. False at the end, or where it is no protobuf.
    /// </summary>
    private static bool TryField(scoped ref ReadOnlySpan<byte> rest, out int field, out ReadOnlySpan<byte> body)
    {
        field = 0;
        body = default;
        while (!rest.IsEmpty)
        {
            if (!TryVarint(ref rest, out var tag))
                return false;
            field = (int)(tag >> 3);
            var skip = (tag & 7) switch { 1 => 8, 5 => 4, _ => 0 };
            switch (tag & 7)
            {
                case 0 when TryVarint(ref rest, out _):
                    continue;
                case 1 or 5 when rest.Length >= skip:
                    rest = rest[skip..];
                    continue;
                case 2 when TryVarint(ref rest, out var length) && length <= (ulong)rest.Length:
                    body = rest[..(int)length];
                    rest = rest[(int)length..];
                    return true;
                default:
                    return false;
            }
        }

        return false;
    }

    private static bool TryVarint(scoped ref ReadOnlySpan<byte> rest, out ulong value)
    {
        value = 0;
        for (var i = 0; i < rest.Length && i < 10; i++)
        {
            value |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
