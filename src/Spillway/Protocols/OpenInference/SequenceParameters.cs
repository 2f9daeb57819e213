using System.Buffers.Text;

namespace Spillway.Protocols.OpenInference;

/// <summary>The request parameters sequence_id, sequence_start and sequence_end, in any order.</summary>
internal static class SequenceParameters
{
    /// <summary>Reads one of them into the request; false when the key is none of them.</summary>
    public static bool TryRead(ref JsonCursor json, scoped JsonString key, InferenceRequest request, out Fault? fault)
    {
        fault = null;
        var mark = request.Sequence ?? default;
        if (key.Is("sequence_id"u8))
        {
            fault = ReadId(ref json, out var id);
            mark = mark with { Key = id };
        }
        else if (key.Is("sequence_start"u8))
        {
            fault = JsonValues.ReadBool(ref json, "sequence_start", out var start);
            mark = mark with { Start = start };
        }
        else if (key.Is("sequence_end"u8))
        {
            fault = JsonValues.ReadBool(ref json, "sequence_end", out var end);
            mark = mark with { End = end };
        }
        else
        {
            return false;
        }

        request.Sequence = mark;
        return true;
    }

    /// <summary>
    /// 0 and the empty string mean none, as Triton's clients send them; flags without an id mean nothing.
    /// </summary>
    public static void Complete(InferenceRequest request)
    {
        if (request.Sequence is { Key.IsNone: true })
            request.Sequence = null;
    }

    private static Fault? ReadId(ref JsonCursor json, out SequenceKey id)
    {
        id = default;
        if (json.Peek() == JsonKind.String && json.TryReadString(out var text))
        {
            if (text.Raw.Length > SequenceKey.TextBytesMax)
                return TooLong(text.Raw.Length);
            id = new(text.ToString());
            return null;
        }

        if (json.Peek() != JsonKind.Number || !json.TryReadNumber(out var token)
            || !Utf8Parser.TryParse(token, out ulong number, out var used) || used != token.Length)
        {
            return RequestFaults.Parameter(
                "sequence_id", $"must be a whole number from 0 to {ulong.MaxValue}, or a string");
        }

        id = new(number);
        return null;
    }

    private static Fault TooLong(int bytes) => RequestFaults.Parameter(
        "sequence_id", $"has {bytes} bytes; at most {SequenceKey.TextBytesMax} are allowed");
}
