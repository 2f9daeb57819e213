using System.Globalization;
using System.Runtime.CompilerServices;

namespace Spillway.Transforms;

/// <summary>
/// Collects an interpolated message of a fault with its numbers written alike (16,000,000) whatever the culture of the
/// process that embeds this.
/// </summary>
/// <param name="literalLength">Given by the compiler.</param>
/// <param name="formattedCount">Given by the compiler.</param>
[InterpolatedStringHandler]
internal ref struct InvariantText(int literalLength, int formattedCount)
{
    private DefaultInterpolatedStringHandler _text = new(literalLength, formattedCount, CultureInfo.InvariantCulture);

    /// <summary>Adds literal text.</summary>
    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    /// <summary>Adds a value.</summary>
    public void AppendFormatted<T>(T value, string? format = null) => _text.AppendFormatted(value, format);

    /// <summary>The message; called once, its buffer goes back to the pool.</summary>
    public string Take() => _text.ToStringAndClear();
}
