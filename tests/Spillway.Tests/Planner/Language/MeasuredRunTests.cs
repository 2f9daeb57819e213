using Spillway.Planner.Language;
using Spillway.Tests.Support;

namespace Spillway.Tests.Planner.Language;

/// <summary>
/// A real run: vLLM 0.19 with Llama-3.1-8B on an RTX PRO 6000, 300 ShareGPT requests. The constants are fitted to what
/// was seen before the 150th arrival, when no answer was complete; then all requests are simulated from an idle engine.
/// </summary>
public sealed class MeasuredRunTests
{
    private static readonly LanguageServing s_serving = new() { SequencesMax = 128, BatchedTokensMax = 2048 };

    /// <summary>From where kernels measured one by one put them, and from four corners far off it.</summary>
    [NeedsTheory(Need.Data)]
    [InlineData(0.72, 0.75)]
    [InlineData(0.60, 0.65)]
    [InlineData(0.85, 0.85)]
    [InlineData(0.85, 0.65)]
    [InlineData(0.60, 0.85)]
    public void Constants_of_the_first_half_foretell_the_second(double compute, double memory)
    {
        var record = Record();
        var fit = Fit(record, 150, new() { ComputePart = compute, MemoryPart = memory });
        var told = Simulate(record, fit.Constants);
        var late = Enumerable.Range(150, 150).ToList();

        double Error(Func<int, double> simulated, Func<int, double> measured, IEnumerable<int> which) =>
            (which.Average(simulated) / which.Average(measured)) - 1;
        double FirstToken(int at) => told[at].FirstTokenTime(record[at].Request).TotalSeconds;
        double FirstTokenSeen(int at) => (record[at].FirstToken - record[at].Request.Arrival).TotalSeconds;
        double EachSeen(int at) =>
            new LanguageTimes(default, record[at].FirstToken, record[at].LastToken, 0).MsPerToken(record[at].Request);

        var each = Error(at => told[at].MsPerToken(record[at].Request), EachSeen, late);
        var firstLate = Error(FirstToken, FirstTokenSeen, late);
        var firstAll = Error(FirstToken, FirstTokenSeen, Enumerable.Range(0, 300));
        var makespan = (told.Max(t => t.LastToken).Ticks / (double)record.Max(r => r.LastToken).Ticks) - 1;
        var all = $"{fit}: each {each:P1}, makespan {makespan:P1}, first {firstLate:P1} late, {firstAll:P1} all";
        Assert.True(Math.Abs(each) < 0.05 && Math.Abs(makespan) < 0.05, all);
        Assert.True(Math.Abs(firstLate) < 0.1 && Math.Abs(firstAll) < 0.1, all);
    }

    [NeedsFact(Need.Data)]
    public void What_happened_after_the_cutoff_does_not_move_the_fit()
    {
        var record = Record();
        var cutoff = record[149].Request.Arrival;
        var changed = record.Select(one => one.FirstToken <= cutoff && one.LastToken <= cutoff ? one : one with
        {
            FirstToken = one.FirstToken <= cutoff ? one.FirstToken : one.FirstToken + TimeSpan.FromSeconds(100),
            LastToken = one.LastToken + TimeSpan.FromSeconds(500),
            Queued = one.Queued <= cutoff ? one.Queued : null,
            Scheduled = one.Scheduled <= cutoff ? one.Scheduled : cutoff + TimeSpan.FromSeconds(7),
        }).ToList();
        Assert.Equal(Fit(record, 150).Constants, Fit(changed, 150).Constants);
    }

    private static List<ObservedRequest> Record() =>
        MeasuredRun.Read("vllm-rtxpro6000-llama3.1-8b", "RTXPRO6000_Llama-3.1-8B__vllm_requests.jsonl");

    private static FitResult Fit(List<ObservedRequest> record, int before, EngineConstants? prior = null) =>
        ConstantsFit.Fit(Known.Llama31X8B, Known.RtxPro6000, s_serving, prior ?? new(), record,
            record[before - 1].Request.Arrival).Value;

    private static IReadOnlyList<LanguageTimes> Simulate(List<ObservedRequest> record, EngineConstants constants)
    {
        var engine = new BatchEngine(new(Known.Llama31X8B, Known.RtxPro6000, s_serving, constants), s_serving,
            KvMemory.Of(Known.Llama31X8B, Known.RtxPro6000, s_serving).Value);
        Assert.Null(engine.Play(record.Select(one => one.Request), Instant.Never));
        return engine.Times;
    }
}
