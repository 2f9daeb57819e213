namespace Spillway.Engine.Doors;

/// <summary>
/// What the stages that read class scores have in common: finding the model's output, and checking it.
/// </summary>
internal static class ScoreOutput
{
    /// <summary>
    /// The port of the output named, or of the only one; a fault when it is not float32 of that rank.
    /// </summary>
    public static Outcome<int> Find(Signature model, string option, string from, int rank)
    {
        var port = from.Length == 0 && model.Outputs.Count == 1 ? 0 : model.FindOutput(System.Text.Encoding.UTF8.GetBytes(from));
        var names = string.Join(", ", model.Outputs.Select(o => o.Name));
        if (port < 0)
        {
            return new Fault(FaultKind.LoadFailed, from.Length == 0
                ? $"{option}.from must name one of the model's outputs: {names}."
                : $"{option}.from names '{from}'; the model's outputs are {names}.");
        }

        var spec = model.Outputs[port];
        return spec.Type is DataType.Float32 && spec.Shape.Rank == rank
            ? port
            : new Fault(FaultKind.LoadFailed, $"{option} needs FP32 of rank {rank}; the model's output {spec.Name} is {spec.Type.WireName()} {spec.Shape}.");
    }

    /// <summary>Adds a tensor [rows] or [rows, k] to the outputs.</summary>
    public static void Add(TensorSet outputs, int port, DataType type, in Shape shape, ReadOnlyMemory<byte> data)
    {
        ref var tensor = ref outputs.Add();
        (tensor.Port, tensor.Type, tensor.Shape, tensor.Data) = (port, type, shape, data);
    }
}
