namespace Spillway.Runtimes.Simulated;

/// <summary>
/// A runtime that runs nothing: it takes the declared time, gives declared outputs, fails at the declared rate and has
/// a declared price. Part of the product, always labelled as simulated: for trying a configuration without its model,
/// for drills and for tests.
/// </summary>
/// <param name="time">The clock its runs take their time on.</param>
public sealed class SimulatedRuntime(TimeProvider time) : IRuntime
{
    /// <inheritdoc/>
    public string Name => "simulated";

    /// <inheritdoc/>
    public Type OptionsType => typeof(SimulatedOptions);

    /// <inheritdoc/>
    public ModelFootprint Estimate(ModelSource source) =>
        new("simulated", Math.Max(((SimulatedOptions)source.Options).MemoryBytes, 1));

    /// <inheritdoc/>
    public Outcome<ILoadedModel> Load(ModelSource source, CancellationToken cancellation)
    {
        var options = (SimulatedOptions)source.Options;
        if (!Parse(source.Name, "input", options.Inputs).TryGet(out var inputs, out var fault)
            || !Parse(source.Name, "output", options.Outputs).TryGet(out var outputs, out fault))
            return fault;
        if (options.LatencyMs.Count == 0)
            return new Fault(FaultKind.LoadFailed, $"{source.Name}: simulated.latencyMs is empty; give at least {{ 1: <ms> }}.");
        if (options.LoadMs > 0)
        {
            // On the loading thread, which is there to be blocked.
            using var loading = new ManualResetEventSlim();
            using var timer = time.CreateTimer(
                _ => loading.Set(), null, TimeSpan.FromMilliseconds(options.LoadMs), Timeout.InfiniteTimeSpan);
            loading.Wait(cancellation);
        }

        var batched = inputs.Concat(outputs).All(spec => spec.Shape.Rank > 0 && spec.Shape[0] < 0);
        return new SimulatedModel(source.Name, options, new(inputs, outputs, batched), time);
    }

    private static Outcome<List<TensorSpec>> Parse(string model, string kind, IReadOnlyDictionary<string, string> declared)
    {
        List<TensorSpec> specs = [];
        foreach (var (name, text) in declared)
        {
            if (!TensorSpecText.TryParse(name, text, out var spec, out var problem))
                return new Fault(FaultKind.LoadFailed, $"{model}: simulated {kind} {name}: {problem}");
            specs.Add(spec);
        }

        return specs.Count is > 0 and <= Signature.PortsMax
            ? specs
            : new Fault(FaultKind.LoadFailed, $"{model}: simulated needs 1 to {Signature.PortsMax} {kind}s, it has {specs.Count}.");
    }
}

/// <summary>A simulated model version.</summary>
internal sealed class SimulatedModel : ILoadedModel
{
    private readonly SimulatedOptions _options;
    private readonly TimeProvider _time;
    private int _replicas;
    private volatile bool _disposed;

    public SimulatedModel(string name, SimulatedOptions options, Signature signature, TimeProvider time)
    {
        (Name, _options, Signature, _time) = (name, options, signature, time);
        var owner = options.Device.Length > 0 ? options.Device : name;
        Traits = new()
        {
            Platform = "spillway_simulated",
            Simulated = true,
            Devices =
            [
                .. Enumerable.Range(0, options.Devices)
                    .Select(i => new Device($"simulated:{owner}:{i}", options.DeviceParallelism)),
            ],
            DeclaredCurve = [.. options.LatencyMs.OrderBy(p => p.Key).Select(p => new BatchPoint(p.Key, TimeSpan.FromMilliseconds(p.Value)))],
            PricePerRun = new(options.PriceNanoPerRun),
            PricePerRow = new(options.PriceNanoPerRow),
        };
    }

    public string Name { get; }

    public Signature Signature { get; }

    public RuntimeTraits Traits { get; }

    public long? MemoryBytes => _options.MemoryBytes > 0 ? _options.MemoryBytes : null;

    public Outcome<IBatchReplica> CreateReplica(int device)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new SimulatedReplica(this, _options, new Random(_options.Seed + Interlocked.Increment(ref _replicas) - 1), _time);
    }

    public void Dispose() => _disposed = true;
}
