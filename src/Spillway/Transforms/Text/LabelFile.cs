using System.Text.Unicode;

namespace Spillway.Transforms.Text;

/// <summary>
/// The labels of a model's classes, as the UTF-8 that goes to the client. Read once at load; immutable, thread-safe.
/// </summary>
internal sealed class LabelFile
{
    /// <summary>The largest file, in bytes: a vocabulary of 250,000 words has about 4 MB.</summary>
    public const int BytesMax = 16 * 1024 * 1024;

    /// <summary>The most labels; the largest classifiers in use have about 22,000, vocabularies 260,000.</summary>
    public const int CountMax = 1_000_000;

    /// <summary>The longest label, in bytes.</summary>
    public const int LabelBytesMax = 1024;

    private readonly byte[] _text;
    private readonly int[] _starts;
    private readonly string _source;

    private LabelFile(byte[] text, int[] starts, string source) => (_text, _starts, _source) = (text, starts, source);

    /// <summary>Bytes of the longest label.</summary>
    public int LongestBytes
    {
        get
        {
            var longest = 0;
            for (var i = 0; i < Count; i++)
                longest = Math.Max(longest, _starts[i + 1] - _starts[i]);
            return longest;
        }
    }

    /// <summary>How many labels.</summary>
    public int Count => _starts.Length - 1;

    /// <summary>One label, UTF-8, possibly empty.</summary>
    public ReadOnlySpan<byte> this[int index] => _text.AsSpan(_starts[index].._starts[index + 1]);

    /// <summary>
    /// Reads a file with one label a line. A missing, oversized or malformed one is a
    /// <see cref="FaultKind.LoadFailed"/>.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="spaceLast">Whether a single space follows as the last label.</param>
    public static Outcome<LabelFile> Load(string path, bool spaceLast)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > BytesMax)
            {
                return Failed($"The label file {path} has {file.Length:N0} bytes; at most {BytesMax:N0} are read. "
                    + $"Name a file with one label a line.");
            }

            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return Parse(bytes, spaceLast, path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Failed($"The label file {path} cannot be read ({error.Message}). Correct labels in model.yaml.");
        }
    }

    /// <summary>
    /// The same from bytes. Lines end with LF or CRLF; the last may lack it. An empty line inside is an empty label, a
    /// byte order mark is skipped, blanks are kept: a label may be one.
    /// </summary>
    public static Outcome<LabelFile> Parse(ReadOnlySpan<byte> utf8, bool spaceLast, string source)
    {
        if (!Utf8.IsValid(utf8))
            return Failed($"The label file {source} is not UTF-8. Save it as UTF-8 with one label a line.");
        if (utf8.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            utf8 = utf8[3..];
        var lines = utf8.Count((byte)'\n') + (utf8.IsEmpty || utf8[^1] == '\n' ? 0 : 1);
        if (lines is 0 or > CountMax)
        {
            return Failed($"The label file {source} has {lines:N0} lines; 1 to {CountMax:N0} are allowed. "
                + $"Name a file with one label a line.");
        }

        var text = new byte[utf8.Length + 1];
        var starts = new int[lines + (spaceLast ? 2 : 1)];
        if (Split(utf8, lines, text, starts) is { } line)
        {
            return Failed($"Line {line:N0} of the label file {source} is longer than {LabelBytesMax:N0} bytes. "
                + $"Name a file with one label a line.");
        }

        if (spaceLast)
        {
            text[starts[^2]] = (byte)' ';
            starts[^1] = starts[^2] + 1;
        }

        return new LabelFile(text, starts, source);
    }

    /// <summary>
    /// Checks at load that a model's classes are these labels and those before them (0, or 1 for CTC's blank). Null, or
    /// a <see cref="FaultKind.LoadFailed"/>. A negative number is a dimension that only a run shows: it passes here.
    /// </summary>
    /// <param name="classes">The last dimension of the model's output.</param>
    /// <param name="before">Classes that precede the labels.</param>
    public Fault? CheckClasses(long classes, int before = 0)
    {
        if (classes < 0 || classes == Count + before)
            return null;
        var blank = before == 0 ? "" : " and one blank";
        return Failed($"The model has {classes:N0} classes; the label file {_source} gives {Count:N0} labels{blank}. "
            + $"Name the labels that this model was trained with, or correct spaceLast.");
    }

    /// <summary>Copies the lines one after the other. Null, or the number of the line that is too long.</summary>
    private static int? Split(ReadOnlySpan<byte> utf8, int lines, Span<byte> text, Span<int> starts)
    {
        for (var i = 0; i < lines; i++)
        {
            var end = utf8.IndexOf((byte)'\n');
            var label = end < 0 ? utf8 : utf8[..end];
            utf8 = utf8[(end < 0 ? utf8.Length : end + 1)..];
            if (label.EndsWith("\r"u8))
                label = label[..^1];
            if (label.Length > LabelBytesMax)
                return i + 1;
            label.CopyTo(text[starts[i]..]);
            starts[i + 1] = starts[i] + label.Length;
        }

        return null;
    }

    private static Fault Failed(ref InvariantText message) => new(FaultKind.LoadFailed, message.Take());
}
