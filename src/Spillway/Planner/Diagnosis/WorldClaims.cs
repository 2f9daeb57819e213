using Spillway.Planner.Economics;
using Spillway.Planner.Queueing;

namespace Spillway.Planner.Diagnosis;

/// <summary>Holds claims about starting servers, distances and discounts against arithmetic.</summary>
/// <param name="options">The claims.</param>
/// <param name="say">Where the sentences go.</param>
internal sealed class WorldClaims(ClaimOptions options, Sentences say)
{
    // Light in fibre: two thirds of its speed in a vacuum.
    private const double FibreKmPerMs = 200;

    /// <summary>Says what cannot be right.</summary>
    public void Run()
    {
        foreach (var growth in options.Growth)
            Growth(growth);
        foreach (var way in options.Distances)
        {
            var trip = 2 * way.Km / FibreKmPerMs;
            if (way.RoundTripMs < trip)
                say.Say(DiagnosisKind.Contradiction, $"{way.Name}: {way.Km:#,0} km of fibre take {trip / 2:0.0} ms "
                    + $"one way and {trip:0.0} ms there and back at least, not {way.RoundTripMs:0.#}.");
        }

        Spot();
    }

    private void Growth(ClaimedGrowth growth)
    {
        if (growth.Existing > 0)
        {
            var spike = new DeadTime(growth.Busy, growth.Growth, growth.StartSeconds,
                Capacity: (growth.Existing + growth.Added) / growth.Existing);
            say.Say(DiagnosisKind.Consequence, $"{growth.Existing:0} servers {growth.Busy:P0} busy at "
                + $"{growth.Growth:0.#} times the load are {spike.Overload:P0} busy for "
                + $"{growth.StartSeconds:0.#} s: the last of them waits {spike.LongestWait:0.0} s. The queue needs "
                + $"{spike.Drain:0.#} s more to drain, so the spike is felt for {spike.Recovery:0.#} s, not "
                + $"{growth.StartSeconds:0.#}.");
        }

        // n + added servers must do growth * busy * n.
        var most = growth.Added / ((growth.Growth * growth.Busy) - 1);
        if (growth.Growth * growth.Busy > 1 && (growth.Existing == 0 ? most < growth.Added : growth.Existing > most))
            say.Say(DiagnosisKind.Contradiction, $"{growth.Added:0} more servers for {growth.Growth:0.#} times the "
                + $"load at {growth.Busy:P0} busy suffice for at most {Math.Floor(most):0} existing: from "
                + $"{Math.Floor(most) + 1:0} on, the queue never drains.");
    }

    private void Spot()
    {
        if (options.SpotDiscountMin <= 0)
            return;
        foreach (var spot in options.Spot)
        {
            var least = new SpotPrice(spot.SpotMax, spot.OnDemand).Discount;
            var most = new SpotPrice(spot.SpotMin, spot.OnDemand).Discount;
            if (least < options.SpotDiscountMin)
                say.Say(DiagnosisKind.Contradiction, $"{spot.Name} on spot: {least:P0} to {most:P0} off in these "
                    + $"prices, and {options.SpotDiscountMin:P0} at least is said.");
        }
    }
}
