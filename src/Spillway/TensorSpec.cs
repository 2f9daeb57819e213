namespace Spillway;

/// <summary>What a model says of one input or output.</summary>
/// <param name="Name">As clients name it.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions; -1 is variable.</param>
public sealed record TensorSpec(string Name, DataType Type, Shape Shape)
{
    /// <summary>The name in UTF-8, for comparing with the wire without a string.</summary>
    public byte[] NameUtf8 { get; } = System.Text.Encoding.UTF8.GetBytes(Name);

    /// <summary>True when a tensor of that shape fits: same rank, every fixed dimension equal.</summary>
    public bool Accepts(in Shape shape)
    {
        if (shape.Rank != Shape.Rank)
            return false;
        for (var i = 0; i < shape.Rank; i++)
        {
            if (Shape[i] >= 0 && Shape[i] != shape[i])
                return false;
        }

        return true;
    }
}
