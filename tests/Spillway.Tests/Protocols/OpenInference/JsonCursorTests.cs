using System.Text;
using System.Text.Json;
using Spillway.Protocols.OpenInference;

namespace Spillway.Tests.Protocols.OpenInference;

public sealed class JsonCursorTests
{
    private static readonly string[] s_documents =
    [
        """{"id":"é\u00e9\ud83d\ude00","a":[1,-2.5e+3,0.0,-0,1E5],"b":{"c":null,"d":[true,false,{}]},"":"\"\\\/\b\f\n\r\t"}""",
        """ [ [ ] , { } , "" , 0 , [ [ 1 , 2 ] , [ 3 ] ] , { "x" : { "y" : [ ] } } ] """,
        """{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[0.25,1e-7,-3]}],"outputs":[{"name":"y"}]}""",
        "\"plain ünïcode \\uD834\\uDD1E 🎉\"",
        "-12.5e-3",
    ];

    [Theory]
    [InlineData("", "a value", 0)]
    [InlineData("[1,]", "a value", 3)]
    [InlineData("[1 2]", "',' or ']'", 3)]
    [InlineData("{\"a\" 1}", "':' after the key", 5)]
    [InlineData("{a:1}", "a quoted key", 1)]
    [InlineData("[01]", "no leading zero", 1)]
    [InlineData("[1.]", "a digit", 3)]
    [InlineData("[+1]", "a value", 1)]
    [InlineData("[1e]", "a digit", 3)]
    [InlineData("\"\\x\"", "a known escape", 2)]
    [InlineData("\"\\ud800\"", "a whole surrogate pair", 1)]
    [InlineData("\"\\u12g4\"", "four hexadecimal digits", 3)]
    [InlineData("\"a\nb\"", "no control character in a string", 2)]
    [InlineData("\"abc", "a closing '\"'", 4)]
    [InlineData("1 1", "the end of the document", 2)]
    [InlineData("[NaN]", "a value", 1)]
    [InlineData("\u00a0" + "1", "a value", 0)]
    public void An_error_says_where_and_what_was_expected(string text, string expected, int position)
    {
        Assert.False(JsonCursor.IsValid(Encoding.UTF8.GetBytes(text), out var cursor));
        Assert.Equal((expected, position), (cursor.Expected, cursor.Position));
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(1_000_000, false)]
    public void Depth_is_limited_without_recursion(int depth, bool valid)
    {
        var arrays = new string('[', depth) + new string(']', depth);
        var objects = string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);
        Assert.Equal(valid, JsonCursor.IsValid(Encoding.UTF8.GetBytes(arrays), out _));
        Assert.Equal(valid, JsonCursor.IsValid(Encoding.UTF8.GetBytes(objects), out _));
    }

    [Fact]
    public void Invalid_utf8_in_a_string_is_refused()
    {
        Assert.False(JsonCursor.IsValid([(byte)'"', 0xC3, (byte)'"'], out _));
        Assert.False(JsonCursor.IsValid([(byte)'"', 0xED, 0xA0, 0x80, (byte)'"'], out _));
        Assert.True(JsonCursor.IsValid([(byte)'"', 0xC3, 0xA9, (byte)'"'], out _));
    }

    [Theory]
    [MemberData(nameof(Seeds.Twenty), MemberType = typeof(Seeds))]
    public void It_accepts_and_refuses_what_System_Text_Json_does(int seed)
    {
        var random = new Random(seed);
        var accepted = 0;
        for (var i = 0; i < 1000; i++)
        {
            var text = Mutated(random, Encoding.UTF8.GetBytes(s_documents[random.Next(s_documents.Length)]));
            var valid = JsonCursor.IsValid(text, out var cursor);
            Assert.True(valid == Oracle(text), $"{Encoding.UTF8.GetString(text)}: {cursor.Expected}");
            accepted += valid ? 1 : 0;
        }

        Assert.InRange(accepted, 50, 950);
    }

    [Theory]
    [MemberData(nameof(Seeds.Twenty), MemberType = typeof(Seeds))]
    public void A_string_means_what_System_Text_Json_reads(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 200; i++)
        {
            var text = RandomText(random);
            var json = JsonSerializer.SerializeToUtf8Bytes(text);
            var cursor = new JsonCursor(json);
            Assert.True(cursor.TryReadString(out var value));
            Assert.Equal(text, value.ToString());
            var plain = Encoding.UTF8.GetBytes(text);
            Assert.Equal(value.Raw.Length <= 256 || !value.Escaped, value.Is(plain));
            Assert.False(value.Is([.. plain, (byte)'x']));
        }
    }

    private static byte[] Mutated(Random random, byte[] document)
    {
        var bytes = document.ToList();
        for (var n = random.Next(3); n > 0; n--)
        {
            var at = random.Next(bytes.Count);
            const string Signs = "{}[]\",:0123456789.eE+-\\u nt\t\u0001é";
            var sign = (byte)Signs[random.Next(Signs.Length)];
            switch (random.Next(4))
            {
                case 0:
                    bytes[at] = sign;
                    break;
                case 1:
                    bytes.Insert(at, sign);
                    break;
                case 2 when bytes.Count > 1:
                    bytes.RemoveAt(at);
                    break;
                default:
                    bytes[at] = (byte)random.Next(256);
                    break;
            }
        }

        return [.. bytes];
    }

    private static bool Oracle(byte[] text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 64 });
            ReadStrings(document.RootElement);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>System.Text.Json checks UTF-8 and surrogates only when a string is read.</summary>
    private static void ReadStrings(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.String)
            element.GetString();
        foreach (var item in element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : default)
            ReadStrings(item);
        foreach (var member in element.ValueKind == JsonValueKind.Object ? element.EnumerateObject() : default)
        {
            _ = member.Name;
            ReadStrings(member.Value);
        }
    }

    private static string RandomText(Random random)
    {
        var text = new StringBuilder();
        for (var n = random.Next(40); n > 0; n--)
        {
            var rune = random.Next(4) switch
            {
                0 => new Rune(random.Next(0x20)),
                1 => new Rune(random.Next(0x20, 0x80)),
                2 => new Rune(random.Next(0x80, 0xD800)),
                _ => new Rune(random.Next(0x10000, 0x110000)),
            };
            text.Append(rune);
        }

        return text.ToString();
    }
}

/// <summary>Seeds of the room's properties.</summary>
public static class Seeds
{
    public static TheoryData<int> Twenty => [.. Enumerable.Range(1, 20)];
}
