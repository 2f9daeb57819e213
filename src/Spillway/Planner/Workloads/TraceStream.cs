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
public sealed class TraceStream(
    WorkloadOptions options, RecordedTrace trace, (double From, double To) part, double seconds, long seed)
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
        At = new((long)(trace.At[at] / options.Speed)), Size = trace.Size?[at] ?? Draw(options.Size),
        TokensIn = trace.TokensIn?[at] ?? Whole(options.TokensIn),
        TokensOut = trace.TokensOut?[at] ?? Whole(options.TokensOut), Key = trace.Keys?[at] ?? -1,
    };

    private int Whole(AmountOptions? amount) => amount is null ? 0 : Math.Max(1, (int)Math.Round(Draw(amount)));

    private double Draw(AmountOptions amount)
    {
        var drawn = _sizes.LogNormal(amount.Mean, amount.Variation);
        return amount.Max is { } most && drawn > most ? most : drawn;
    }
}
