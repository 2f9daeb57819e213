using System.Globalization;

namespace Spillway.Policies;

/// <summary>Something in the options that cannot work, though every single value is in its range.</summary>
/// <param name="Key">Where it stands.</param>
/// <param name="Value">What stands there.</param>
/// <param name="Problem">What is wrong with it, as the rest of a sentence about the key.</param>
/// <param name="Remedy">What to do, as a sentence.</param>
internal sealed record Finding(string Key, string Value, string Problem, string Remedy)
{
    /// <summary>A number as a person wrote it.</summary>
    public static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>All of it in a line.</summary>
    public override string ToString() => $"{Key}: '{Value}' {Problem}. {Remedy}";
}
