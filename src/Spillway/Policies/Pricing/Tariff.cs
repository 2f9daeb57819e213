namespace Spillway.Policies.Pricing;

/// <summary>The prices of one deployment: one dated series for each of its devices. Immutable.</summary>
/// <param name="devices">In the order of the deployment's devices; at least one.</param>
public sealed class Tariff(IReadOnlyList<Dated<ModelPrice>> devices)
{
    private readonly Dated<ModelPrice>[] _devices = [.. devices];

    /// <summary>Whether a person gave prices for it; else a runtime declares them of itself.</summary>
    public bool IsConfigured { get; init; }

    /// <summary>Prices that a runtime declares of itself, the same on every device and for ever.</summary>
    public static Tariff Declared(Money run, Money row, int devices) => new(
        [.. Enumerable.Repeat(Dated.Always(new ModelPrice { PerRun = run, PerRow = row }), devices)]);

    /// <summary>What holds on one of its devices at that time. 0 B.</summary>
    public ModelPrice At(int device, DateTimeOffset now) => _devices[device].At(now);

    /// <summary>
    /// The most that a request can cost at that time, on the dearest of its devices; what to reserve for it.
    /// </summary>
    public Money AtMost(long rows, TimeSpan runMax, DateTimeOffset now)
    {
        var most = Money.Zero;
        foreach (var device in _devices)
        {
            var here = device.At(now).AtMost(rows, runMax);
            if (here.Nano > most.Nano)
                most = here;
        }

        return most;
    }
}
