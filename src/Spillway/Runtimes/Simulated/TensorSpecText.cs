using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace Spillway.Runtimes.Simulated;

/// <summary>Reads a tensor's type and shape as a profile writes them: "FP32 [-1,4]".</summary>
public static class TensorSpecText
{
    /// <summary>
    /// Reads "TYPE [d,d,…]": a protocol type name, then up to <see cref="Shape.RankMax"/> dimensions, each a
    /// positive whole number or -1 for a variable one; [] is a single value.
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="text">Type and shape.</param>
    /// <param name="spec">The result; null on failure.</param>
    /// <param name="problem">What is wrong and what would be right; empty on success.</param>
    public static bool TryParse(string name, string text, [NotNullWhen(true)] out TensorSpec? spec, out string problem)
    {
        spec = null;
        var trimmed = text.Trim();
        var open = trimmed.IndexOf('[', StringComparison.Ordinal);
        if (open < 0 || trimmed[^1] != ']')
        {
            problem = "A type and a shape in brackets are expected, as in \"FP32 [-1,4]\".";
            return false;
        }

        var word = trimmed[..open].Trim();
        if (!DataTypes.TryParse(Encoding.UTF8.GetBytes(word), out var type))
        {
            problem = $"The type must be one of {DataTypes.AllWireNames}.";
            return false;
        }

        if (!TryShape(trimmed[(open + 1)..^1], out var shape, out problem))
            return false;
        spec = new(name, type, shape);
        return true;
    }

    private static bool TryShape(string inside, out Shape shape, out string problem)
    {
        shape = default;
        problem = "";
        if (string.IsNullOrWhiteSpace(inside))
            return true;
        foreach (var part in inside.Split(','))
        {
            if (!long.TryParse(part.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var dim)
                || dim is not (-1 or > 0))
            {
                problem = "Each dimension is a positive whole number, or -1 for a variable one.";
                return false;
            }

            if (!shape.TryAdd(dim))
            {
                problem = $"A shape has at most {Shape.RankMax} dimensions.";
                return false;
            }
        }

        return true;
    }
}
