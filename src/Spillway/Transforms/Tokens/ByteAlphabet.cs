namespace Spillway.Transforms.Tokens;

/// <summary>
/// The letters under which byte-level vocabularies write bytes (as GPT-2's does): those that can be seen stand for
/// themselves, the others for U+0100 onwards in their order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] s_letters = Letters();

    /// <summary>The letter of a byte.</summary>
    public static char Of(byte value) => s_letters[value];

    /// <summary>The letters of bytes.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        Span<char> letters = bytes.Length <= 1024 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
            letters[i] = s_letters[bytes[i]];
        return new(letters);
    }

    private static char[] Letters()
    {
        var letters = new char[256];
        var others = 0;
        for (var i = 0; i < letters.Length; i++)
        {
            letters[i] = i is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF)
                ? (char)i : (char)(256 + others++);
        }

        return letters;
    }
}
