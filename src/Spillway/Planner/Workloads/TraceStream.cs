using Spillway.Planner.Plans;

namespace Spillway.Planner.Workloads;

/// <summary>
/// Recorded arrivals, or a region's part of them: each goes to one region by a draw, the same in every candidate. What
/// the trace does not say is drawn as the workload says.
/// </summary>
/// <param name="options">The workload.</param>
/// <param name="trace">What was recorded.</param>
/// <param name="part">Of which share of the users, from and to, in 0 to 1.</param>
/// <param name="seconds">When the simulated time ends.</param>
/// <param name="seed">Of the plan.</param>
/// <param name="drill">
/// A spike: so many times faster pass the recorded times while it lasts, and what comes after it comes earlier. Null
/// for none.
/// </param>
public sealed class TraceStream(
    WorkloadOptions options, RecordedTrace trace, (double From, double To) part, double seconds, long seed,
    SpikeOptions? drill = null)
    : IArrivalStream
{
    private readonly Chance _regions = new(seed, $"{options.Name} regions");
    private readonly Chance _sizes = new(seed, $"{options.Name} sizes");
    private int _next;

    /// <inheritdoc/>
    public bool Next(out Arrival arrival)
    {
        arrival = default;
        while (_next < trace.Count)
        {
            // Everything is drawn for everybody, so that the draws are the same in each region.
            var drawn = _regions.Next();
            arrival = At(_next++);
            if (arrival.At.Ticks >= seconds * TimeSpan.TicksPerSecond)
                return false;
            if (drawn >= part.From && drawn < part.To)
                return true;
        }

        return false;
    }

    private Arrival At(int at) => new()
    {
        At = new((long)Played(trace.At[at] / options.Speed)), Size = trace.Size?[at] ?? Draw(options.Size),
        TokensIn = trace.TokensIn?[at] ?? Whole(options.TokensIn),
        TokensOut = trace.TokensOut?[at] ?? Whole(options.TokensOut), Key = trace.Keys?[at] ?? -1,
    };

    /// <summary>When what was recorded then is played: in ticks, as given.</summary>
    private double Played(double ticks)
    {
        if (drill is not { Factor: > 0 } spike)
            return ticks;
        var (begins, lasts) = (spike.AtSecond * TimeSpan.TicksPerSecond, spike.ForSeconds * TimeSpan.TicksPerSecond);
        if (ticks <= begins)
            return ticks;
        var squeezed = lasts * spike.Factor;
        return ticks < begins + squeezed ? begins + ((ticks - begins) / spike.Factor) : ticks - squeezed + lasts;
    }

    private int Whole(AmountOptions? amount) => amount is null ? 0 : Math.Max(1, (int)Math.Round(Draw(amount)));

    private double Draw(AmountOptions amount)
    {
        var drawn = _sizes.LogNormal(amount.Mean, amount.Variation);
        return amount.Max is { } most && drawn > most ? most : drawn;
    }
}
