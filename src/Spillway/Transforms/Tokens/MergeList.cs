namespace Spillway.Transforms.Tokens;

/// <summary>Reads pairs as vocabularies list them, in the order of their rank.</summary>
/// <param name="vocabulary">Its tokens.</param>
internal sealed class MergeList(Vocabulary vocabulary)
{
    /// <summary>The most pairs: four times the longest list in use.</summary>
    public const int PairsMax = 2_000_000;

    private int _rank;

    /// <summary>The pairs.</summary>
    public MergeTable Merges { get; } = new();

    /// <summary>A pair as one text with a blank between both.</summary>
    public void Add(string pair)
    {
        // A part may hold no blank; byte-level vocabularies write it as another letter, others as U+2581.
        var blank = pair.IndexOf(' ', StringComparison.Ordinal);
        if (blank < 1 || blank != pair.LastIndexOf(' ') || blank == pair.Length - 1)
            throw new InvalidDataException($"merge {_rank} is not two tokens with a blank between them");
        Add(pair[..blank], pair[(blank + 1)..]);
    }

    /// <summary>A pair.</summary>
    public void Add(string left, string right)
    {
        if (_rank == PairsMax)
            throw new InvalidDataException($"it has more than {PairsMax} merges");
        var (a, b) = (vocabulary.Find(left), vocabulary.Find(right));
        var merged = vocabulary.Find(left + right);
        if (a < 0 || b < 0 || merged < 0)
        {
            throw new InvalidDataException(
                $"merge {_rank} is of texts that are no tokens, or makes one that is none");
        }

        Merges.Add(a, b, _rank++, merged);
    }
}
