using System.Text;
using Spillway.Transforms.Text;

namespace Spillway.Engine.Doors;

/// <summary>The label files of a served name's outputs, for the classification extension.</summary>
internal static class OutputLabels
{
    /// <summary>
    /// The labels of each output, null where none are declared; or a fault when a file is bad, an output is unknown or
    /// cannot be classified, or the number of its classes is known and another one.
    /// </summary>
    /// <param name="files">Files by output.</param>
    /// <param name="signature">As clients see it.</param>
    public static Outcome<LabelFile?[]> Load(IReadOnlyDictionary<string, string> files, Signature signature)
    {
        var labels = new LabelFile?[signature.Outputs.Count];
        foreach (var (output, file) in files)
        {
            var port = signature.FindOutput(Encoding.UTF8.GetBytes(output));
            if (port < 0)
            {
                var names = string.Join(", ", signature.Outputs.Select(o => o.Name));
                return Unfit(output, $"no such output; there are {names}.");
            }

            var spec = signature.Outputs[port];
            if (!Classification.Takes(spec.Type))
                return Unfit(output, $"its type {spec.Type.WireName()} has no classes.");
            if (!LabelFile.Load(file, spaceLast: false).TryGet(out var read, out var fault))
                return fault;
            if (read.CheckClasses(Classes(spec.Shape, signature.Batched)) is { } unfit)
                return unfit;
            labels[port] = read;
        }

        return labels;
    }

    /// <summary>The product of the dimensions behind the rows; -1 when one is variable.</summary>
    private static long Classes(in Shape shape, bool batched)
    {
        var dims = shape.Dims[(batched && shape.Rank > 0 ? 1 : 0)..];
        return new Shape(dims).TryCount(out var count) ? count : -1;
    }

    private static Fault Unfit(string output, string why) =>
        new(FaultKind.LoadFailed, $"labels.{output}: {why} Correct labels in model.yaml.");
}
