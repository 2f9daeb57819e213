namespace Spillway.Runtimes;

/// <summary>
/// One running instance of a model that answers a whole batch at once. Run is called by one thread at a time.
/// </summary>
public interface IBatchReplica : IDisposable
{
    /// <summary>
    /// Runs the items together and gives each its outputs through <see cref="WorkItem.Output"/> before returning.
    /// Synchronous. All items have the same types and the same shape but for the first dimension and, where the run is
    /// padded (<see cref="RunControl.Padding"/>), for the length.
    /// Returns null, or the fault that befell the whole run. Marks <see cref="Stage.Batch"/> when the inputs are
    /// gathered and <see cref="Stage.Execute"/> when the model has returned.
    /// </summary>
    Fault? Run(ReadOnlySpan<WorkItem> batch, RunControl control);

    /// <summary>
    /// Asks the active run to end soon; any thread, only while <see cref="Run"/> is active. The run then returns a
    /// <see cref="FaultKind.Cancelled"/> fault. Later runs are not affected.
    /// </summary>
    void Stop();
}

/// <summary>One request's share of a run, as a replica sees it.</summary>
public abstract class WorkItem
{
    /// <summary>
    /// The model's own inputs, one tensor per input of its signature, in the signature's order. The one of a mask
    /// (<see cref="PaddingPlan.Mask"/>) is empty: the replica makes it.
    /// </summary>
    public abstract TensorSet Inputs { get; }

    /// <summary>Rows it brings: its first dimension for a batched model, else 1.</summary>
    public abstract int Rows { get; }

    /// <summary>
    /// Hands over one output of this item, called in the signature's order. The data is only borrowed for the call:
    /// the item copies or transforms it.
    /// </summary>
    public abstract void Output(int port, in Shape shape, ReadOnlySpan<byte> data);
}

/// <summary>What a run is told, and can say while it runs.</summary>
public abstract class RunControl
{
    /// <summary>How the items are padded to one length; null where the model declares no padding.</summary>
    public virtual RunPadding? Padding => null;

    /// <summary>Everything in this run since its last mark was that stage.</summary>
    public abstract void Mark(Stage stage);
}
