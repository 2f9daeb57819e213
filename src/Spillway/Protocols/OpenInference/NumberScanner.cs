using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// Reads a JSON array of elements straight into a tensor's memory, without an intermediate value. The array may be
/// flat or nested in any way that lists the elements in row-major order, which is what Triton accepts. It allocates
/// nothing.
/// </summary>
internal static class NumberScanner
{
    /// <summary>
    /// Reads the array that the cursor stands before into all of <paramref name="destination"/>, whose length is the
    /// element count times the type's size, and moves behind it. Not for BYTES: see <see cref="ReadStrings"/>.
    /// </summary>
    public static ScanError Read(ref JsonCursor json, DataType type, Span<byte> destination) => type switch
    {
        DataType.Float32 => Scan<float, SingleParser>(ref json, destination),
        DataType.Float64 => Scan<double, DoubleParser>(ref json, destination),
        DataType.Float16 => Scan<Half, HalfParser>(ref json, destination),
        DataType.BFloat16 => Scan<ushort, BrainParser>(ref json, destination),
        DataType.Bool => Scan<byte, BoolParser>(ref json, destination),
        DataType.UInt8 => Scan<byte, IntegerParser<byte>>(ref json, destination),
        DataType.UInt16 => Scan<ushort, IntegerParser<ushort>>(ref json, destination),
        DataType.UInt32 => Scan<uint, IntegerParser<uint>>(ref json, destination),
        DataType.UInt64 => Scan<ulong, IntegerParser<ulong>>(ref json, destination),
        _ => ReadSigned(ref json, type, destination),
    };

    /// <summary>
    /// Reads an array of strings as BYTES elements: a little-endian uint32 length and the UTF-8 bytes each. The
    /// destination holds at least the array's own length plus one byte per element, which always suffices.
    /// </summary>
    public static ScanError ReadStrings(ref JsonCursor json, int count, Span<byte> destination, out int written)
    {
        written = 0;
        var elements = 0;
        var nesting = new Nesting(ref json);
        while (nesting.NextValue(json.Text, out var at))
        {
            if (elements == count)
                return new(ScanErrorKind.TooMany, at, elements, "");
            if (json.Text[at] != '"')
                return Refuse(json.Text, at, elements, ScanErrorKind.WrongKind);
            json.Resume(at);
            if (!json.TryReadString(out var value))
                return new(ScanErrorKind.Syntax, json.Position, elements, json.Expected);
            var length = value.Unescape(destination[(written + 4)..]);
            BinaryPrimitives.WriteInt32LittleEndian(destination[written..], length);
            written += 4 + length;
            elements++;
            nesting.Resume(json.Position);
        }

        return Finish(ref json, nesting, elements, count);
    }

    private static ScanError ReadSigned(ref JsonCursor json, DataType type, Span<byte> destination) => type switch
    {
        DataType.Int8 => Scan<sbyte, IntegerParser<sbyte>>(ref json, destination),
        DataType.Int16 => Scan<short, IntegerParser<short>>(ref json, destination),
        DataType.Int32 => Scan<int, IntegerParser<int>>(ref json, destination),
        DataType.Int64 => Scan<long, IntegerParser<long>>(ref json, destination),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "BYTES are read by ReadStrings."),
    };

    private static ScanError Scan<T, TParser>(ref JsonCursor json, Span<byte> destination)
        where T : unmanaged
        where TParser : struct, IElementParser<T>
    {
        var text = json.Text;
        var values = MemoryMarshal.Cast<byte, T>(destination);
        var written = 0;
        var nesting = new Nesting(ref json);
        while (nesting.NextValue(text, out var start))
        {
            // A variable of its own: one that is passed by reference would live in memory, not in a register.
            var at = start;
            // A run of elements with nothing but a comma, or a comma and a space, between them.
            for (;;)
            {
                if ((uint)written >= (uint)values.Length)
                    return new(ScanErrorKind.TooMany, at, written, "");
                var error = TParser.Parse(text, ref at, out var value);
                if (error != ScanErrorKind.None)
                    return Refuse(text, at, written, error);
                values[written++] = value;
                if (text.Length - at < 3 || text[at] != ',')
                    break;
                // A branch, not a choice of two values: the next load need not wait for this one.
                var comma = at++;
                if (text[at] == ' ')
                    at++;
                if ((uint)text[at] - '-' > '9' - '-')
                {
                    at = comma;
                    break;
                }
            }

            nesting.Resume(at);
        }

        return Finish(ref json, nesting, written, values.Length);
    }

    private static ScanError Finish(ref JsonCursor json, in Nesting nesting, int written, int count)
    {
        if (nesting.Expected is { } expected)
            return new(ScanErrorKind.Syntax, nesting.At, written, expected);
        json.Resume(nesting.At);
        return written < count ? new(ScanErrorKind.TooFew, nesting.At, written, "") : default;
    }

    private static ScanError Refuse(ReadOnlySpan<byte> text, int at, int element, ScanErrorKind kind)
    {
        if (kind != ScanErrorKind.Syntax)
            return new(kind, at, element, "");
        var good = JsonCursor.NumberLength(text[at..], out var expected);
        return new(ScanErrorKind.Syntax, at + good, element, good == 0 ? "a number" : expected ?? "a number");
    }

    /// <summary>The brackets, commas and white space between elements.</summary>
    private struct Nesting
    {
        private readonly int _depthMax;
        private int _depth;
        private bool _mayClose;
        private bool _afterValue;

        public Nesting(ref JsonCursor json)
        {
            _depthMax = JsonCursor.DepthMax - json.Depth;
            if (json.Peek() != JsonKind.Array)
                Expected = "an array";
            At = json.Position;
        }

        /// <summary>Where it stands, or where the error is.</summary>
        public int At { get; private set; }

        /// <summary>What the text lacks; null while nothing failed.</summary>
        public string? Expected { get; private set; }

        /// <summary>Goes on behind an element.</summary>
        public void Resume(int at) => (At, _afterValue, _mayClose) = (at, true, true);

        /// <summary>Finds the start of the next element; false behind the outermost bracket and on an error.</summary>
        public bool NextValue(ReadOnlySpan<byte> text, out int at)
        {
            while (Expected is null)
            {
                while ((uint)At < (uint)text.Length && JsonCursor.IsSpace(text[At]))
                    At++;
                at = At;
                if ((uint)At >= (uint)text.Length)
                {
                    Expected = _afterValue ? "',' or ']'" : "a value or ']'";
                    return false;
                }

                if (!_afterValue && text[At] is not ((byte)'[' or (byte)']' or (byte)','))
                    return true;
                if (Step(text[At]))
                    return false;
            }

            at = At;
            return false;
        }

        /// <summary>Takes one bracket or comma; true behind the outermost bracket.</summary>
        private bool Step(byte sign)
        {
            if (sign == '[' && !_afterValue)
            {
                if (_depth == _depthMax)
                    Expected = "no more than 64 nested objects and arrays";
                else
                    (_depth, _mayClose) = (_depth + 1, true);
            }
            else if (sign == ',' && _afterValue)
            {
                (_afterValue, _mayClose) = (false, false);
            }
            else if (sign == ']' && _mayClose)
            {
                (_depth, _afterValue) = (_depth - 1, true);
            }
            else
            {
                Expected = _afterValue ? "',' or ']'" : "a value";
            }

            At += Expected is null ? 1 : 0;
            return Expected is null && _depth == 0;
        }
    }
}
