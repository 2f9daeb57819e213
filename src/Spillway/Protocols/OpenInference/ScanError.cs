namespace Spillway.Protocols.OpenInference;

/// <summary>Why an array of elements was refused.</summary>
internal enum ScanErrorKind : byte
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>Not JSON: <see cref="ScanError.Expected"/> says what had to stand there.</summary>
    Syntax,

    /// <summary>Fewer elements than the shape has.</summary>
    TooFew,

    /// <summary>More elements than the shape has.</summary>
    TooMany,

    /// <summary>A value of another kind, such as a string among numbers.</summary>
    WrongKind,

    /// <summary>NaN or Infinity, which JSON does not have.</summary>
    NotFinite,

    /// <summary>A fraction or an exponent where a whole number belongs.</summary>
    NotWhole,

    /// <summary>Beyond the smallest or largest value of the element type.</summary>
    OutOfRange,
}

/// <summary>The first error in an array of elements.</summary>
/// <param name="Kind">What is wrong; None when nothing is.</param>
/// <param name="Position">Byte in the text.</param>
/// <param name="Element">Row-major index of the element, or how many there were.</param>
/// <param name="Expected">For a syntax error: what had to stand there.</param>
internal readonly record struct ScanError(ScanErrorKind Kind, int Position, int Element, string Expected);
