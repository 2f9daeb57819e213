namespace Spillway.Policies.Identity;

/// <summary>Names that go into metrics, logs and bills, and therefore hold nothing surprising.</summary>
internal static class AccessNames
{
    /// <summary>The longest name of a tenant.</summary>
    public const int TenantLengthMax = 64;

    /// <summary>The longest subject of a token.</summary>
    public const int SubjectLengthMax = 128;

    /// <summary>The longest name that a person gives a key.</summary>
    public const int KeyNameLengthMax = 100;

    /// <summary>What <see cref="IsTenant"/> takes, in words.</summary>
    public const string TenantInWords =
        "1 to 64 letters, digits, dots, underscores and dashes, a letter or digit first";

    /// <summary>Whether a text can be a tenant.</summary>
    public static bool IsTenant(ReadOnlySpan<char> text) => IsWord(text, TenantLengthMax, "._-");

    /// <summary>Whether a text can stand for a token's holder: also addresses and paths.</summary>
    public static bool IsSubject(ReadOnlySpan<char> text) => IsWord(text, SubjectLengthMax, "._-@:/|+");

    /// <summary>Whether a text can be a key's name: anything that a terminal shows in a line, or nothing.</summary>
    public static bool IsKeyName(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c) || char.IsSurrogate(c))
                return false;
        }

        return text.Length <= KeyNameLengthMax;
    }

    private static bool IsWord(ReadOnlySpan<char> text, int max, ReadOnlySpan<char> marks)
    {
        if (text.Length == 0 || text.Length > max || !char.IsAsciiLetterOrDigit(text[0]))
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !marks.Contains(c))
                return false;
        }

        return true;
    }
}
