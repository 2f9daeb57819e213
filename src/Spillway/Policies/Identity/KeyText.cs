using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Spillway.Policies.Identity;

/// <summary>The parts of a key's text that lie in it.</summary>
internal readonly ref struct KeyParts
{
    /// <summary>The label.</summary>
    public ReadOnlySpan<char> Environment { get; init; }

    /// <summary>The public part.</summary>
    public ReadOnlySpan<char> Id { get; init; }
}

/// <summary>
/// The text of a key: <c>sw_ENV_ID_SECRET_CHECKSUM</c>. The prefix lets scanners for leaked secrets find it; the
/// checksum, CRC-32 of all before it in base 62, finds every mistyped key without a look-up: CRC-32 finds any single
/// changed character for certain. Pure but for the randomness of a new key, which is the system's.
/// </summary>
internal static class KeyText
{
    /// <summary>What every key begins with.</summary>
    public const string Prefix = "sw_";

    /// <summary>Letters and digits of an id: 60 bits, enough that ids do not meet by chance.</summary>
    public const int IdLength = 12;

    /// <summary>The longest label.</summary>
    public const int EnvironmentLengthMax = 16;

    /// <summary>Letters and digits of a secret: 43 of 62 kinds are 256 bits.</summary>
    private const int SecretLength = 43;

    private const int ChecksumLength = 6;
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    // Without 0, 1, 8 and 9, which are easily read as letters.
    private const string Base32 = "abcdefghijklmnopqrstuvwxyz234567";

    private static readonly SearchValues<char> s_base62 = SearchValues.Create(Base62);
    private static readonly SearchValues<char> s_base32 = SearchValues.Create(Base32);

    /// <summary>The longest key.</summary>
    public static int LengthMax { get; } =
        Prefix.Length + EnvironmentLengthMax + 1 + IdLength + 1 + SecretLength + 1 + ChecksumLength;

    /// <summary>A new id.</summary>
    public static string NewId() => RandomNumberGenerator.GetString(Base32, IdLength);

    /// <summary>A key with a new secret.</summary>
    public static string Create(string environment, string id)
    {
        var text = new StringBuilder(LengthMax).Append(Prefix).Append(environment).Append('_').Append(id).Append('_')
            .Append(RandomNumberGenerator.GetString(Base62, SecretLength));
        Span<char> checksum = stackalloc char[ChecksumLength];
        WriteChecksum(text.ToString(), checksum);
        return text.Append('_').Append(checksum).ToString();
    }

    /// <summary>Whether a text is meant to be a key, right or wrong.</summary>
    public static bool IsMeant(ReadOnlySpan<char> text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Takes a key apart; false when its form or its checksum is wrong.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out KeyParts parts)
    {
        parts = default;
        const int Behind = 1 + IdLength + 1 + SecretLength + 1 + ChecksumLength;
        var length = text.Length - Prefix.Length - Behind;
        if (length is < 1 or > EnvironmentLengthMax || !IsMeant(text))
            return false;
        var environment = text.Slice(Prefix.Length, length);
        var rest = text[(Prefix.Length + length)..];
        var id = rest.Slice(1, IdLength);
        var secret = rest.Slice(1 + IdLength + 1, SecretLength);
        if (rest[0] != '_' || rest[1 + IdLength] != '_' || rest[^(ChecksumLength + 1)] != '_'
            || !IsEnvironment(environment) || id.ContainsAnyExcept(s_base32) || secret.ContainsAnyExcept(s_base62))
            return false;
        Span<char> checksum = stackalloc char[ChecksumLength];
        WriteChecksum(text[..^(ChecksumLength + 1)], checksum);
        if (!checksum.SequenceEqual(text[^ChecksumLength..]))
            return false;
        parts = new() { Environment = environment, Id = id };
        return true;
    }

    /// <summary>Whether a text can be a label: 1 to 16 small letters and digits.</summary>
    public static bool IsEnvironment(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c))
                return false;
        }

        return text.Length is >= 1 and <= EnvironmentLengthMax;
    }

    /// <summary>Whether a text can be an id.</summary>
    public static bool IsId(ReadOnlySpan<char> text) => text.Length == IdLength && !text.ContainsAnyExcept(s_base32);

    private static void WriteChecksum(ReadOnlySpan<char> text, Span<char> into)
    {
        var rest = Crc32(text);
        for (var i = into.Length - 1; i >= 0; i--)
        {
            into[i] = Base62[(int)(rest % 62)];
            rest /= 62;
        }
    }

    /// <summary>CRC-32 of ISO 3309, as PNG and zip have it; a bit at a time, which 70 characters bear.</summary>
    private static uint Crc32(ReadOnlySpan<char> ascii)
    {
        var crc = uint.MaxValue;
        foreach (var c in ascii)
        {
            crc ^= c;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
        }

        return ~crc;
    }
}
