using System.Globalization;

namespace Spillway.Protocols.OpenInference;

/// <summary>The texts of small numbers, made once: header values are strings, and most lengths are small.</summary>
internal static class SmallNumbers
{
    private const int Count = 1024;

    private static readonly string?[] s_texts = new string?[Count];

    /// <summary>The number's digits.</summary>
    public static string Text(int number) => (uint)number < Count
        ? s_texts[number] ??= number.ToString(CultureInfo.InvariantCulture)
        : number.ToString(CultureInfo.InvariantCulture);
}
