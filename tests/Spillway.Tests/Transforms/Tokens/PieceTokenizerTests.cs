using System.Text;

namespace Spillway.Tests.Transforms.Tokens;

/// <summary>Vocabularies over characters with marked blanks, with scores and with merges.</summary>
public sealed class PieceTokenizerTests
{
    /// <summary>A word, better pieces first; what is not among them becomes bytes.</summary>
    private static readonly string[] s_tokens =
        ["\u2581hello", "\u2581he", "llo", "\u2581h", "ll", "\u2581", "h", "e", "l", "o", "w", "\u2581w"];

    private static byte[] Gguf(IEnumerable<string>? tokens = null, string model = "llama")
    {
        List<string> all = ["<unk>", "<s>", "<0x41>", .. tokens ?? s_tokens];
        return new GgufWriter().Text("tokenizer.ggml.model", model).Texts("tokenizer.ggml.tokens", all)
            .Scores("tokenizer.ggml.scores", all.Select((_, i) => -(float)i))
            .Numbers("tokenizer.ggml.token_type", all.Select((_, i) => i switch { 0 => 2, 1 => 3, 2 => 6, _ => 1 }))
            .End();
    }

    private const string HuggingFace = """
        {"added_tokens":[{"id":1,"content":"<s>","special":true}],
         "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"\u2581"},
          {"type":"Replace","pattern":{"String":" "},"content":"\u2581"}]},
         "pre_tokenizer":null,
         "model":{"type":"BPE","byte_fallback":true,"vocab":{"<unk>":0,"<s>":1,"<0x41>":2,"\u2581hello":3,"\u2581he":4,
          "llo":5,"\u2581h":6,"ll":7,"\u2581":8,"h":9,"e":10,"l":11,"o":12,"w":13,"\u2581w":14},
          "merges":["\u2581he llo","\u2581h e","ll o","\u2581 h","l l","\u2581 w"]}}
        """;

    [Theory]
    [InlineData(" hello", 1)]
    [InlineData(" hello hello", 2)]
    [InlineData("hello", 3)]
    [InlineData(" he", 1)]
    [InlineData("  w", 2)]
    // Not in the vocabulary: three bytes, and one.
    [InlineData(" \u65e5", 4)]
    [InlineData("A", 1)]
    public void Scores_and_merges_give_the_same_tokens(string text, int tokens)
    {
        var (scored, merged) = (TokenizerTests.Load(Gguf(), "m.gguf"),
            TokenizerTests.Load(Encoding.UTF8.GetBytes(HuggingFace), "tokenizer.json"));

        Assert.Equal((tokens, tokens), (scored.CountOf(text).Tokens, merged.CountOf(text).Tokens));
        // Both may put a blank before it.
        Assert.InRange(scored.CountOf(text).AtMost, tokens, Encoding.UTF8.GetByteCount(text) + 1);
        Assert.Equal(scored.CountOf(text).AtMost, merged.CountOf(text).AtMost);
    }

    [Fact]
    public void A_text_with_one_of_the_files_marks_counts_by_its_bytes()
    {
        var tokenizer = TokenizerTests.Load(Gguf(), "m.gguf");
        var text = string.Concat(Enumerable.Repeat(" hello", 20));

        Assert.Equal(1 + 6 + 18 + 6, tokenizer.CountOf(text).AtMost);
        Assert.Equal(1 + 120 + 3, tokenizer.CountOf(text + "<s>").AtMost);
    }

    [Theory]
    [InlineData("o\u2581h", "has a blank behind a letter")]
    [InlineData(null, "none of its tokens is a blank")]
    public void One_that_cannot_be_counted_word_by_word_is_refused(string? more, string says)
    {
        var tokens = more is null ? ["hello"] : s_tokens.Append(more);

        Assert.Contains(says, TokenizerTests.Try(Gguf(tokens), "m.gguf").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_kind_of_model_is_refused_by_its_name() => Assert.Contains(
        "tokenizer.ggml.model is bert, and only gpt2 and llama are known",
        TokenizerTests.Try(Gguf(model: "bert"), "m.gguf").Problem, StringComparison.Ordinal);
}
