using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>A made-up request, for measuring; nobody reads its outputs.</summary>
/// <param name="rows">Its rows.</param>
internal sealed class CalibrationItem(int rows) : WorkItem, IDisposable
{
    public override TensorSet Inputs { get; } = new();

    public override int Rows => rows;

    public override void Output(int port, in Shape shape, ReadOnlySpan<byte> data)
    {
    }

    public void Dispose() => Inputs.Reset();
}

/// <summary>A run that nobody asks about afterwards.</summary>
/// <param name="padding">How its inputs are padded; null where they are not.</param>
internal sealed class Unmarked(RunPadding? padding) : RunControl
{
    public override RunPadding? Padding => padding;

    public override void Mark(Stage stage)
    {
    }
}
