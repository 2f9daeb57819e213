using System.Text;

namespace Spillway.Telemetry.Otlp;

/// <summary>
/// What an OTLP receiver says after it took a request: perhaps that it refused part of it. Reads the two fields of
/// Export…PartialSuccess; whatever it does not understand is nothing.
/// </summary>
internal static class PartialSuccess
{
    private const int MessageLengthMax = 300;

    /// <summary>How many spans or points were refused, and why; 0 and empty when all were taken.</summary>
    public static (long Rejected, string Why) Read(ReadOnlySpan<byte> response)
    {
        var (rejected, why) = (0L, "");
        foreach (var range in Fields(response, wanted: 1))
        {
            var inner = response[range];
            var at = 0;
            while (Next(inner, ref at, out var field, out var number, out var bytes))
            {
                if (field == 1 && bytes.Equals(default))
                    rejected = (long)number;
                else if (field == 2)
                    why = Encoding.UTF8.GetString(inner[bytes]);
            }
        }

        return (rejected, why.Length > MessageLengthMax ? $"{why[..MessageLengthMax]}…" : why);
    }

    private static List<Range> Fields(ReadOnlySpan<byte> message, int wanted)
    {
        var found = new List<Range>();
        var at = 0;
        while (Next(message, ref at, out var field, out _, out var bytes))
        {
            if (field == wanted && !bytes.Equals(default))
                found.Add(bytes);
        }

        return found;
    }

    /// <summary>One field; false at the end, or at bytes that are no such message.</summary>
    private static bool Next(ReadOnlySpan<byte> message, ref int at, out int field, out ulong number, out Range bytes)
    {
        (field, number, bytes) = (0, 0, default);
        if (!Varint(message, ref at, out var tag))
            return false;
        field = (int)(tag >> 3);
        switch (tag & 7)
        {
            case 0:
                return Varint(message, ref at, out number);
            case 1:
                at += sizeof(ulong);
                return at <= message.Length;
            case 5:
                at += sizeof(uint);
                return at <= message.Length;
            case 2 when Varint(message, ref at, out var length) && length <= (ulong)(message.Length - at):
                bytes = at..(at + (int)length);
                at += (int)length;
                return true;
            default:
                return false;
        }
    }

    private static bool Varint(ReadOnlySpan<byte> message, ref int at, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && at < message.Length; shift += 7)
        {
            var group = message[at++];
            value |= (ulong)(group & 0x7f) << shift;
            if (group < 0x80)
                return true;
        }

        return false;
    }
}
