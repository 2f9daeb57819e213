using System.Text;

namespace Spillway.Config;

/// <summary>Guesses which valid word a mistyped one was meant to be.</summary>
internal static class Suggestion
{
    private const int WordMax = 64;

    /// <summary>
    /// The nearest candidate by edits (insert, delete, replace, swap neighbours), ignoring case, dashes and
    /// underscores, or with the same words in another order; empty when none is near: at most a third of
    /// the length.
    /// </summary>
    public static string Nearest(string word, IEnumerable<string> candidates)
    {
        if (word.Length is 0 or > WordMax)
            return "";
        var (best, bestEdits) = ("", int.MaxValue);
        var plain = Plain(word);
        foreach (var candidate in candidates.Where(c => c.Length <= WordMax))
        {
            var edits = Math.Min(Edits(plain, Plain(candidate)), Edits(Sorted(word), Sorted(candidate)));
            var limit = Math.Max(plain.Length, candidate.Length) / 3;
            if (edits <= limit && edits < bestEdits)
                (best, bestEdits) = (candidate, edits);
        }

        return best;
    }

    /// <summary>Without case, dashes and underscores: how environment variables and files are matched.</summary>
    public static string Plain(string word) => string.Concat(word.Where(c => c is not ('-' or '_'))).ToLowerInvariant();

    /// <summary>maxQueueLength, queue_length_max and queueLengthMax become the same text.</summary>
    private static string Sorted(string word)
    {
        var words = new List<string>();
        var current = new StringBuilder();
        foreach (var c in word.Append('_'))
        {
            if ((char.IsUpper(c) || c is '-' or '_') && current.Length > 0)
            {
                words.Add(current.ToString());
                current.Clear();
            }

            if (c is not ('-' or '_'))
                current.Append(char.ToLowerInvariant(c));
        }

        words.Sort(StringComparer.Ordinal);
        return string.Concat(words);
    }

    /// <summary>Optimal string alignment distance (Damerau 1964, each pair swapped at most once).</summary>
    private static int Edits(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replaced = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(replaced, 1 + Math.Min(d[i - 1, j], d[i, j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
