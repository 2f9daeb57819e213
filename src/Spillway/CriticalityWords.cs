namespace Spillway;

/// <summary>The classes of <see cref="Criticality"/> as headers, keys and commands write them.</summary>
public static class CriticalityWords
{
    /// <summary>In a request, and on the way to an upstream: how much it matters that it is answered.</summary>
    public const string HeaderName = "X-Spillway-Criticality";

    /// <summary>All of them, what is given up first at the front.</summary>
    public static IReadOnlyList<string> All { get; } = ["sheddable", "sheddable-plus", "critical", "critical-plus"];

    /// <summary>The word of a class.</summary>
    public static string Of(Criticality criticality) => All[(int)criticality];

    /// <summary>The class of a word, in any case of letters.</summary>
    public static bool TryParse(ReadOnlySpan<char> word, out Criticality criticality)
    {
        for (var i = 0; i < All.Count; i++)
        {
            if (!word.Equals(All[i], StringComparison.OrdinalIgnoreCase))
                continue;
            criticality = (Criticality)i;
            return true;
        }

        criticality = Criticality.Critical;
        return false;
    }
}
