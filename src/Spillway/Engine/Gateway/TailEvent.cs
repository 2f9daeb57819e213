using System.Buffers;
using System.Globalization;
using System.Text;

namespace Spillway.Engine.Gateway;

/// <summary>An event with what was held back of one text, in the form of the events before it.</summary>
internal static class TailEvent
{
    /// <summary>Writes it.</summary>
    /// <param name="head">Members that all events of the stream share, each with a comma behind it.</param>
    /// <param name="choice">The choice's number.</param>
    /// <param name="path">Where the text stands in the choice.</param>
    /// <param name="text">The text.</param>
    /// <param name="into">Takes it.</param>
    public static void Write(
        ReadOnlySpan<byte> head, int choice, IReadOnlyList<PathStep> path, string text, IBufferWriter<byte> into)
    {
        into.Write("data: {"u8);
        into.Write(head);
        Text(string.Create(CultureInfo.InvariantCulture, $"\"choices\":[{{\"index\":{choice},"), into);
        var closing = new StringBuilder();
        for (var i = 0; i < path.Count; i++)
            Step(path[i], isBeforeItem: i + 1 < path.Count && path[i + 1].Name is null, i + 1 < path.Count, closing,
                into);
        JsonChars.Write(text, into);
        Text(closing.ToString(), into);
        Text(",\"finish_reason\":null}]}\n\n", into);
    }

    /// <summary>Opens a step, and puts before the closing marks what closes it.</summary>
    private static void Step(
        PathStep step, bool isBeforeItem, bool isBeforeMore, StringBuilder closing, IBufferWriter<byte> into)
    {
        if (step.Name is { } name)
        {
            JsonChars.Write(name, into);
            into.Write(":"u8);
            if (!isBeforeMore)
                return;
            into.Write(isBeforeItem ? "["u8 : "{"u8);
            closing.Insert(0, isBeforeItem ? ']' : '}');
            return;
        }

        if (!isBeforeMore)
            return;
        into.Write("{"u8);
        closing.Insert(0, '}');
        if (step.Index >= 0)
            Text(string.Create(CultureInfo.InvariantCulture, $"\"index\":{step.Index},"), into);
        if (step.Type.Length > 0)
        {
            into.Write("\"type\":"u8);
            JsonChars.Write(step.Type, into);
            into.Write(","u8);
        }
    }

    private static void Text(string text, IBufferWriter<byte> into) => Encoding.UTF8.GetBytes(text, into);
}
