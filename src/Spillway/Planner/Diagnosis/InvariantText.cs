using System.Globalization;
using System.Runtime.CompilerServices;

namespace Spillway.Planner.Diagnosis;

/// <summary>
/// An interpolated text whose figures are written the same way everywhere, pieces added with + included.
/// </summary>
[InterpolatedStringHandler]
internal ref struct InvariantText(int literalLength, int formattedCount)
{
    private DefaultInterpolatedStringHandler _inner = new(literalLength, formattedCount, CultureInfo.InvariantCulture);

    /// <summary>What is between the holes.</summary>
    public void AppendLiteral(string text) => _inner.AppendLiteral(text);

    /// <summary>A hole.</summary>
    public void AppendFormatted<T>(T value) => _inner.AppendFormatted(value);

    /// <summary>A hole with a format.</summary>
    public void AppendFormatted<T>(T value, string format) => _inner.AppendFormatted(value, format);

    /// <summary>The text; once.</summary>
    public string Take() => _inner.ToStringAndClear();

    /// <summary>A text of its own.</summary>
    public static string Of(InvariantText text) => text.Take();
}
