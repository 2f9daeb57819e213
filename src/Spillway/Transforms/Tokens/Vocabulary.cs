using System.Text;

namespace Spillway.Transforms.Tokens;

/// <summary>
/// The symbols of a vocabulary while it is read, and after that those that a text begins with. A symbol that only takes
/// part in merges and is no token itself has a number all the same.
/// </summary>
internal sealed class Vocabulary
{
    /// <summary>The most tokens: three times the largest vocabularies in use.</summary>
    public const int TokensMax = 1_000_000;

    /// <summary>The longest token; the longest in use are runs of blanks and dashes.</summary>
    public const int TokenCharsMax = 512;

    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _spans;
    private readonly List<int> _partBytes = [];

    /// <summary>Begins with nothing.</summary>
    public Vocabulary() => _spans = _ids.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>How many tokens.</summary>
    public int Count => _ids.Count - _partBytes.Count;

    /// <summary>Its tokens with their ids, in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, int>> Tokens => [.. _ids.Where(t => IsToken(t.Value))];

    /// <summary>Adds a token; what is wrong with it is an <see cref="InvalidDataException"/>.</summary>
    /// <param name="text">As the file writes it.</param>
    /// <param name="id">Its id, from 0.</param>
    public void Add(string text, long id)
    {
        if (id is < 0 or >= TokensMax)
            throw new InvalidDataException($"a token has the id {id}; those from 0 to {TokensMax - 1} are read");
        if (text.Length is 0 or > TokenCharsMax)
        {
            throw new InvalidDataException(
                $"the token {id} has {text.Length} characters; 1 to {TokenCharsMax} are read");
        }

        _ids.TryAdd(text, (int)id);
    }

    /// <summary>The id of a text; negative when it is none.</summary>
    public int Find(ReadOnlySpan<char> text) => _spans.TryGetValue(text, out var id) ? id : -1;

    /// <summary>The id of a text; if it is no token, a number of its own.</summary>
    public int FindOrMake(ReadOnlySpan<char> text)
    {
        if (_spans.TryGetValue(text, out var id))
            return id;
        id = TokensMax + _partBytes.Count;
        _ids.Add(text.ToString(), id);
        _partBytes.Add(Encoding.UTF8.GetByteCount(text));
        return id;
    }

    /// <summary>Tokens that a symbol becomes: one, or its bytes where it is none.</summary>
    /// <param name="symbol">As <see cref="Find"/> and <see cref="FindOrMake"/> give them; a negative one stands for as
    /// many bytes.</param>
    public int TokensOf(int symbol) =>
        symbol < 0 ? -symbol : IsToken(symbol) ? 1 : _partBytes[symbol - TokensMax];

    /// <summary>Whether a symbol is a token, and no mere part of one.</summary>
    public static bool IsToken(int symbol) => symbol is >= 0 and < TokensMax;
}
