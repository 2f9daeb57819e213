using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Spillway.Policies.Chains;

/// <summary>
/// Whether an output is fit to be an answer. A pure function of its type, shape and bytes: the same answer always has
/// the same verdict. Allocates only for a reason, and for texts beyond a kilobyte.
/// </summary>
internal sealed class AnswerCheck
{
    /// <summary>The longest text that is matched against a pattern, in bytes; a longer one is unfit.</summary>
    public const int TextBytesMax = 64 * 1024;

    private const int OnStack = 1024;
    private const string Unlike = "does not match the pattern";

    private readonly AnswerCheckOptions _options;
    private readonly Regex? _pattern;
    private readonly AnswerSchema? _schema;

    /// <summary>Of options in which <see cref="Problem"/> found nothing.</summary>
    public AnswerCheck(AnswerCheckOptions options)
    {
        _options = options;
        _pattern = options.Pattern.Length == 0 ? null : Compile(options.Pattern);
        _schema = options.JsonSchema.Length == 0 ? null : AnswerSchema.Read(options.JsonSchema, out _);
    }

    /// <summary>The output that it is about; empty for the first one.</summary>
    public string Output => _options.Output;

    /// <summary>Why the pattern cannot be used; null when it can.</summary>
    public static string? Problem(AnswerCheckOptions options)
    {
        try
        {
            if (options.Pattern.Length > 0)
                Compile(options.Pattern);
            return null;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return e.Message.TrimEnd('.');
        }
    }

    /// <summary>
    /// Why the output is unfit, with the value and the bound and nothing of its texts; null when it is fit.
    /// </summary>
    /// <param name="type">Its elements.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="data">Row-major, little-endian; BYTES elements as uint32 length and bytes.</param>
    public string? Judge(DataType type, in Shape shape, ReadOnlySpan<byte> data)
    {
        if (!shape.TryCount(out var count) || (type.Size() > 0 && count * type.Size() != data.Length))
            return Text($"its {data.Length} bytes are not what its shape {shape} says");
        if (count == 0)
            return _options.NotEmpty ? "it is empty" : null;
        if (type is DataType.Bytes)
            return JudgeTexts(count, data);
        if (_pattern is not null || _schema is not null)
        {
            var what = _pattern is null ? "schema" : "pattern";
            return Text($"it holds {type.WireName()} and no texts to match a {what}");
        }

        return JudgeNumbers(type, shape, data, count);
    }

    private string? JudgeNumbers(DataType type, in Shape shape, ReadOnlySpan<byte> data, long count)
    {
        var isFloat = type is DataType.Float16 or DataType.Float32 or DataType.Float64 or DataType.BFloat16;
        if (isFloat && _options.Finite && FirstNotFinite(type, data) is var at and >= 0)
            return Text($"element {at} of {count} is no finite number");
        if (_options.ConfidenceMin is not { } least)
            return null;
        if (!isFloat)
            return Text($"it holds {type.WireName()} and no confidence");
        // One number a row is that row's confidence.
        var width = shape.Rank < 2 ? 1 : (int)shape[shape.Rank - 1];
        var size = type.Size();
        for (var row = 0; row < count / width; row++)
        {
            var best = double.NegativeInfinity;
            for (var i = row * width; i < (row + 1) * width; i++)
                best = Math.Max(best, Read(type, data[(i * size)..]));
            // Not "best < least": a NaN that was let pass is no confidence either.
            if (!(best >= least))
                return Text($"the confidence of row {row} is {best:0.####}, at least {least:0.####} is asked for");
        }

        return null;
    }

    private string? JudgeTexts(long count, ReadOnlySpan<byte> data)
    {
        for (var i = 0L; i < count; i++)
        {
            if (data.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(data) > (uint)(data.Length - 4))
                return Text($"its bytes end within element {i} of {count}");
            var length = (int)BinaryPrimitives.ReadUInt32LittleEndian(data);
            if (JudgeText(data.Slice(4, length)) is { } reason)
                return Text($"element {i} {reason}");
            data = data[(4 + length)..];
        }

        return data.Length == 0 ? null : Text($"{data.Length} bytes follow its last element");
    }

    private string? JudgeText(ReadOnlySpan<byte> text)
    {
        if (text.Length == 0)
        {
            if (_options.NotEmpty)
                return "is empty";
            return _pattern?.IsMatch("") is false ? Unlike : _schema?.Judge(text);
        }

        if (_pattern is null && _schema is null)
            return null;
        if (text.Length > TextBytesMax)
            return Text($"has {text.Length} bytes; texts of up to {TextBytesMax} are matched against anything");
        return MatchPattern(text) ?? _schema?.Judge(text);
    }

    private string? MatchPattern(ReadOnlySpan<byte> text)
    {
        if (_pattern is null)
            return null;
        // UTF-8 never has more UTF-16 units than bytes; what is no UTF-8 becomes U+FFFD.
        var chars = text.Length <= OnStack ? stackalloc char[OnStack] : new char[text.Length];
        var written = Encoding.UTF8.GetChars(text, chars);
        return _pattern.IsMatch(chars[..written]) ? null : Unlike;
    }

    private static int FirstNotFinite(DataType type, ReadOnlySpan<byte> data) => type switch
    {
        DataType.Float32 => FirstOf<uint>(MemoryMarshal.Cast<byte, uint>(data), 0x7F80_0000u),
        DataType.Float16 => FirstOf<ushort>(MemoryMarshal.Cast<byte, ushort>(data), 0x7C00),
        DataType.BFloat16 => FirstOf<ushort>(MemoryMarshal.Cast<byte, ushort>(data), 0x7F80),
        DataType.Float64 => FirstOf<ulong>(MemoryMarshal.Cast<byte, ulong>(data), 0x7FF0_0000_0000_0000u),
        DataType.Bool or DataType.UInt8 or DataType.UInt16 or DataType.UInt32 or DataType.UInt64 or DataType.Int8
            or DataType.Int16 or DataType.Int32 or DataType.Int64 or DataType.Bytes => -1,
    };

    /// <summary>NaN and infinity are the numbers whose exponent bits are all set.</summary>
    private static int FirstOf<T>(ReadOnlySpan<T> bits, T exponent)
        where T : System.Numerics.IBinaryInteger<T>
    {
        for (var i = 0; i < bits.Length; i++)
        {
            if ((bits[i] & exponent) == exponent)
                return i;
        }

        return -1;
    }

    private static double Read(DataType type, ReadOnlySpan<byte> at) => type switch
    {
        DataType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(at),
        DataType.Float16 => (double)BinaryPrimitives.ReadHalfLittleEndian(at),
        DataType.BFloat16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(at) << 16),
        DataType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(at),
        DataType.Bool or DataType.UInt8 or DataType.UInt16 or DataType.UInt32 or DataType.UInt64 or DataType.Int8
            or DataType.Int16 or DataType.Int32 or DataType.Int64 or DataType.Bytes => double.NaN,
    };

    private static Regex Compile(string pattern) =>
        new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
