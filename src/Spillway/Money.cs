using System.Globalization;

namespace Spillway;

/// <summary>An amount in integer nano-units of one currency (10^-9). Never a double: sums are exact.</summary>
/// <param name="Nano">Nano-units; negative is a credit.</param>
public readonly record struct Money(long Nano)
{
    /// <summary>Nothing.</summary>
    public static Money Zero => default;

    /// <summary>The exact sum; overflow throws, because a wrong bill is worse than none.</summary>
    public static Money operator +(Money a, Money b) => new(checked(a.Nano + b.Nano));

    /// <summary>The exact difference.</summary>
    public static Money operator -(Money a, Money b) => new(checked(a.Nano - b.Nano));

    /// <summary>Less than.</summary>
    public static bool operator <(Money a, Money b) => a.Nano < b.Nano;

    /// <summary>More than.</summary>
    public static bool operator >(Money a, Money b) => a.Nano > b.Nano;

    /// <summary>A count of equal amounts.</summary>
    public static Money operator *(Money a, long count) => new(checked(a.Nano * count));

    /// <summary>The amount in whole units with nine decimals, invariant.</summary>
    public override string ToString() =>
        ((decimal)Nano / 1_000_000_000m).ToString("0.000000000", CultureInfo.InvariantCulture);
}
