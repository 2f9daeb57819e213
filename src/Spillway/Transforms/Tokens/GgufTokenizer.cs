namespace Spillway.Transforms.Tokens;

/// <summary>Reads the vocabulary at the beginning of a model in the format of llama.cpp.</summary>
internal static class GgufTokenizer
{
    private const string Model = "tokenizer.ggml.model";
    private const string Pre = "tokenizer.ggml.pre";
    private const string Tokens = "tokenizer.ggml.tokens";
    private const string Types = "tokenizer.ggml.token_type";
    private const string Scores = "tokenizer.ggml.scores";
    private const string Merges = "tokenizer.ggml.merges";

    /// <summary>Kinds of tokens: the model's own words; all others are marks, and single bytes.</summary>
    private const float Normal = 1;
    private const float Byte = 6;

    private static readonly HashSet<string> s_ofBytes = [Model, Pre, Tokens, Types, Merges];
    private static readonly HashSet<string> s_ofPieces = [Model, Tokens, Types, Scores];

    /// <summary>Reads one; what is wrong with it is an <see cref="InvalidDataException"/>.</summary>
    /// <param name="file">Behind its first four bytes.</param>
    public static Tokenizer Read(Stream file)
    {
        var at = file.Position;
        var model = Text(new GgufHead(file).Read(new HashSet<string> { Model }), Model);
        file.Position = at;
        return model switch
        {
            "gpt2" => OfBytes(new GgufHead(file).Read(s_ofBytes)),
            "llama" => OfPieces(new GgufHead(file).Read(s_ofPieces)),
            _ => throw new InvalidDataException(
                $"its {Model} is {HuggingFaceTokenizer.Short(model)}, and only gpt2 and llama are known"),
        };
    }

    private static Tokenizer OfBytes(Dictionary<string, object> values)
    {
        var pre = Text(values, Pre);
        var patterns = TokenPatterns.OfGguf(pre);
        if (patterns.Length == 0)
        {
            throw new InvalidDataException($"its {Pre} is {HuggingFaceTokenizer.Short(pre)}, and only "
                + $"{TokenPatterns.GgufKnown} are known");
        }

        var (vocabulary, marks) = Words(values, isMark: type => type != Normal, hasMarks: true);
        var merges = new MergeList(vocabulary);
        foreach (var merge in List<string>(values, Merges))
            merges.Add(merge);
        return new(patterns, new ByteWords(vocabulary, merges.Merges, pre is "llama-bpe" or "llama3" or "tekken"))
        {
            Format = "GGUF", Count = vocabulary.Count, Marks = marks,
        };
    }

    private static Tokenizer OfPieces(Dictionary<string, object> values)
    {
        // Those that stand for one byte are written as <0x41> and are no text.
        var (vocabulary, marks) = Words(values, isMark: type => type is not (Normal or Byte), hasMarks: false);
        PieceWords.Check(vocabulary);
        var scores = List<float>(values, Scores);
        if (scores.Count != List<string>(values, Tokens).Count)
            throw new InvalidDataException($"it has {scores.Count} {Scores} for another number of tokens");
        return new([PieceWords.WithBlanks], new CharacterWords(vocabulary, PieceWords.Scored(vocabulary, scores)))
        {
            Format = "GGUF", Count = vocabulary.Count, HasPrefix = true,
            // Runs of blanks are marks of some, and stand in texts as blanks.
            Marks = [.. marks, .. marks.Where(m => m.Contains(CharacterWords.Blank)).Select(
                m => m.Replace(CharacterWords.Blank, ' '))],
        };
    }

    private static (Vocabulary Vocabulary, HashSet<string> Marks) Words(
        Dictionary<string, object> values, Func<float, bool> isMark, bool hasMarks)
    {
        var (vocabulary, marks) = (new Vocabulary(), new HashSet<string>(StringComparer.Ordinal));
        var (tokens, types) = (List<string>(values, Tokens), List<float>(values, Types));
        if (types.Count != tokens.Count)
            throw new InvalidDataException($"it has {types.Count} {Types} for {tokens.Count} tokens");
        for (var id = 0; id < tokens.Count; id++)
        {
            if (isMark(types[id]))
                marks.Add(tokens[id]);
            if (types[id] == Normal || (hasMarks && tokens[id].Length is > 0 and <= Vocabulary.TokenCharsMax))
                vocabulary.Add(tokens[id], id);
        }

        marks.Remove("");
        return (vocabulary, marks);
    }

    private static string Text(Dictionary<string, object> values, string name) =>
        values.GetValueOrDefault(name) as string
        ?? throw new InvalidDataException($"it has no text {name}");

    private static List<T> List<T>(Dictionary<string, object> values, string name) =>
        values.GetValueOrDefault(name) as List<T>
        ?? throw new InvalidDataException($"it has no list {name}, or one of another kind");
}
