using Spillway;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;

// Usage: Spillway.OnnxProbe <model.onnx>: loads a model whose only input is FP32 [-1,4], runs one row, prints its output.
var loaded = new OnnxRuntime().Load(new ModelSource("probe", args[0], new OnnxOptions()), CancellationToken.None);
if (!loaded.TryGet(out var model, out var fault))
{
    Console.WriteLine(fault.Message);
    return 1;
}

using (model)
using (var replica = model.CreateReplica(0).Value)
{
    fault = replica.Run([new Row()], new Silent());
    if (fault is not null)
        Console.WriteLine(fault.Message);
    return fault is null ? 0 : 1;
}

internal sealed class Row : WorkItem
{
    public Row()
    {
        ref var tensor = ref Inputs.Add();
        (tensor.Type, tensor.Shape) = (DataType.Float32, new Shape([1, 4]));
        tensor.Data = new byte[4 * sizeof(float)];
    }

    public override TensorSet Inputs { get; } = new();

    public override int Rows => 1;

    public override void Output(int port, in Shape shape, ReadOnlySpan<byte> data) =>
        Console.WriteLine($"output {port} {shape} {data.Length} bytes");
}

internal sealed class Silent : RunControl
{
    public override void Mark(Stage stage)
    {
    }
}
