using System.Globalization;

namespace Spillway.Config;

/// <summary>
/// Collects every error of one load, at most <see cref="ErrorsMax"/>; then one more says how many are missing.
/// </summary>
internal sealed class ErrorList
{
    /// <summary>Nobody mends more at once, and a hostile file must not cost memory.</summary>
    public const int ErrorsMax = 200;

    private const int TextMax = 120;

    private readonly List<ConfigError> _errors = [];
    private int _omitted;

    /// <summary>How many were reported.</summary>
    public int Count => _errors.Count + _omitted;

    /// <summary>Reports one.</summary>
    public void Add(Mark at, string key, string value, string problem, string remedy, string suggestion = "")
    {
        if (_errors.Count == ErrorsMax)
            _omitted++;
        else
            _errors.Add(new(Clean(at.File, 1024), Clean(key), at.Line, at.Column, Clean(value), problem, remedy,
                suggestion));
    }

    /// <summary>True when an error was reported for that key or one below it.</summary>
    public bool Has(string key) => _errors.Exists(e => e.Key.StartsWith(key, StringComparison.Ordinal)
        && (e.Key.Length == key.Length || e.Key[key.Length] is '.' or '['));

    /// <summary>All of them, in the order of reporting.</summary>
    public IReadOnlyList<ConfigError> ToArray()
    {
        if (_omitted == 0)
            return [.. _errors];
        var text = _omitted.ToString(CultureInfo.InvariantCulture);
        return [.. _errors, new("", "", 0, 0, "", $"{text} further errors are not shown.",
            "Mend the ones above, then check again.")];
    }

    /// <summary>Fit for a terminal: no control characters, cut to a length.</summary>
    public static string Clean(string text, int max = TextMax)
    {
        var cut = text.Length <= max ? text : string.Concat(text.AsSpan(0, max - 1), "…");
        return string.Create(cut.Length, cut, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) || char.IsSurrogate(source[i]) ? '·' : source[i];
        });
    }
}
