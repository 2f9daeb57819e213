using System.Collections.Frozen;

namespace Spillway.Policies.Content;

/// <summary>
/// Looks for international bank account numbers (ISO 13616): a country's two letters, check digits that are right
/// modulo 97, and as many characters as that country has, in one piece or with single blanks or dashes between.
/// </summary>
internal sealed class IbanMatcher : ContentMatcher
{
    private const int CharsMax = 34;

    /// <summary>Lengths by country, from SWIFT's registry.</summary>
    private static readonly FrozenDictionary<string, int> s_lengths = (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
        + "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 "
        + "KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 "
        + "PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 "
        + "VA22 VG24 XK20 YE30")
        .Split(' ').ToFrozenDictionary(e => e[..2], e => int.Parse(e[2..], null));

    /// <inheritdoc/>
    public override int HoldCharsMax => 2 * CharsMax;

    /// <inheritdoc/>
    protected override int At(ReadOnlySpan<char> text, int at, bool isEnd)
    {
        if (!char.IsAsciiLetter(text[at]) || FollowsWord(text, at))
            return 0;
        if (at + 1 == text.Length)
            return Ends(isEnd);
        if (!s_lengths.TryGetValue(text.Slice(at, 2).ToString().ToUpperInvariant(), out var most))
            return 0;
        Span<char> account = stackalloc char[most];
        var end = Read(text, at, account, out var count);
        if (end == text.Length && !isEnd)
            return More;
        var goesOn = end < text.Length && char.IsAsciiLetterOrDigit(text[end]);
        return count == most && !goesOn && IsValid(account) ? end - at : 0;
    }

    /// <summary>Where an account ends that begins there; what it has without blanks.</summary>
    private static int Read(ReadOnlySpan<char> text, int at, Span<char> account, out int count)
    {
        count = 0;
        for (; at < text.Length && count < account.Length && Takes(text, at, count); at++)
        {
            if (char.IsAsciiLetterOrDigit(text[at]))
                account[count++] = char.ToUpperInvariant(text[at]);
        }

        return at;
    }

    /// <summary>Whether an account goes on with that character: two digits third, single blanks between.</summary>
    private static bool Takes(ReadOnlySpan<char> text, int at, int count) =>
        text[at] is ' ' or '-' or '\u00A0' ? count >= 4 && char.IsAsciiLetterOrDigit(text[at - 1])
        : count is 2 or 3 ? char.IsAsciiDigit(text[at]) : char.IsAsciiLetterOrDigit(text[at]);

    /// <summary>The first four characters behind the others, letters as 10 to 35: the number is 1 modulo 97.</summary>
    private static bool IsValid(ReadOnlySpan<char> account)
    {
        var rest = 0;
        for (var i = 0; i < account.Length; i++)
        {
            var c = account[(i + 4) % account.Length];
            rest = (char.IsAsciiDigit(c) ? (rest * 10) + c - '0' : (rest * 100) + c - 'A' + 10) % 97;
        }

        return rest == 1;
    }
}
