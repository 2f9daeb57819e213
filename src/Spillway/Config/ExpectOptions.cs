using Spillway.Runtimes.Simulated;

namespace Spillway.Config;

/// <summary>What a model file must look like; held against it once it is loaded.</summary>
public sealed record ExpectOptions
{
    /// <summary>Type and shape by input.</summary>
    [Option("Type and shape of inputs that the model must have: { x: \"FP32 [-1,4]\" }; -1 is a variable dimension.")]
    public IReadOnlyDictionary<string, string> Inputs { get; init; } = new Dictionary<string, string>();

    /// <summary>Type and shape by output.</summary>
    [Option("Type and shape of outputs that the model must have.")]
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// What a loaded model does not keep, a sentence each; empty when it fits. A fixed dimension may be declared where
    /// the model's own is variable, not the other way round.
    /// </summary>
    /// <param name="signature">The model's own inputs and outputs, before any transform at a door.</param>
    public IReadOnlyList<string> Mismatches(Signature signature) =>
    [
        .. Side("input", Inputs, signature.Inputs), .. Side("output", Outputs, signature.Outputs),
    ];

    private static IEnumerable<string> Side(string what, IReadOnlyDictionary<string, string> declared,
        IReadOnlyList<TensorSpec> actual)
    {
        foreach (var (name, text) in declared)
        {
            var spec = actual.FirstOrDefault(s => s.Name == name);
            if (spec is null)
            {
                yield return $"The configuration declares the {what} {name}, which the model does not have; its "
                    + $"{what}s are {string.Join(", ", actual.Select(s => s.Name))}.";
            }
            else if (TensorSpecText.TryParse(name, text, out var wanted, out _) && !Fits(wanted, spec))
            {
                yield return $"The configuration declares the {what} {name} as {text}; the model has "
                    + $"{spec.Type.WireName()} {spec.Shape}.";
            }
        }
    }

    private static bool Fits(TensorSpec wanted, TensorSpec actual)
    {
        if (wanted.Type != actual.Type || wanted.Shape.Rank != actual.Shape.Rank)
            return false;
        for (var i = 0; i < wanted.Shape.Rank; i++)
        {
            if (actual.Shape[i] >= 0 && wanted.Shape[i] != actual.Shape[i])
                return false;
        }

        return true;
    }
}
