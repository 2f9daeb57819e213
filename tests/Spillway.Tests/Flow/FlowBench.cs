using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Telemetry;

namespace Spillway.Tests.Flow;

/// <summary>A deployment flow driven by hand: times in milliseconds from zero, one element a row.</summary>
internal sealed class FlowBench
{
    private readonly int[] _batch;
    private readonly Drop[] _drops;

    public FlowBench(
        BatchingOptions? options = null, double[]? curveMs = null, int runners = 1, DeadlineOptions? deadlines = null)
    {
        // 1 row 10 ms; a batch of n takes 10 + (n - 1) ms: it gains.
        var curve = (curveMs ?? [10, 11, 12, 13, 14, 15, 16, 17])
            .Select((ms, i) => new BatchPoint(i + 1, TimeSpan.FromMilliseconds(ms))).ToList();
        Options = options ?? new() { BatchRowsMax = 8, SafetyFactor = 1 };
        Flow = new(Options, deadlines ?? new() { FixedMs = 100 }, curve, elementsPerRow: 1, runners);
        (_batch, _drops) = (new int[Flow.BatchMax], new Drop[Flow.Capacity]);
    }

    public DeploymentFlow Flow { get; }

    public BatchingOptions Options { get; }

    public static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));

    public Placement Place(
        double atMs, double? timeoutMs = null, int priority = 0, int rows = 1, long? elements = null, Shape form = default) =>
        Flow.Place(
            new()
            {
                Started = At(atMs),
                Timeout = timeoutMs is { } t ? TimeSpan.FromMilliseconds(t) : null,
                Priority = priority, Rows = rows, Elements = elements ?? rows, Form = form,
            },
            At(atMs));

    /// <summary>Placed and ready at once; the slot.</summary>
    public int Come(double atMs, double? timeoutMs = null, int priority = 0, int rows = 1, Shape form = default)
    {
        var placement = Place(atMs, timeoutMs, priority, rows, form: form);
        Assert.Null(placement.Refused);
        Flow.Ready(placement.Slot, At(atMs));
        return placement.Slot;
    }

    /// <summary>The first request of an idle deployment, and its run begun.</summary>
    public int Begin(double atMs, double timeoutMs = 10_000)
    {
        var placement = Place(atMs, timeoutMs);
        var step = Flow.Ready(placement.Slot, At(atMs));
        Assert.NotEqual(Launch.Queue, step.How);
        Take(step.Runner, atMs);
        return step.Runner;
    }

    public (int[] Batch, Drop[] Drops, CutReason Why) Take(int runner, double atMs)
    {
        var taken = Flow.Take(runner, _batch, _drops, At(atMs));
        return (_batch[..taken.Count], _drops[..taken.Dropped], taken.Why);
    }

    public (int[] Batch, Drop[] Drops, CutReason Why) FinishAndTake(int runner, double atMs)
    {
        Flow.Observe(runner, completed: true, At(atMs));
        return Take(runner, atMs);
    }

    public Drop[] Wake(double atMs, out Step start) => _drops[..Flow.Wake(_drops, At(atMs), out start)];
}
