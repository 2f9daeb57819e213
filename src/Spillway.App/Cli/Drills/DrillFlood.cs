using System.Globalization;
using Spillway.App.Load;

namespace Spillway.App.Cli.Drills;

/// <summary>
/// The traffic of a spike, which the load generator sends: first a short look at what the served name can do, then as
/// much as makes ten times the usual rate together with the drill's own trickle.
/// </summary>
/// <param name="wish">What was asked for.</param>
/// <param name="served">The served name.</param>
/// <param name="headers">Of every request of the look before.</param>
/// <param name="spike">Of every request of the spike.</param>
internal sealed class DrillFlood(
    DrillWish wish, string served, IReadOnlyList<string> headers, IReadOnlyList<string> spike)
{
    /// <summary>How many times the usual traffic a spike is.</summary>
    public const int Times = 10;

    /// <summary>The usual traffic, as a part of what was measured: a service that is neither idle nor busy.</summary>
    public const double UsualPart = 0.25;

    private const int Callers = 8;

    /// <summary>Answers a second that a few callers get together, each asking again at once.</summary>
    public async Task<double> MeasureAsync(CancellationToken stop)
    {
        var report = await RunAsync(
            Options(headers) with { Concurrency = Callers, Duration = "3s", Warmup = "1s" }, stop)
            .ConfigureAwait(false);
        return report.Total.OkPerSecond is > 0 and var rate ? rate : throw new CommandException(
            $"{served} gave no answer to the load generator, so that no usual rate can be told. "
            + (wish.Raw.Count == 0 ? "Where it takes a file, give one with --raw." : "See `spillway explain`."));
    }

    /// <summary>The spike; what the generator saw of it in a sentence.</summary>
    public async Task<string> SendAsync(double usual, CancellationToken stop)
    {
        var rate = usual * (Times - 1);
        var seconds = wish.Broken.ToString(CultureInfo.InvariantCulture);
        var report = await RunAsync(Options(spike) with { Rate = rate, Duration = $"{seconds}s", Warmup = "0s" }, stop)
            .ConfigureAwait(false);
        var counts = report.Total.Counts;
        var refused = counts.Refusals.Sum(r => r.Count);
        var errors = counts.Errors.Sum(e => e.Count);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The load generator beside it sent {counts.Sent}{Class} at {rate:0.#} a second: {counts.Ok} answered ")
            + string.Create(
                CultureInfo.InvariantCulture,
                $"({100.0 * counts.Ok / Math.Max(1, counts.Offered):0.#} %), {refused} refused, {errors} broken, ")
            + string.Create(
                CultureInfo.InvariantCulture,
                $"p50 {counts.Latency?.P50 ?? 0:0.#} ms, p99 {counts.Latency?.P99 ?? 0:0.#} ms.");
    }

    private string Class => wish.SpikeCriticality.Length > 0 ? $" {wish.SpikeCriticality} ones" : "";

    private LoadOptions Options(IReadOnlyList<string> lines) => new()
    {
        Servers = [wish.Place.Address], Models = [served], Raw = [.. wish.Raw], Rounds = 1,
        Headers = wish.Place.Key.Length > 0 ? [.. lines, $"Authorization: Bearer {wish.Place.Key}"] : [.. lines],
    };

    private static async Task<EndpointReport> RunAsync(LoadOptions options, CancellationToken stop)
    {
        try
        {
            var plan = await LoadPlanner.CreateAsync(options, stop).ConfigureAwait(false);
            var clock = new LoadClock(TimeProvider.System);
            var rounds = await new LoadRunner(plan, clock, null, new(null, clock, plan.Rounds)).RunAsync(stop)
                .ConfigureAwait(false);
            stop.ThrowIfCancellationRequested();
            return ReportBuilder.Build(plan, rounds, interrupted: false).Endpoints[0];
        }
        catch (LoadException wrong)
        {
            throw new CommandException(wrong.Message, wrong.ExitCode);
        }
    }
}
