using System.Text;
using System.Text.Json;
using Spillway.Config;
using Spillway.Engine.Gateway;
using Spillway.Tests.Transforms.Tokens;
using Spillway.Transforms.Tokens;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>What is reserved for a prompt with a vocabulary, and what it is counted as.</summary>
public sealed class PromptTokensTests
{
    private static readonly ChatOptions s_options = new();

    /// <summary>"word" and " word" are a token each.</summary>
    internal static readonly SmallVocabulary Words = new(
        [("w", "o"), ("wo", "r"), ("wor", "d"), ("\u0120", "word")]);

    private static readonly Tokenizer s_tokenizer = TokenizerTests.Load(Words.Tiktoken());

    private static (AskedBody Asked, PromptTokens Prompt, long Bytes) Count(
        string body, WireCall call = WireCall.Chat, long bytesMax = 1 << 20)
    {
        Assert.True(BodyScan.Read(call, Encoding.UTF8.GetBytes(body)).TryGet(out var asked, out var fault),
            fault?.Message);
        var bytes = asked.PromptTokensAtMost(s_options);
        return (asked, PromptScan.Count(asked, bytes, s_tokenizer, bytesMax), bytes);
    }

    private static string Text(int words) => string.Concat(Enumerable.Repeat(" word", words))[1..];

    private static string Chat(string content, string more = "") =>
        $$"""{"model":"m",{{more}}"messages":[{"role":"user","content":{{content}}}]}""";

    [Fact]
    public void A_texts_bytes_give_way_to_its_tokens_and_everything_else_stays()
    {
        var (_, prompt, bytes) = Count(Chat($"\"{Text(100)}\""));

        // The first word counts by its bytes, and so does the last.
        Assert.Equal(bytes - 499 + (4 + 98 + 5), prompt.AtMost);
        Assert.Equal(100 + 4 + 3, prompt.Counted);
    }

    [Theory]
    [InlineData("""{"model":"m","messages":[{"role":"system","content":[{"type":"text","text":"@"}]}]}""",
        WireCall.Chat, 100 + 7)]
    [InlineData("""{"model":"m","prompt":"@"}""", WireCall.Completion, 100)]
    [InlineData("""{"model":"m","prompt":["@","@"]}""", WireCall.Completion, 200)]
    [InlineData("""{"model":"m","input":["@"]}""", WireCall.Embedding, 100)]
    public void Texts_are_found_wherever_a_call_has_them(string body, object call, long counted)
    {
        var (_, prompt, bytes) = Count(body.Replace("@", Text(100), StringComparison.Ordinal), (WireCall)call);

        Assert.Equal(counted, prompt.Counted);
        Assert.InRange(prompt.AtMost, counted, bytes - 300);
    }

    [Theory]
    // Pictures, tokens that the caller made, and nothing that is a text.
    [InlineData("""
        {"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"word word word word word word"},
         {"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}
        """, WireCall.Chat)]
    [InlineData("""{"model":"m","prompt":[1,2,3]}""", WireCall.Completion)]
    [InlineData("""{"model":"m","messages":[{"role":"assistant","content":null}]}""", WireCall.Chat)]
    public void What_is_no_text_leaves_the_bound_by_bytes(string body, object call)
    {
        var (_, prompt, bytes) = Count(body, (WireCall)call);

        Assert.Equal(new(bytes, null), prompt);
    }

    [Fact]
    public void Beyond_the_routes_most_a_text_counts_by_its_bytes()
    {
        var (_, all, bytes) = Count(Chat($"\"{Text(1000)}\""));
        var (_, part, _) = Count(Chat($"\"{Text(1000)}\""), bytesMax: 1024);
        var (_, none, _) = Count(Chat($"\"{Text(1000)}\""), bytesMax: 0);

        Assert.True(all.AtMost < part.AtMost && part.AtMost < none.AtMost);
        Assert.InRange(part.AtMost, bytes - 1024, bytes - 700);
        Assert.Equal(bytes, none.AtMost);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Escapes_change_nothing_but_the_bytes_that_give_way_seed(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 50; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(
                _ => (string[])["word", " word", "\n", "\"", "\\", "\u00e9", "\U0001F600", "\t", "\ud800"])
                .Select(bits => bits[random.Next(bits.Length)]));
            var escaped = "\"" + string.Concat(
                text.Select(c => FormattableString.Invariant($"\\u{(int)c:x4}"))) + "\"";
            var (_, prompt, bytes) = Count(Chat(escaped));

            Assert.Equal(s_tokenizer.CountOf(text).Tokens + 7, prompt.Counted);
            Assert.Equal(bytes - (text.Length * 6) + s_tokenizer.CountOf(text).AtMost, prompt.AtMost);
            var raw = new ArrayPoolText(text);
            Assert.Equal(text, raw.Value);
        }
    }

    /// <summary>A text through the reader of escapes.</summary>
    private readonly struct ArrayPoolText(string text)
    {
        public string Value => JsonChars.Read(
            Encoding.ASCII.GetBytes(string.Concat(text.Select(c => FormattableString.Invariant($"\\u{(int)c:x4}")))),
            isEscaped: true);
    }

    [Fact]
    public void What_a_model_wrote_is_kept_once_whatever_it_is_called_and_up_to_a_bound()
    {
        var text = new AnswerText(40);
        string[] events =
        [
            """{"choices":[{"index":0,"delta":{"role":"assistant","content":"word"}}]}""",
            """{"choices":[{"index":0,"delta":{"content":" wo\u0072d"}}]}""",
            """{"choices":[{"index":0,"delta":{"reasoning":" hm","reasoning_content":" hm"}}]}""",
            """
            {"choices":[{"index":0,"delta":{"tool_calls":[{"id":"x1","function":{"name":"f","arguments":"{}"}}]}}]}
            """,
            """{"choices":[{"index":0,"delta":{"content":"a text that is longer than what is left"}}]}""",
        ];
        foreach (var one in events)
            AnswerScan.Read(Encoding.UTF8.GetBytes(one), wantsNames: false, text);

        Assert.Equal(("word word hmf{}", 39L), (text.Text.ToString(), text.BytesBeyond));
        text.Clear();
        Assert.Equal((0, 0L), (text.Text.Length, text.BytesBeyond));
        Assert.Equal(JsonValueKind.Object, JsonElement.Parse(events[0]).ValueKind);
    }
}
