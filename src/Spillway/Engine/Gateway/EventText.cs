namespace Spillway.Engine.Gateway;

/// <summary>The form of server-sent events (WHATWG HTML, section 9.2), as far as this protocol uses it.</summary>
internal static class EventText
{
    /// <summary>The data that ends a stream.</summary>
    public static ReadOnlySpan<byte> Done => "[DONE]"u8;

    /// <summary>The mark of the byte order that may stand before the first event.</summary>
    public static ReadOnlySpan<byte> Mark => "\uFEFF"u8;

    /// <summary>Where the data stands in <see cref="OneLine"/>.</summary>
    public const int OneLineAt = 6;

    /// <summary>An event of one line of data: outside of texts, which have none, JSON's line ends are blanks.</summary>
    public static byte[] OneLine(ReadOnlySpan<byte> data)
    {
        byte[] text = [.. "data: "u8, .. data, .. "\n\n"u8];
        text.AsSpan(OneLineAt, data.Length).Replace((byte)'\n', (byte)' ');
        return text;
    }

    /// <summary>Where the first whole event ends, its empty line included; -1 while none is whole.</summary>
    /// <param name="bytes">From the beginning of an event on.</param>
    /// <param name="from">Where to look from: what is before was looked at and holds no end.</param>
    public static int FindEnd(ReadOnlySpan<byte> bytes, int from)
    {
        for (var at = from; at < bytes.Length; at++)
        {
            var line = bytes[at..].IndexOf((byte)'\n');
            if (line < 0)
                return -1;
            at += line;
            if (at + 1 < bytes.Length && bytes[at + 1] == (byte)'\n')
                return at + 2;
            if (at + 2 < bytes.Length && bytes[at + 1] == (byte)'\r' && bytes[at + 2] == (byte)'\n')
                return at + 3;
        }

        return -1;
    }

    /// <summary>Where an event's data stands in it; a length of 0 for an event without any, such as a
    /// comment.</summary>
    /// <param name="text">One event.</param>
    /// <param name="lines">How many lines of data it has; more than one is joined by <see cref="Join"/>.</param>
    public static (int At, int Length) Data(ReadOnlySpan<byte> text, out int lines)
    {
        var (at, found, first) = (0, (At: 0, Length: 0), true);
        lines = 0;
        while (at < text.Length)
        {
            var rest = text[at..];
            var end = rest.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            if (line is [.., (byte)'\r'])
                line = line[..^1];
            if (line.StartsWith("data:"u8))
            {
                var skip = line.Length > 5 && line[5] == (byte)' ' ? 6 : 5;
                if (first)
                    found = (at + skip, line.Length - skip);
                first = false;
                lines++;
            }

            at += end < 0 ? rest.Length : end + 1;
        }

        return found;
    }

    /// <summary>The lines of data of one event, joined as the standard has it.</summary>
    public static byte[] Join(ReadOnlySpan<byte> text)
    {
        List<byte> joined = [];
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (!line.StartsWith("data:"u8))
                continue;
            if (joined.Count > 0)
                joined.Add((byte)'\n');
            joined.AddRange(line[(line.Length > 5 && line[5] == (byte)' ' ? 6 : 5)..].TrimEnd((byte)'\r'));
        }

        return [.. joined];
    }
}
