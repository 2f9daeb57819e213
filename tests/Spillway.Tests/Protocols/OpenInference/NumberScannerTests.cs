using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Spillway.Protocols.OpenInference;

namespace Spillway.Tests.Protocols.OpenInference;

/// <summary>Numbers, bit by bit. This file is long because each element type has its own tests.</summary>
public sealed class NumberScannerTests
{
    // Enough to keep every number but the last on the fast path.
    private static readonly string s_tail = new(' ', Decimals.Window);

    [Theory]
    [MemberData(nameof(Seeds.Twenty), MemberType = typeof(Seeds))]
    public void Floats_have_the_bits_that_Utf8JsonReader_gives(int seed)
    {
        var random = new Random(seed);
        var texts = new string[50_000];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = RandomNumber(random);
        var json = Encoding.UTF8.GetBytes($"[{string.Join(',', texts)}]{s_tail}");
        var single = new float[texts.Length];
        var wide = new double[texts.Length];
        Assert.Equal(default, Scan(json, DataType.Float32, single));
        Assert.Equal(default, Scan(json, DataType.Float64, wide));
        var reader = new Utf8JsonReader(json);
        reader.Read();
        for (var i = 0; i < texts.Length; i++)
        {
            reader.Read();
            var bits = BitConverter.SingleToUInt32Bits(reader.GetSingle());
            Assert.True(bits == BitConverter.SingleToUInt32Bits(single[i]), $"FP32 {texts[i]}: {single[i]:R}");
            var wideBits = BitConverter.DoubleToUInt64Bits(reader.GetDouble());
            Assert.True(wideBits == BitConverter.DoubleToUInt64Bits(wide[i]), $"FP64 {texts[i]}: {wide[i]:R}");
        }
    }

    [Theory]
    [InlineData("0", 0f)]
    [InlineData("-0", -0f)]
    [InlineData("-0.0e5", -0f)]
    [InlineData("1e-400", 0f)]
    [InlineData("0e999999999999", 0f)]
    [InlineData("1.401298464324817e-45", float.Epsilon)]
    [InlineData("7.006492321624085e-46", 0f)]
    [InlineData("7.0064923216240854e-46", float.Epsilon)]
    [InlineData("1.17549435e-38", 1.17549435e-38f)]
    [InlineData("3.4028235e38", float.MaxValue)]
    [InlineData("3.4028235677973366163753939545814e38", float.MaxValue)]
    [InlineData("1.00000005960464477539062499999", 1f)]
    [InlineData("1.000000059604644775390625", 1f)]
    [InlineData("1.00000005960464477539062500001", 1.0000001f)]
    [InlineData("16777217", 16777216f)]
    [InlineData("16777217.0000000000000000000000000001", 16777218f)]
    [InlineData("18446744073709551615", 18446744073709551615f)]
    [InlineData("99999999999999999999999999", 1e26f)]
    [InlineData("123456789012345678e-9", 123456789.012345678f)]
    public void Hard_floats_are_rounded_once(string text, float expected)
    {
        var value = new float[1];
        foreach (var tail in new[] { "", s_tail })
        {
            Assert.Equal(default, Scan(Encoding.UTF8.GetBytes($"[{text}]{tail}"), DataType.Float32, value));
            Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(value[0]));
        }
    }

    [Theory]
    [MemberData(nameof(Seeds.Twenty), MemberType = typeof(Seeds))]
    public void Halves_and_brains_are_the_nearest_even(int seed)
    {
        var random = new Random(seed);
        var half = new ushort[1];
        var brain = new ushort[1];
        for (var i = 0; i < 2000; i++)
        {
            // Every sixteenth is a tie between two halves, and most are near one.
            var near = (double)BitConverter.UInt16BitsToHalf((ushort)random.Next(0x7BFF));
            var next = (double)BitConverter.UInt16BitsToHalf((ushort)(BitConverter.HalfToUInt16Bits((Half)near) + 1));
            var value = random.Next(16) == 0 ? (near + next) / 2 : near + (next - near) * random.NextDouble();
            var json = Encoding.UTF8.GetBytes($"[{value.ToString("R", CultureInfo.InvariantCulture)}]{s_tail}");
            Assert.Equal(default, Scan(json, DataType.Float16, half));
            Assert.Equal(BitConverter.HalfToUInt16Bits((Half)value), half[0]);
            Assert.Equal(default, Scan(json, DataType.BFloat16, brain));
            Assert.Equal(NearestBrain(value), brain[0]);
        }
    }

    [Theory]
    [InlineData(DataType.Int8, "[-128,127,0,-0]", new long[] { -128, 127, 0, 0 })]
    [InlineData(DataType.UInt8, "[0,255]", new long[] { 0, 255 })]
    [InlineData(DataType.Int16, "[-32768,32767]", new long[] { -32768, 32767 })]
    [InlineData(DataType.UInt16, "[65535]", new long[] { 65535 })]
    [InlineData(DataType.Int32, "[-2147483648,2147483647]", new long[] { int.MinValue, int.MaxValue })]
    [InlineData(DataType.UInt32, "[4294967295]", new long[] { uint.MaxValue })]
    [InlineData(DataType.Int64, "[-9223372036854775808,9223372036854775807]", new[] { long.MinValue, long.MaxValue })]
    [InlineData(DataType.UInt64, "[18446744073709551615]", new long[] { -1 })]
    [InlineData(DataType.Bool, "[true,false,1,0]", new long[] { 1, 0, 1, 0 })]
    public void Whole_numbers_reach_both_ends_of_their_range(DataType type, string json, long[] expected)
    {
        var memory = new byte[expected.Length * type.Size()];
        var cursor = new JsonCursor(Encoding.UTF8.GetBytes(json));
        Assert.Equal(default, NumberScanner.Read(ref cursor, type, memory));
        var wanted = expected.SelectMany(value => BitConverter.GetBytes(value).Take(type.Size()));
        Assert.Equal(wanted, memory);
        Assert.Equal(json.Length, cursor.Position);
    }

    [Theory]
    [InlineData(DataType.Int8, "[1,128]", nameof(ScanErrorKind.OutOfRange), 1)]
    [InlineData(DataType.Int8, "[-129]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.UInt8, "[-1]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.UInt64, "[18446744073709551616]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.Int64, "[99999999999999999999999999]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.Int32, "[1,2,1.0]", nameof(ScanErrorKind.NotWhole), 2)]
    [InlineData(DataType.Int32, "[1e2]", nameof(ScanErrorKind.NotWhole), 0)]
    [InlineData(DataType.Int32, "[true]", nameof(ScanErrorKind.WrongKind), 0)]
    [InlineData(DataType.Float32, "[\"1\"]", nameof(ScanErrorKind.WrongKind), 0)]
    [InlineData(DataType.Float32, "[null]", nameof(ScanErrorKind.WrongKind), 0)]
    [InlineData(DataType.Float32, "[{}]", nameof(ScanErrorKind.WrongKind), 0)]
    [InlineData(DataType.Float32, "[1,NaN]", nameof(ScanErrorKind.NotFinite), 1)]
    [InlineData(DataType.Float64, "[-Infinity]", nameof(ScanErrorKind.NotFinite), 0)]
    [InlineData(DataType.Float32, "[1e39]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.Float64, "[1e400]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.Float16, "[65520]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.BFloat16, "[3.4e38]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.Bool, "[2]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.Bool, "[0.5]", nameof(ScanErrorKind.OutOfRange), 0)]
    [InlineData(DataType.Float32, "[1,2,3]", nameof(ScanErrorKind.TooFew), 3)]
    [InlineData(DataType.Float32, "[1,2,3,4,5]", nameof(ScanErrorKind.TooMany), 4)]
    [InlineData(DataType.Float32, "[]", nameof(ScanErrorKind.TooFew), 0)]
    public void A_value_that_does_not_fit_names_its_index(DataType type, string json, string kind, int element)
    {
        foreach (var tail in new[] { "", s_tail })
        {
            var cursor = new JsonCursor(Encoding.UTF8.GetBytes(json + tail));
            var error = NumberScanner.Read(ref cursor, type, new byte[4 * type.Size()]);
            Assert.Equal((kind, element), (error.Kind.ToString(), error.Element));
        }
    }

    [Theory]
    [InlineData("[01]")]
    [InlineData("[-]")]
    [InlineData("[1.]")]
    [InlineData("[.5]")]
    [InlineData("[+1]")]
    [InlineData("[1e]")]
    [InlineData("[1e+]")]
    [InlineData("[1 .5]")]
    [InlineData("[0x10]")]
    [InlineData("[1f]")]
    [InlineData("[1-2]")]
    [InlineData("[--1]")]
    [InlineData("[1,]")]
    [InlineData("[,1]")]
    [InlineData("[1,,2]")]
    [InlineData("[1 2]")]
    [InlineData("[[1],]")]
    [InlineData("[[1][2]]")]
    [InlineData("[1[2]]")]
    [InlineData("[1}")]
    [InlineData("[1")]
    [InlineData("[")]
    [InlineData("[[1]")]
    [InlineData("7")]
    public void What_is_no_json_is_a_syntax_error(string json)
    {
        foreach (var type in new[] { DataType.Float32, DataType.Float64, DataType.Int32, DataType.BFloat16 })
        {
            foreach (var tail in new[] { "", json.EndsWith(']') ? s_tail : "" })
            {
                var cursor = new JsonCursor(Encoding.UTF8.GetBytes(json + tail));
                var error = NumberScanner.Read(ref cursor, type, new byte[64 * type.Size()]);
                Assert.True(error.Kind == ScanErrorKind.Syntax, $"{type} {json}: {error}");
            }
        }
    }

    [Theory]
    [InlineData("[1,2,3,4]")]
    [InlineData("[[1,2],[3,4]]")]
    [InlineData("[[[1],[2]],[[3],[4]]]")]
    [InlineData(" [ [ 1 , 2 ] ,\n\t[ 3 ,\r\n4 ] ] ")]
    [InlineData("[1, 2, 3, 4]")]
    [InlineData("[[1,2,3],[],[4]]")]
    public void Any_row_major_nesting_is_the_same_tensor(string json)
    {
        var values = new float[4];
        Assert.Equal(default, Scan(Encoding.UTF8.GetBytes(json), DataType.Float32, values));
        Assert.Equal([1, 2, 3, 4], values);
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(500_000, false)]
    public void Nesting_is_limited(int depth, bool fits)
    {
        var json = Encoding.UTF8.GetBytes(new string('[', depth) + "1" + new string(']', depth));
        Assert.Equal(fits, Scan(json, DataType.Float32, new float[1]).Kind == ScanErrorKind.None);
    }

    [Fact]
    public void Strings_become_length_and_utf8()
    {
        var cursor = new JsonCursor("""["a", "",["\u00e9\n","日本"]]"""u8);
        var memory = new byte[64];
        Assert.Equal(default, NumberScanner.ReadStrings(ref cursor, 4, memory, out var written));
        byte[] expected = [1, 0, 0, 0, (byte)'a', 0, 0, 0, 0, 3, 0, 0, 0, .. "é\n"u8, 6, 0, 0, 0, .. "日本"u8];
        Assert.Equal(expected, memory[..written]);
    }

    [Theory]
    [MemberData(nameof(Seeds.Twenty), MemberType = typeof(Seeds))]
    public void Mutated_arrays_are_read_as_System_Text_Json_reads_them(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 2000; i++)
        {
            var text = Encoding.UTF8.GetBytes("[0.25,-1.5e2, [100 , 7],[0,-0.0001,12345678.5]]" + s_tail);
            for (var n = random.Next(1, 3); n > 0; n--)
                text[random.Next(47)] = (byte)"[],.-+eE0123456789 x\""[random.Next(20)];
            var expected = Oracle(text);
            var values = new float[expected?.Count ?? 8];
            var cursor = new JsonCursor(text);
            var error = NumberScanner.Read(ref cursor, DataType.Float32, MemoryMarshal.AsBytes(values.AsSpan()));
            var read = error.Kind == ScanErrorKind.None && cursor.TryEnd();
            var shown = $"{Encoding.UTF8.GetString(text)} {error}";
            Assert.True(expected is not null == read, shown);
            Assert.True(expected is null || expected.SequenceEqual(values), shown);
        }
    }

    private static List<float>? Oracle(byte[] text)
    {
        try
        {
            var reader = new Utf8JsonReader(text);
            var values = new List<float>();
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.Number)
                    values.Add(reader.GetSingle());
                else if (reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.EndArray))
                    return null;
            }

            return text.AsSpan().TrimStart(" "u8)[0] == '[' && values.TrueForAll(float.IsFinite) ? values : null;
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            return null;
        }
    }

    private static ScanError Scan<T>(byte[] json, DataType type, T[] into)
        where T : unmanaged
    {
        var cursor = new JsonCursor(json);
        return NumberScanner.Read(ref cursor, type, MemoryMarshal.AsBytes(into.AsSpan()));
    }

    /// <summary>Finite in FP32; formats, magnitudes and digit counts that clients write, and hostile ones.</summary>
    private static string RandomNumber(Random random)
    {
        var bits = random.Next(4) == 0 ? (uint)random.Next(0x01000000) : (uint)random.Next() << 1 | (uint)random.Next(2);
        var value = BitConverter.UInt32BitsToSingle(bits);
        value = float.IsFinite(value) ? value : 1.5f;
        var unit = (float)random.NextDouble() * 2 - 1;
        var invariant = CultureInfo.InvariantCulture;
        return random.Next(9) switch
        {
            0 => value.ToString("R", invariant),
            1 => unit.ToString("F4", invariant),
            2 => unit.ToString("R", invariant),
            3 => ((double)unit).ToString("R", invariant),
            4 => ((double)value).ToString("E17", invariant),
            5 => Midpoint(unit, random),
            6 => random.Next(-100_000, 100_000).ToString(invariant),
            7 => $"{random.Next(100)}.{Digits(random, random.Next(1, 40))}",
            _ => $"{(random.Next(2) == 0 ? "-" : "")}{random.Next(1, 10)}{Digits(random, random.Next(0, 19))}"
                + $"e{random.Next(-60, 18)}",
        };
    }

    /// <summary>Halfway between two floats, exactly or a hair beside.</summary>
    private static string Midpoint(float low, Random random)
    {
        var high = MathF.BitIncrement(low);
        var exact = (((decimal)(double)low + (decimal)(double)high) / 2).ToString(CultureInfo.InvariantCulture);
        return random.Next(3) switch
        {
            0 => exact,
            1 => exact + "0000000000000000000001",
            _ => (((double)low + high) / 2).ToString("R", CultureInfo.InvariantCulture),
        };
    }

    private static string Digits(Random random, int count) =>
        string.Concat(Enumerable.Range(0, count).Select(_ => (char)('0' + random.Next(10))));

    /// <summary>By search over the two neighbours, with exact arithmetic in double: both have 8 bits.</summary>
    private static ushort NearestBrain(double value)
    {
        var low = (ushort)(BitConverter.SingleToUInt32Bits((float)value) >> 16);
        while (BitConverter.UInt32BitsToSingle((uint)low << 16) > value)
            low--;
        var below = value - BitConverter.UInt32BitsToSingle((uint)low << 16);
        var above = BitConverter.UInt32BitsToSingle((uint)(low + 1) << 16) - value;
        return below < above || (below == above && (low & 1) == 0) ? low : (ushort)(low + 1);
    }
}
