using System.Text.Json;

namespace Spillway.Transforms.Tokens;

/// <summary>
/// What a tokenizer.json does with a text before it merges: its normalizer and its pre_tokenizer. Steps that are not
/// known are an <see cref="InvalidDataException"/> with their name.
/// </summary>
internal sealed class HuggingFaceForm
{
    /// <summary>The longest pattern, and the most.</summary>
    private const int PatternCharsMax = 4096;

    private const int PatternsMax = 16;

    private readonly List<string> _patterns = [];
    private bool _marksBlanks;

    /// <summary>Whether bytes are its first symbols.</summary>
    public bool IsOfBytes { get; private set; }

    /// <summary>Whether a blank may come before a text.</summary>
    public bool HasPrefix { get; private set; }

    /// <summary>Whether texts are composed (NFC).</summary>
    public bool Composes { get; private set; }

    /// <summary>What makes words.</summary>
    public IReadOnlyList<string> Patterns()
    {
        if (!IsOfBytes && !_marksBlanks)
        {
            throw new InvalidDataException(
                "its symbols are neither bytes (a pre_tokenizer ByteLevel) nor characters with marked blanks");
        }

        return IsOfBytes || _patterns.Count > 0 ? _patterns : [PieceWords.WithBlanks];
    }

    /// <summary>Reads the member normalizer.</summary>
    public void Normalize(JsonElement? normalizer)
    {
        if (normalizer is not { } step)
            return;
        switch (step.GetProperty("type").GetString())
        {
            case "Sequence":
                foreach (var part in step.GetProperty("normalizers").EnumerateArray())
                    Normalize(part);
                break;
            case "NFC":
                Composes = true;
                break;
            case "Prepend" when IsMark(step.GetProperty("prepend")):
                HasPrefix = true;
                break;
            case "Replace" when IsText(step.GetProperty("pattern"), " ")
                && IsMark(step.GetProperty("content")):
                _marksBlanks = true;
                break;
            case var type:
                throw new InvalidDataException(
                    $"its normalizer has a step {HuggingFaceTokenizer.Short(type ?? "")} that is not known");
        }
    }

    /// <summary>Reads the member pre_tokenizer.</summary>
    public void Cut(JsonElement? cutter)
    {
        if (cutter is not { } step)
            return;
        switch (step.GetProperty("type").GetString())
        {
            case "Sequence":
                foreach (var part in step.GetProperty("pretokenizers").EnumerateArray())
                    Cut(part);
                break;
            case "ByteLevel":
                ByteLevel(step);
                break;
            case "Digits":
                Add(HuggingFaceTokenizer.IsTrue(step, "individual_digits") ? TokenPatterns.Digit : @"\p{N}+");
                break;
            case "Metaspace":
                Metaspace(step);
                break;
            case "Split":
                SplitBy(step);
                break;
            case var type:
                throw new InvalidDataException(
                    $"its pre_tokenizer has a step {HuggingFaceTokenizer.Short(type ?? "")} that is not known");
        }
    }

    private void ByteLevel(JsonElement step)
    {
        IsOfBytes = true;
        HasPrefix |= HuggingFaceTokenizer.IsTrue(step, "add_prefix_space", otherwise: true);
        if (HuggingFaceTokenizer.IsTrue(step, "use_regex", otherwise: true))
            Add(TokenPatterns.Gpt2);
    }

    private void Metaspace(JsonElement step)
    {
        if (!IsMark(step.GetProperty("replacement")))
            throw new InvalidDataException("its pre_tokenizer has a step Metaspace with a mark that is not U+2581");
        (_marksBlanks, HasPrefix) = (true, true);
        Add(HuggingFaceTokenizer.IsTrue(step, "split", otherwise: true)
            ? PieceWords.WithBlank : PieceWords.WithBlanks);
    }

    private static bool IsMark(JsonElement text) => text.GetString() == "\u2581";

    private void SplitBy(JsonElement step)
    {
        var pattern = step.GetProperty("pattern");
        // All blanks are marked by then: it finds none.
        if (_marksBlanks && IsText(pattern, " "))
            return;
        var (behavior, inverts) =
            (step.GetProperty("behavior").GetString(), HuggingFaceTokenizer.IsTrue(step, "invert"));
        // What is removed between matches would only make fewer tokens.
        if (!(behavior == "Isolated" || (behavior == "Removed" && inverts))
            || HuggingFaceTokenizer.Member(pattern, "Regex")?.GetString() is not { } regex)
        {
            throw new InvalidDataException("its pre_tokenizer has a step Split with the behavior "
                + $"{HuggingFaceTokenizer.Short(behavior ?? "")} or a pattern that is no Regex, which is not known");
        }

        Add(Checked(regex));
    }

    private void Add(string pattern)
    {
        if (_patterns.Count == PatternsMax)
            throw new InvalidDataException($"its pre_tokenizer has more than {PatternsMax} steps");
        _patterns.Add(pattern);
    }

    private static bool IsText(JsonElement pattern, string text) =>
        HuggingFaceTokenizer.Member(pattern, "String")?.GetString() == text;

    /// <summary>A pattern that means the same here as there: with none of the signs in which the two differ.</summary>
    private static string Checked(string regex)
    {
        var isKnown = regex.Length <= PatternCharsMax && !regex.Contains("[[:", StringComparison.Ordinal)
            && !regex.Contains("&&", StringComparison.Ordinal) && !regex.Contains("-[", StringComparison.Ordinal);
        for (var i = 0; isKnown && i + 1 < regex.Length; i++)
        {
            if (regex[i] == '\\')
                isKnown = regex[++i] is 'p' or 'P' or 's' or 'S' or 'd' or 'D' or 'r' or 'n' or 't'
                    || !char.IsAsciiLetterOrDigit(regex[i]);
        }

        return isKnown ? regex : throw new InvalidDataException(
            $"its pre_tokenizer has a pattern with signs that are not known: {HuggingFaceTokenizer.Short(regex)}");
    }
}
