using System.Buffers;

namespace Spillway.Engine.Gateway;

/// <summary>Texts that stand in the place of others in a body, which is otherwise copied as it came.</summary>
internal sealed class BodyEdits
{
    private readonly List<(int At, int Length, string? Text)> _edits = [];

    /// <summary>How many there are.</summary>
    public int Count => _edits.Count;

    /// <summary>Puts a text in the place of a value; null stands for null. Places come in their order.</summary>
    public void Add(int at, int length, string? text) => _edits.Add((at, length, text));

    /// <summary>Puts another text in the place of the same value.</summary>
    public void Change(int edit, string text) => _edits[edit] = _edits[edit] with { Text = text };

    /// <summary>The text that an edit puts in.</summary>
    public string TextOf(int edit) => _edits[edit].Text ?? "";

    /// <summary>None any more.</summary>
    public void Clear() => _edits.Clear();

    /// <summary>Writes the body with all of them, and without one stretch of it.</summary>
    /// <param name="body">The body.</param>
    /// <param name="without">What is left out; a length of 0 for nothing.</param>
    /// <param name="into">Takes it.</param>
    public void Write(ReadOnlySpan<byte> body, (int At, int Length) without, IBufferWriter<byte> into)
    {
        var from = 0;
        foreach (var (at, length, text) in _edits)
        {
            Copy(body, from, at, without, into);
            if (text is null)
                into.Write("null"u8);
            else
                JsonChars.Write(text, into);
            from = at + length;
        }

        Copy(body, from, body.Length, without, into);
    }

    /// <summary>No edit stands within what is left out.</summary>
    private static void Copy(
        ReadOnlySpan<byte> body, int from, int to, (int At, int Length) without, IBufferWriter<byte> into)
    {
        if (without.Length > 0 && from <= without.At && without.At < to)
        {
            into.Write(body[from..without.At]);
            from = without.At + without.Length;
        }

        into.Write(body[from..to]);
    }
}
