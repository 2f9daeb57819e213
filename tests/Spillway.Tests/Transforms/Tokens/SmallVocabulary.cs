using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Spillway.Transforms.Tokens;

namespace Spillway.Tests.Transforms.Tokens;

/// <summary>
/// A vocabulary over bytes that fits in a test: every single byte, and tokens that were made by merging two others. It
/// can be written in each format, and counts by itself, word by word, in the slowest and plainest way.
/// </summary>
/// <param name="merges">Pairs in the order of their rank; each part is a byte or was made before.</param>
internal sealed class SmallVocabulary(IReadOnlyList<(string Left, string Right)> merges)
{
    /// <summary>Bytes in the order of GPT-2's: those that can be seen first.</summary>
    private static readonly int[] s_bytes =
    [
        .. Enumerable.Range(0, 256).Where(IsSeen), .. Enumerable.Range(0, 256).Where(b => !IsSeen(b)),
    ];

    public IReadOnlyList<(string Left, string Right)> Merges => merges;

    /// <summary>Its tokens, in letters; the id of each is its place.</summary>
    public IReadOnlyList<string> Tokens { get; } =
    [
        .. s_bytes.Select(b => ByteAlphabet.Of((byte)b).ToString()), .. merges.Select(m => m.Left + m.Right),
    ];

    /// <summary>One with merges that texts of these words would give it, drawn at random.</summary>
    public static SmallVocabulary Draw(Random random, params string[] words)
    {
        var made = new List<(string, string)>();
        var known = new HashSet<string>();
        var texts = words.Select(w => w.Select(c => c.ToString()).ToList()).ToList();
        for (var i = 0; i < 200; i++)
        {
            var text = texts[random.Next(texts.Count)];
            if (text.Count < 2)
                continue;
            var at = random.Next(text.Count - 1);
            var (left, right) = (text[at], text[at + 1]);
            if (known.Add(left + right))
                made.Add((left, right));
            text[at] += right;
            text.RemoveAt(at + 1);
        }

        return new(made);
    }

    /// <summary>Text in letters.</summary>
    public static string Letters(string text) => ByteAlphabet.Of(Encoding.UTF8.GetBytes(text));

    public byte[] Tiktoken() => Encoding.ASCII.GetBytes(string.Concat(
        Tokens.Select((t, rank) => FormattableString.Invariant($"{Convert.ToBase64String(Bytes(t))} {rank}\n"))));

    public byte[] HuggingFace(bool pairs = false, string normalizer = "null", string marks = "[]") =>
        Encoding.UTF8.GetBytes(
        $$"""
        {"version":"1.0","added_tokens":{{marks}},"normalizer":{{normalizer}},
         "pre_tokenizer":{"type":"Sequence","pretokenizers":[
          {"type":"Split","pattern":{"Regex":{{JsonSerializer.Serialize(TokenPatterns.Cl100k)}}},
           "behavior":"Isolated","invert":false},
          {"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]},
         "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"",
          "ignore_merges":false,"vocab":{{JsonSerializer.Serialize(Ids())}},"merges":{{List(pairs)}} } }
        """);

    public byte[] Gguf(string pre = "gpt-2") => Writer(pre).End();

    public byte[] GgufWith(ulong count) => Writer("gpt-2").End(count);

    private GgufWriter Writer(string pre) => new GgufWriter()
        .Text("general.name", "small").Number("general.count", 7)
        .Text("tokenizer.ggml.model", "gpt2").Text("tokenizer.ggml.pre", pre)
        .Texts("tokenizer.ggml.tokens", Tokens).Numbers("tokenizer.ggml.token_type", Tokens.Select(_ => 1))
        .Texts("tokenizer.ggml.merges", merges.Select(m => $"{m.Left} {m.Right}"));

    /// <summary>Tokens of a word, by trying all pairs again after each merge.</summary>
    public int Count(string word, bool byBytes)
    {
        var ids = Ids();
        var parts = Letters(word).Select(c => c.ToString()).ToList();
        // A word that is a token is one in a list of byte sequences.
        if (byBytes && ids.ContainsKey(Letters(word)))
            return 1;
        while (true)
        {
            var (rank, at) = (int.MaxValue, -1);
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                if (Rank(parts[i], parts[i + 1], ids, byBytes) is >= 0 and var found && found < rank)
                    (rank, at) = (found, i);
            }

            if (at < 0)
                return parts.Count;
            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
        }
    }

    private int Rank(string left, string right, Dictionary<string, int> ids, bool byBytes)
    {
        if (byBytes)
            return ids.GetValueOrDefault(left + right, -1);
        for (var i = 0; i < merges.Count; i++)
        {
            if (merges[i] == (left, right))
                return i;
        }

        return -1;
    }

    private Dictionary<string, int> Ids() => Tokens.Select((t, i) => (t, i)).ToDictionary(t => t.t, t => t.i);

    private string List(bool pairs) => pairs
        ? JsonSerializer.Serialize(merges.Select(m => new[] { m.Left, m.Right }))
        : JsonSerializer.Serialize(merges.Select(m => $"{m.Left} {m.Right}"));

    private static byte[] Bytes(string letters) =>
        [.. letters.Select(c => (byte)Enumerable.Range(0, 256).First(b => ByteAlphabet.Of((byte)b) == c))];

    private static bool IsSeen(int value) => ByteAlphabet.Of((byte)value) == value;
}

/// <summary>Writes the beginning of a GGUF file, also one that lies.</summary>
internal sealed class GgufWriter
{
    private readonly List<byte> _values = [];
    private ulong _count;

    public GgufWriter Text(string name, string value) => Named(name, 8).Put(value);

    public GgufWriter Number(string name, int value) => Named(name, 5).Put(value);

    public GgufWriter Texts(string name, IEnumerable<string> values, ulong? claimed = null)
    {
        var all = values.ToList();
        Named(name, 9).Put(8).Put(claimed ?? (ulong)all.Count);
        all.ForEach(v => Put(v));
        return this;
    }

    public GgufWriter Numbers(string name, IEnumerable<int> values)
    {
        var all = values.ToList();
        Named(name, 9).Put(5).Put((ulong)all.Count);
        all.ForEach(v => Put(v));
        return this;
    }

    public GgufWriter Scores(string name, IEnumerable<float> values)
    {
        var all = values.ToList();
        Named(name, 9).Put(6).Put((ulong)all.Count);
        all.ForEach(v => Put(BitConverter.SingleToInt32Bits(v)));
        return this;
    }

    /// <summary>A name and the kind of its value.</summary>
    public GgufWriter Named(string name, int kind)
    {
        _count++;
        return Put(name).Put(kind);
    }

    public GgufWriter Put(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        _values.AddRange(bytes);
        return this;
    }

    public GgufWriter Put(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        _values.AddRange(bytes);
        return this;
    }

    public GgufWriter Put(string text)
    {
        Put((ulong)Encoding.UTF8.GetByteCount(text));
        _values.AddRange(Encoding.UTF8.GetBytes(text));
        return this;
    }

    public byte[] End(ulong? count = null, int version = 3)
    {
        var head = new GgufWriter().Put(version).Put(0UL).Put(count ?? _count);
        return [.. "GGUF"u8, .. head._values, .. _values];
    }
}
