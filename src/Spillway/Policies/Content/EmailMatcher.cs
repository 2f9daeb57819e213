namespace Spillway.Policies.Content;

/// <summary>Looks for mail addresses of the usual form (RFC 5321 without quotation marks): local@host.tld.</summary>
internal sealed class EmailMatcher : ContentMatcher
{
    private const int LocalMax = 64;
    private const int HostMax = 253;

    /// <inheritdoc/>
    public override int HoldCharsMax => LocalMax + 1 + HostMax;

    /// <inheritdoc/>
    protected override int At(ReadOnlySpan<char> text, int at, bool isEnd)
    {
        if (!IsLocal(text[at]) || (at > 0 && IsLocal(text[at - 1])))
            return 0;
        var local = Run(text[at..], LocalMax, isHost: false);
        if (at + local == text.Length)
            return Ends(isEnd);
        if (text[at + local] != '@')
            return 0;
        var host = text[(at + local + 1)..];
        var run = Run(host, HostMax, isHost: true);
        if (run == host.Length && run < HostMax && !isEnd)
            return More;
        var length = Host(host[..run]);
        return length == 0 ? 0 : local + 1 + length;
    }

    private static int Run(ReadOnlySpan<char> text, int most, bool isHost)
    {
        var i = 0;
        while (i < text.Length && i < most && (isHost ? IsHost(text[i]) : IsLocal(text[i])))
            i++;
        return i;
    }

    /// <summary>The longest beginning that is a host with a top-level domain.</summary>
    private static int Host(ReadOnlySpan<char> text)
    {
        while (text.LastIndexOf('.') is > 0 and var dot)
        {
            var name = text[..dot];
            if (IsTop(text[(dot + 1)..]) && name.IndexOf("..") < 0 && name[0] != '.' && name[^1] != '.')
                return text.Length;
            text = name;
        }

        return 0;
    }

    private static bool IsTop(ReadOnlySpan<char> label)
    {
        if (label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase))
            return label.Length > 4;
        foreach (var c in label)
        {
            if (!char.IsAsciiLetter(c))
                return false;
        }

        return label.Length >= 2;
    }

    private static bool IsLocal(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '%' or '+' or '-';

    private static bool IsHost(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.';
}
