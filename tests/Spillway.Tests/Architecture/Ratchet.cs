namespace Spillway.Tests.Architecture;

/// <summary>
/// What was there before a rule: for a rule and a file the number of breaches that are let pass. Numbers may only
/// shrink; SPILLWAY_UPDATE_DOCS=1 lowers them to what is left, and never raises one.
/// </summary>
internal sealed class Ratchet
{
    /// <summary>Stands for all files together.</summary>
    public const string All = "*";

    private readonly SortedDictionary<(string Rule, string Path), int> _allowed = [];

    /// <summary>Reads lines of "count rule path"; empty lines and those that begin with # say nothing.</summary>
    public Ratchet(string text)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith('#'))
                continue;
            var parts = line.Split(' ');
            _allowed.Add((parts[1], parts[2]), int.Parse(parts[0]));
        }
    }

    /// <summary>What is let pass.</summary>
    public IReadOnlyDictionary<(string Rule, string Path), int> Entries => _allowed;

    /// <summary>How many breaches of a rule a file may have.</summary>
    public int Allowed(string rule, string path) => _allowed.GetValueOrDefault((rule, path));

    /// <summary>The lines after lowering every number to the actual one.</summary>
    public IEnumerable<string> Lowered(Func<string, string, int> actual) => _allowed
        .Select(entry => (entry.Key, Count: Math.Min(entry.Value, actual(entry.Key.Rule, entry.Key.Path))))
        .Where(entry => entry.Count > 0)
        .Select(entry => Line(entry.Count, entry.Key.Rule, entry.Key.Path));

    /// <summary>One entry as the file holds it.</summary>
    public static string Line(int count, string rule, string path) => $"{count} {rule} {path}";
}
