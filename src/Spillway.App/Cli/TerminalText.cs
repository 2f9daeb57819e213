using System.Text;

namespace Spillway.App.Cli;

/// <summary>Text from elsewhere made safe and fitting for a terminal.</summary>
internal static class TerminalText
{
    /// <summary>
    /// Replaces control characters by "·": a request id or message may carry whatever a client sent, and an escape
    /// sequence in it would steer the reader's terminal.
    /// </summary>
    public static string Clean(string text)
    {
        if (!text.Any(char.IsControl))
            return text;
        var clean = new StringBuilder(text);
        for (var i = 0; i < clean.Length; i++)
        {
            if (char.IsControl(clean[i]))
                clean[i] = '·';
        }

        return clean.ToString();
    }

    /// <summary>Breaks at spaces into lines of at most that width; a longer word is broken inside.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var rest = text.TrimEnd();
        while (rest.Length > width)
        {
            var at = rest.LastIndexOf(' ', width);
            var end = at > 0 ? at : width;
            yield return rest[..end].TrimEnd();
            rest = rest[end..].TrimStart();
        }

        yield return rest;
    }
}
