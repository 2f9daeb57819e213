using Spillway.Planner.Language;

namespace Spillway.Tests.Planner.Language;

public sealed class ConstantsFitTests
{
    /// <summary>
    /// Records that were simulated with other constants, on other devices, models and parallelism: what the fit
    /// foretells for the rest of the record is right, though single constants may stand in for each other.
    /// </summary>
    [Theory]
    [InlineData("small on a small device", 1)]
    [InlineData("large on four", 4)]
    [InlineData("experts", 1)]
    public void Fit_of_the_first_part_foretells_the_rest(string what, int devices)
    {
        var (shape, device, rate) = what switch
        {
            "experts" => (Known.Experts, Known.H100, 12.0),
            "large on four" => (Known.Llama2X70B, Known.H100, 4.0),
            _ => (Known.Llama2X7B, Known.A100, 3.0),
        };
        var serving = new LanguageServing { TensorParallel = devices, SequencesMax = 64 };
        var truth = new EngineConstants { ComputePart = 0.58, MemoryPart = 0.66, StepMs = 4, SequenceUs = 25 };
        var requests = Requests(rate);
        var record = Observe(requests, Play(shape, device, serving, truth, requests));

        var fit = ConstantsFit.Fit(shape, device, serving, new(), record, requests[149].Arrival).Value;
        var (told, was) = (Play(shape, device, serving, fit.Constants, requests), record);
        double Mean(Func<int, double> of) => Enumerable.Range(150, 150).Average(of);
        var each = Mean(at => told[at].MsPerToken(requests[at])) / Mean(at =>
            new LanguageTimes(default, was[at].FirstToken, was[at].LastToken, 0).MsPerToken(requests[at]));
        var first = Mean(at => told[at].FirstTokenTime(requests[at]).TotalSeconds)
            / Mean(at => (was[at].FirstToken - requests[at].Arrival).TotalSeconds);
        Assert.True(Math.Abs(each - 1) < 0.05, $"{fit}: each {each - 1:P1}");
        Assert.True(Math.Abs(first - 1) < 0.1, $"{fit}: first {first - 1:P1}");
        Assert.Equal("calibrated", fit.Constants.Label);
    }

    [Fact]
    public void Too_short_a_record_is_a_fault()
    {
        var requests = Requests(3).Take(10).ToList();
        var times = Play(Known.Llama31X8B, Known.H100, new(), new(), requests);
        var fault = ConstantsFit.Fit(
            Known.Llama31X8B, Known.H100, new(), new(), Observe(requests, times), Instant.Never).Fault!;
        Assert.Contains("shows 10 first tokens; a fit needs 20", fault.Message, StringComparison.Ordinal);
    }

    private static List<LanguageRequest> Requests(double rate)
    {
        var (random, at) = (new Random(9), 0.0);
        return [.. Enumerable.Range(0, 300).Select(_ =>
        {
            at -= Math.Log(1 - random.NextDouble()) / rate;
            return new LanguageRequest(
                new((long)(at * TimeSpan.TicksPerSecond)), 50 + random.Next(1500), 20 + random.Next(300));
        })];
    }

    private static IReadOnlyList<LanguageTimes> Play(LanguageShape shape, Accelerator device, LanguageServing serving,
        EngineConstants constants, List<LanguageRequest> requests)
    {
        var engine = new BatchEngine(
            new(shape, device, serving, constants), serving, KvMemory.Of(shape, device, serving).Value);
        Assert.Null(engine.Play(requests, Instant.Never));
        return engine.Times;
    }

    private static List<ObservedRequest> Observe(List<LanguageRequest> requests, IReadOnlyList<LanguageTimes> times) =>
        [.. requests.Select((request, at) => new ObservedRequest(request, times[at].FirstToken, times[at].LastToken))];
}
