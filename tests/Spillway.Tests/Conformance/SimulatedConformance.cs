using Spillway.Runtimes;
using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Conformance;

public sealed class SimulatedConformance : RuntimeConformance
{
    private static readonly SimulatedOptions s_plain = new()
    {
        Inputs = new Dictionary<string, string> { ["x"] = "FP32 [-1,784]" },
        Outputs = new Dictionary<string, string> { ["y"] = "FP32 [-1,10]" },
        LatencyMs = new Dictionary<int, double> { [1] = 0.01 },
    };

    protected override IRuntime Runtime { get; } = new SimulatedRuntime(TimeProvider.System);

    protected override ModelSource Batched() => new("batched", "", s_plain);

    protected override ModelSource? Unbatched() => new("unbatched", "", s_plain with
    {
        Inputs = new Dictionary<string, string> { ["x"] = "FP32 [1,4]" },
        Outputs = new Dictionary<string, string> { ["y"] = "FP32 [1,4]" },
    });

    protected override (ModelSource Source, RunItem Long, RunItem Short) Endless() => (
        new("endless", "", s_plain with { LatencyMs = new Dictionary<int, double> { [1] = 0.01, [2] = 3_600_000 } }),
        new RunItem { RowsGiven = 2 }.With([2, 784], new float[2 * 784]),
        new RunItem().With([1, 784], new float[784]));

    protected override (ModelSource Source, RunItem Bad, FaultKind Kind, RunItem Good) Failing() => (
        new("failing", "", s_plain with { FaultAboveRows = 1 }),
        new RunItem { RowsGiven = 2 }.With([2, 784], new float[2 * 784]),
        FaultKind.RuntimeFailed,
        new RunItem().With([1, 784], new float[784]));

    protected override IEnumerable<ModelSource> Unloadable()
    {
        yield return new("no inputs", "", s_plain with { Inputs = new Dictionary<string, string>() });
        yield return new("bad shape", "", s_plain with { Outputs = new Dictionary<string, string> { ["y"] = "FP32 -1" } });
        yield return new("no times", "", s_plain with { LatencyMs = new Dictionary<int, double>() });
    }
}
