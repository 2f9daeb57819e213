using System.Text.Json;

namespace Spillway.Transforms.Tokens;

/// <summary>
/// Reads tokenizer.json as Hugging Face's library writes it: byte-pair encoding over bytes, or over characters with
/// bytes for what is not known. What else there may be in it changes what a text becomes, so it is refused by name.
/// </summary>
internal static class HuggingFaceTokenizer
{
    private const int DepthMax = 32;
    private const int MarksMax = 20_000;

    /// <summary>Reads one; what is wrong with it is an <see cref="InvalidDataException"/>.</summary>
    /// <param name="file">All of it.</param>
    public static Tokenizer Read(ReadOnlyMemory<byte> file)
    {
        using var json = JsonDocument.Parse(file, new() { MaxDepth = DepthMax });
        var root = json.RootElement;
        if (root.ValueKind is not JsonValueKind.Object || Member(root, "model") is not { } model)
            throw new InvalidDataException("it is JSON without a member model, and no tokenizer.json");
        Known(model);
        var vocabulary = new Vocabulary();
        foreach (var token in model.GetProperty("vocab").EnumerateObject())
            vocabulary.Add(token.Name, token.Value.GetInt64());
        var merges = new MergeList(vocabulary);
        foreach (var merge in model.GetProperty("merges").EnumerateArray())
        {
            if (merge.ValueKind is JsonValueKind.String)
                merges.Add(merge.GetString()!);
            else
                merges.Add(merge[0].GetString()!, merge[1].GetString()!);
        }

        var form = new HuggingFaceForm();
        form.Normalize(Member(root, "normalizer"));
        form.Cut(Member(root, "pre_tokenizer"));
        return new(form.Patterns(), Words(form, vocabulary, merges.Merges, IsTrue(model, "ignore_merges")))
        {
            Format = "tokenizer.json", Count = vocabulary.Count, Marks = Marks(root), HasPrefix = form.HasPrefix,
            Composes = form.Composes,
        };
    }

    /// <summary>A member; null when it is not there, or null.</summary>
    public static JsonElement? Member(JsonElement of, string name) =>
        of.TryGetProperty(name, out var member) && member.ValueKind is not JsonValueKind.Null ? member : null;

    /// <summary>Whether a member is there and true.</summary>
    public static bool IsTrue(JsonElement of, string name, bool otherwise = false) =>
        Member(of, name) is { } member ? member.GetBoolean() : otherwise;

    private static WordCounter Words(
        HuggingFaceForm form, Vocabulary vocabulary, MergeTable merges, bool hasWholeWords)
    {
        if (form.IsOfBytes)
            return new ByteWords(vocabulary, merges, hasWholeWords);
        PieceWords.Check(vocabulary);
        return new CharacterWords(vocabulary, merges);
    }

    private static void Known(JsonElement model)
    {
        // Files of old do not say it.
        var type = Member(model, "type")?.GetString() ?? (Member(model, "merges") is null ? "unknown" : "BPE");
        if (type != "BPE")
            throw new InvalidDataException($"its model.type is {Short(type)}, and only BPE is known");
        foreach (var affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (Member(model, affix)?.GetString() is { Length: > 0 } text)
                throw new InvalidDataException($"its model.{affix} is '{Short(text)}', which is not known");
        }
    }

    private static HashSet<string> Marks(JsonElement root)
    {
        var marks = new HashSet<string>(StringComparer.Ordinal);
        if (Member(root, "added_tokens") is not { } added)
            return marks;
        foreach (var token in added.EnumerateArray())
        {
            if (token.GetProperty("content").GetString() is { Length: > 0 } content)
                marks.Add(content);
            if (marks.Count > MarksMax)
                throw new InvalidDataException($"it has more than {MarksMax} added_tokens");
        }

        return marks;
    }

    /// <summary>What a file says, short enough for a message.</summary>
    public static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
