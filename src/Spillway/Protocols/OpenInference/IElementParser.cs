namespace Spillway.Protocols.OpenInference;

/// <summary>Reads one element of an array; a struct, so that the scanner's loop is compiled for each.</summary>
/// <typeparam name="T">The element in memory.</typeparam>
internal interface IElementParser<T>
    where T : unmanaged
{
    /// <summary>
    /// Reads the element that starts at a byte (never white space) and moves behind it. On an error the place where
    /// it is; syntax errors are judged by the scanner.
    /// </summary>
    static abstract ScanErrorKind Parse(ReadOnlySpan<byte> text, ref int at, out T value);
}
