using System.Text;
using System.Text.RegularExpressions;
using Spillway.Transforms.Tokens;

namespace Spillway.Tests.Transforms.Tokens;

/// <summary>What a text is counted as, and that its bound holds wherever the text stands.</summary>
public sealed class TokenizerTests
{
    /// <summary>
    /// Those tokens of cl100k_base that lie inside "hello", " world", " tokenizers", "don" and "'t", with their ranks.
    /// </summary>
    private static readonly (string Text, int Rank)[] s_cl100k =
    [
        ("he", 383), ("hel", 50222), ("hell", 57195), ("hello", 15339), ("el", 301), ("ell", 616), ("ello", 4896),
        ("ll", 657), ("lo", 385), (" w", 289), (" wo", 24670), (" wor", 4191), (" world", 1917), ("wo", 1146),
        ("wor", 50810), ("world", 14957), ("or", 269), ("orld", 1410), ("rl", 2438), ("ld", 509), (" t", 259),
        (" to", 311), (" tok", 9825), (" token", 4037), (" tokenize", 78751), (" tokenizer", 47058), ("to", 998),
        ("tok", 30694), ("token", 5963), ("tokenizer", 86693), ("ok", 564), ("oke", 4845), ("oken", 1713),
        ("ke", 441), ("ken", 2779), ("en", 268), ("eni", 34229), ("ni", 7907), ("iz", 450), ("ize", 553),
        ("izer", 3213), ("izers", 12509), ("ze", 3059), ("zer", 7215), ("zers", 60719), ("er", 261), ("ers", 388),
        ("rs", 5544), ("do", 3055), ("don", 15357), ("on", 263), ("'t", 956),
    ];

    private static Tokenizer Cl100k()
    {
        var bytes = new SmallVocabulary([]).Tiktoken();
        var lines = s_cl100k.Select(t => FormattableString.Invariant(
            $"{Convert.ToBase64String(Encoding.UTF8.GetBytes(t.Text))} {t.Rank}\n"));
        return TiktokenTokenizer.Read(
            [.. bytes, .. Encoding.ASCII.GetBytes(string.Concat(lines))], TokenPatterns.Cl100k);
    }

    internal static Tokenizer Load(byte[] file, string name = "small_cl100k.tiktoken")
    {
        var (tokenizer, problem) = Try(file, name);
        Assert.True(tokenizer is not null, problem);
        return tokenizer;
    }

    internal static (Tokenizer? Tokenizer, string Problem) Try(
        byte[] file, string name = "small_cl100k.tiktoken", TokenPattern pattern = TokenPattern.Auto)
    {
        var folder = Directory.CreateTempSubdirectory("spillway-tokens-");
        try
        {
            var path = Path.Combine(folder.FullName, name);
            File.WriteAllBytes(path, file);
            return TokenizerFile.Load(path, pattern);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("hello world", 2)]
    [InlineData("hello", 1)]
    [InlineData(" world world", 2)]
    [InlineData(" tokenizers", 2)]
    [InlineData("don't", 2)]
    [InlineData("", 0)]
    public void Known_texts_have_the_tokens_that_cl100k_gives_them(string text, int tokens) =>
        Assert.Equal(tokens, Cl100k().CountOf(text).Tokens);

    [Fact]
    public void A_bound_is_the_first_and_the_last_word_in_bytes_and_the_others_in_tokens()
    {
        var tokenizer = Cl100k();
        var text = "hello" + string.Concat(Enumerable.Repeat(" world", 50)) + " token";

        Assert.Equal(new(52, 5 + 50 + 6), tokenizer.CountOf(text));
        // With a mark in it, it may be cut in another way.
        Assert.Equal(Encoding.UTF8.GetByteCount(text) + 6, tokenizer.CountOf(text + "<|im_x").AtMost);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Each_format_counts_as_the_plainest_way_does_seed(int seed)
    {
        var random = new Random(seed);
        var vocabulary = SmallVocabulary.Draw(random, Words(random, 30));
        var (list, hub, gguf) = (Load(vocabulary.Tiktoken()), Load(vocabulary.HuggingFace(), "tokenizer.json"),
            Load(vocabulary.Gguf("qwen2"), "m.gguf"));
        var pairs = Load(vocabulary.HuggingFace(pairs: true), "tokenizer.json");
        for (var i = 0; i < 100; i++)
        {
            var text = Text(random);
            var words = Regex.Matches(text, TokenPatterns.Cl100k).Select(m => m.Value).ToList();
            Assert.Equal(text, string.Concat(words));

            Assert.Equal(words.Sum(w => vocabulary.Count(w, byBytes: true)), list.CountOf(text).Tokens);
            Assert.Equal(words.Sum(w => vocabulary.Count(w, byBytes: false)), hub.CountOf(text).Tokens);
            Assert.Equal(hub.CountOf(text), pairs.CountOf(text));
            // Qwen's pattern has every digit by itself, and there is no merge of two digits.
            Assert.Equal(hub.CountOf(text).Tokens, gguf.CountOf(text).Tokens);
        }
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    [InlineData(16)]
    public void Texts_in_a_template_never_have_more_tokens_than_their_bounds_and_its_own_bytes_seed(int seed)
    {
        var random = new Random(seed);
        // Words that reach over what stands between texts in templates, to be as bad as can be.
        var vocabulary = SmallVocabulary.Draw(random, [.. Words(random, 25), "\u010A\u010Aab", "]\u0120a", "\u0120[b"]);
        var tokenizer = Load(vocabulary.Tiktoken());
        (string Before, string After)[] templates =
            [("user\n", "\n"), ("\n\n", ""), ("[INST] ", " [/INST]"), ("User: ", "\n\nAssistant:"), ("", "")];
        for (var i = 0; i < 150; i++)
        {
            var (before, after) = templates[random.Next(templates.Length)];
            var texts = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Text(random)).ToList();
            var whole = string.Concat(texts.Select(t => before + t + after));
            var truth = Regex.Matches(whole, TokenPatterns.Cl100k)
                .Sum(m => vocabulary.Count(m.Value, byBytes: true));

            var most = texts.Sum(t => tokenizer.CountOf(t).AtMost)
                + (texts.Count * Encoding.UTF8.GetByteCount(before + after));
            Assert.True(truth <= most, $"{truth} tokens, bound {most}: {whole}");
        }
    }

    [Fact]
    public void A_text_of_one_word_takes_no_time_to_speak_of_and_is_bound_by_its_bytes()
    {
        var tokenizer = Cl100k();
        var text = string.Concat(Enumerable.Repeat("hell", 50_000));

        // With time in its square this would take half an hour.
        var count = tokenizer.CountOf(text);

        Assert.Equal(200_000, count.AtMost);
        Assert.InRange(count.Tokens, 50_000, 60_000);
    }

    [Fact]
    public void Counting_allocates_nothing_for_a_word()
    {
        var tokenizer = Cl100k();
        var text = string.Concat(Enumerable.Repeat("hello world, don't tokenizers 123\n", 40));
        for (var i = 0; i < 30; i++)
            tokenizer.CountOf(text);

        var before = GC.GetAllocatedBytesForCurrentThread();
        tokenizer.CountOf(text);

        // Of 480 words; a pattern that is compiled may take a runner of its own once.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400);
    }

    [Theory]
    // Elsewhere such a character is one; a pattern must not see its halves.
    [InlineData("\U0001F600abc", 1)]
    [InlineData("\U0001F600 abc", 2)]
    [InlineData("x\U00020000y", 1)]
    [InlineData("a\U0001F3F7b", 2)]
    public void Words_are_cut_by_characters_also_beyond_the_first_65536(string text, int words)
    {
        var shape = new char[text.Length];
        var starts = new int[text.Length + 1];

        var length = TextShape.Write(text, shape, starts);

        Assert.Equal(words, Regex.Count(shape.AsSpan(0, length), TokenPatterns.Cl100k));
        Assert.Equal(text.Length, starts[length]);
    }

    [Theory]
    [InlineData("plain \u00e9 \u65e5\u672c \ud55c \u0431 \U0001F600", true)]
    [InlineData("e\u0301", false)]
    [InlineData("\u1100\u1161", false)]
    [InlineData("\u2126", false)]
    [InlineData("\U0001D15E", false)]
    public void What_composing_may_change_is_known(string text, bool isSure) =>
        Assert.Equal(isSure, ComposedText.IsSure(text));

    [Fact]
    public void Where_texts_are_composed_first_what_may_grow_is_bound_by_three_times_its_bytes()
    {
        var composes = Load(new SmallVocabulary([]).HuggingFace(normalizer: """{"type":"NFC"}"""), "tokenizer.json");

        Assert.Equal(4 * 3, composes.CountOf("\U0001D15E").AtMost);
        Assert.Equal(6, composes.CountOf("simple").AtMost);
    }

    private static string[] Words(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => SmallVocabulary.Letters(Word(random)))];

    private static string Word(Random random) => string.Concat(
        random.Next(2) == 0 ? " " : "",
        new string([.. Enumerable.Range(0, random.Next(2, 7)).Select(_ => "abc"[random.Next(3)])]));

    private static string Text(Random random)
    {
        string[] bits = [" ", "\n", "1", "23", "!", "?!", "\u00e9", "\u65e5\u672c", "'t", "  ", ".\n\n"];
        return string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(
            _ => random.Next(3) == 0 ? bits[random.Next(bits.Length)] : Word(random)));
    }
}
