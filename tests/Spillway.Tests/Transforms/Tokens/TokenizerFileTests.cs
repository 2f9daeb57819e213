using System.Text;
using Spillway.Transforms.Tokens;

namespace Spillway.Tests.Transforms.Tokens;

/// <summary>Files that lie, break off, or are something else: refused with what is wrong, and nothing more.</summary>
public sealed class TokenizerFileTests
{
    private static readonly SmallVocabulary s_small = new([("a", "b"), ("ab", "c")]);

    private static string Problem(byte[] file, string name, TokenPattern pattern = TokenPattern.Auto)
    {
        var (tokenizer, problem) = TokenizerTests.Try(file, name, pattern);
        Assert.Null(tokenizer);
        Assert.EndsWith(".", problem.TrimEnd(')'), StringComparison.Ordinal);
        return problem;
    }

    private static void Says(string expected, string problem) =>
        Assert.Contains(expected, problem, StringComparison.Ordinal);

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public void A_list_of_byte_sequences_must_say_how_it_cuts_words()
    {
        Says("tokenizerPattern (cl100k, o200k or gpt2)", Problem(s_small.Tiktoken(), "mine.tiktoken"));
        Assert.NotNull(TokenizerTests.Try(s_small.Tiktoken(), "mine.tiktoken", TokenPattern.O200k).Tokenizer);
        Assert.NotNull(TokenizerTests.Try(s_small.Tiktoken(), "o200k_base.tiktoken").Tokenizer);
    }

    [Theory]
    [InlineData("hello\n", "line 1 is not a token in base64")]
    [InlineData("YQ== 1\n????== 2\n", "line 2 is not a token in base64")]
    [InlineData("YQ== -1\n", "line 1 is not a token")]
    [InlineData("YQ== 99999999999\n", "line 1 is not a token")]
    [InlineData("YQ== 2000000\n", "the id 2000000; those from 0 to 999999")]
    [InlineData("YQ== 1\n", "none is the single byte 0x00")]
    [InlineData("", "none is the single byte 0x00")]
    public void A_broken_list_is_refused_with_its_line(string text, string says) =>
        Says(says, Problem(Json(text), "cl100k.tiktoken"));

    [Theory]
    [InlineData("{", "not formed as one")]
    [InlineData("""{"a":1}""", "no tokenizer.json")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[]}}""", "model.type is Unigram, and only BPE is known")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":1},"merges":["a b"]}}""", "merge 0 is of texts that are no")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":1},"merges":["a"]}}""", "merge 0 is not two tokens")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "the id -1")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":"x"},"merges":[]}}""", "not formed as one")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[],"end_of_word_suffix":"</w>"}}""",
        "model.end_of_word_suffix is '</w>'")]
    [InlineData("""{"normalizer":{"type":"Lowercase"},"model":{"type":"BPE","vocab":{},"merges":[]}}""",
        "normalizer has a step Lowercase that is not known")]
    [InlineData("""{"pre_tokenizer":{"type":"BertPreTokenizer"},"model":{"type":"BPE","vocab":{},"merges":[]}}""",
        "pre_tokenizer has a step BertPreTokenizer that is not known")]
    [InlineData("""
        {"pre_tokenizer":{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated"},
         "model":{"type":"BPE","vocab":{},"merges":[]}}
        """, "a pattern with signs that are not known: \\w+")]
    [InlineData("""
        {"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"ByteLevel","use_regex":false},
         {"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated"}]},
         "model":{"type":"BPE","vocab":{},"merges":[]}}
        """, "the pattern of its words is not understood")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":1},"merges":[]}}""", "neither bytes")]
    public void A_tokenizer_json_that_is_broken_or_not_known_is_refused_by_name(string text, string says) =>
        Says(says, Problem(Json(text), "tokenizer.json"));

    [Fact]
    public void A_file_that_is_not_there_or_too_large_is_said_to_be()
    {
        Says("There is no file", TokenizerFile.Load("/nowhere/at/all.gguf", TokenPattern.Auto).Problem);
        var folder = Directory.CreateTempSubdirectory("spillway-tokens-");
        var path = Path.Combine(folder.FullName, "large.tiktoken");
        using (var file = File.Create(path))
            file.SetLength(TokenizerFile.BytesMax + 1L);

        Says("at most 134,217,728 are read", TokenizerFile.Load(path, TokenPattern.Cl100k).Problem);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void What_a_gguf_file_claims_is_not_believed()
    {
        Says("claims 18446744073709551615 values", Problem(s_small.GgufWith(count: ulong.MaxValue), "m.gguf"));
        Says("claims a text of 9223372036854775807 bytes",
            Problem(new GgufWriter().Put(ulong.MaxValue / 2).End(count: 1), "m.gguf"));
        Says("claims 1000000000000 members",
            Problem(With(w => w.Texts("tokenizer.ggml.tokens", [], claimed: 1_000_000_000_000)), "m.gguf"));
        Says("in the middle",
            Problem(With(w => w.Texts("tokenizer.ggml.tokens", ["a"], claimed: 1_900_000)), "m.gguf"));
        Says("in the middle", Problem(With(w => w.Texts("passed.over", ["a"], claimed: ulong.MaxValue)), "m.gguf"));
        Says("a list of 9 members of the kind 9",
            Problem(With(w => w.Named("lists.of.lists", 9).Put(9).Put(9UL)), "m.gguf"));
        Says("a value of the kind 77", Problem(With(w => w.Named("odd", 77)), "m.gguf"));
        Says("GGUF of version 1", Problem(new GgufWriter().End(version: 1), "m.gguf"));
        Says("no text tokenizer.ggml.model", Problem(new GgufWriter().Number("a", 1).End(), "m.gguf"));
        Says("tokenizer.ggml.pre is odd, and only gpt-2", Problem(s_small.Gguf(pre: "odd"), "m.gguf"));
    }

    private static byte[] With(Func<GgufWriter, GgufWriter> more) =>
        more(new GgufWriter().Text("tokenizer.ggml.model", "gpt2").Text("tokenizer.ggml.pre", "gpt-2")).End();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_beginning_of_a_file_is_refused_or_read_and_never_throws(int format)
    {
        var (file, name) = format switch
        {
            0 => (s_small.Tiktoken(), "cl100k.tiktoken"),
            1 => (s_small.HuggingFace(), "tokenizer.json"),
            _ => (s_small.Gguf(), "m.gguf"),
        };
        var random = new Random(format);
        for (var i = 0; i < 60; i++)
        {
            var part = file.AsSpan(0, random.Next(file.Length)).ToArray();
            var (tokenizer, problem) = TokenizerTests.Try(part, name);
            Assert.Equal(tokenizer is null, problem.Length > 0);

            // And with a few bytes that are others.
            var changed = (byte[])file.Clone();
            for (var j = 0; j < 3; j++)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            (tokenizer, problem) = TokenizerTests.Try(changed, name);
            Assert.Equal(tokenizer is null, problem.Length > 0);
        }
    }
}
