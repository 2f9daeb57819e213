namespace Spillway;

/// <summary>The inputs and outputs of a served name, as a client sees them.</summary>
/// <param name="Inputs">In the model's order.</param>
/// <param name="Outputs">In the model's order.</param>
/// <param name="Batched">
/// True when the first dimension of every input and output is variable and counts rows, so that rows of several
/// requests may run together.
/// </param>
public sealed record Signature(IReadOnlyList<TensorSpec> Inputs, IReadOnlyList<TensorSpec> Outputs, bool Batched)
{
    /// <summary>Most inputs or outputs a model may have here; more is a load error.</summary>
    public const int PortsMax = 64;

    /// <summary>The index of the input of that name, or -1.</summary>
    public int FindInput(ReadOnlySpan<byte> nameUtf8) => Find(Inputs, nameUtf8);

    /// <summary>The index of the output of that name, or -1.</summary>
    public int FindOutput(ReadOnlySpan<byte> nameUtf8) => Find(Outputs, nameUtf8);

    /// <summary>
    /// Whether a request that was read against this one means the same to the other: equal names, types and shapes.
    /// </summary>
    public bool IsLike(Signature other) =>
        Batched == other.Batched && AreLike(Inputs, other.Inputs) && AreLike(Outputs, other.Outputs);

    private static bool AreLike(IReadOnlyList<TensorSpec> some, IReadOnlyList<TensorSpec> others) =>
        some.Select(s => (s.Name, s.Type, s.Shape)).SequenceEqual(others.Select(o => (o.Name, o.Type, o.Shape)));

    private static int Find(IReadOnlyList<TensorSpec> specs, ReadOnlySpan<byte> nameUtf8)
    {
        for (var i = 0; i < specs.Count; i++)
        {
            if (nameUtf8.SequenceEqual(specs[i].NameUtf8))
                return i;
        }

        return -1;
    }
}
