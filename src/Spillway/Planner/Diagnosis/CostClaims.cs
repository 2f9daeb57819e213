using Spillway.Planner.Economics;

namespace Spillway.Planner.Diagnosis;

/// <summary>Holds prices against volumes, servers, functions and each other.</summary>
/// <param name="options">The claims.</param>
/// <param name="say">Where the sentences go.</param>
internal sealed class CostClaims(ClaimOptions options, Sentences say)
{
    private const double FarApart = 10;

    /// <summary>Says what cannot be right.</summary>
    public void Run()
    {
        foreach (var system in options.Systems)
        {
            Servers(system);
            Volume(system);
            Functions(system);
            Switch(system);
        }

        Alike();
        Spread();
    }

    private static double Capacity(ClaimedSystem system) => system.Servers * system.ServerRate;

    // What an hour of one server costs, if the yearly volume pays for them.
    private static double ServerHour(ClaimedSystem system) =>
        system.PerThousand / 1e3 * system.YearlyVolume / 8760 / system.Servers;

    private static bool HasVolume(ClaimedSystem system) =>
        system is { PerThousand: > 0, YearlyVolume: > 0, Servers: > 0, ServerRate: > 0, Serverless: false };

    private void Servers(ClaimedSystem system)
    {
        if (system is not { ServerMonthlyCost: > 0 })
            return;
        var hour = system.ServerMonthlyCost / CostCurve.HoursPerMonth;
        if (system is { Servers: > 0, MonthlyCost: > 0 }
            && Math.Abs((system.Servers * system.ServerMonthlyCost) - system.MonthlyCost) > 0.01 * system.MonthlyCost)
            say.Say(DiagnosisKind.Contradiction, $"{system.Name}: {system.Servers:0} servers of "
                + $"{system.ServerMonthlyCost:0} are {system.Servers * system.ServerMonthlyCost:0} a month, and "
                + $"{system.MonthlyCost:0} is said.");
        var near = options.Model?.DevicePerHour.Where(device => device.Value > 0)
            .OrderBy(device => Math.Abs(Math.Log(device.Value / hour))).Select(device => device.Key).FirstOrDefault();
        if (near is not null)
            say.Say(DiagnosisKind.Consequence, $"{system.Name}: {system.ServerMonthlyCost:0} a month are {hour:0.00} "
                + $"an hour, the price of one {near}.");
    }

    private void Volume(ClaimedSystem system)
    {
        if (!HasVolume(system))
            return;
        var rate = system.YearlyVolume / CostCurve.SecondsPerYear;
        var use = rate / Capacity(system);
        var curve = new CostCurve(ServerHour(system) * system.Servers, Capacity(system));
        say.Say(DiagnosisKind.Consequence, $"{system.Name}: {system.YearlyVolume:0.##e+0} a year are {rate:0} a "
            + $"second, {use:P0} of its {Capacity(system):0}. At {system.PerThousand:0.##} a thousand its servers cost "
            + $"{ServerHour(system):0.00} an hour each; at full use a thousand would cost "
            + $"{curve.PerThousand(1):0.0000}. The cost of a thousand is no constant: it is the price of an hour by "
            + $"how much is asked in it.");
    }

    // Servers at the same price of which one does many times as much.
    private void Alike()
    {
        var priced = options.Systems.Where(HasVolume).ToList();
        for (var a = 0; a < priced.Count; a++)
        {
            for (var b = a + 1; b < priced.Count; b++)
            {
                var (one, other) = (priced[a], priced[b]);
                var (price, work) = (ServerHour(one) / ServerHour(other), one.ServerRate / other.ServerRate);
                if (price is > 0.9 and < 1.1 && work is < 1 / FarApart + 1e-9 or > FarApart - 1e-9)
                    say.Say(DiagnosisKind.Contradiction, $"{one.Name} and {other.Name}: both imply "
                        + $"{ServerHour(one):0.00} for an hour of a server, though one does "
                        + $"{one.ServerRate:0.#} a second and the other {other.ServerRate:0.#}: the difference in "
                        + $"price is the number of servers, nothing else.");
            }
        }
    }

    private void Functions(ClaimedSystem system)
    {
        if (!system.Serverless || options.Functions is not { } functions)
            return;
        var price = new ServerlessPrice(functions.PerRequest, functions.PerGbSecond);
        if (system.PerThousand > 0)
            say.Say(DiagnosisKind.Consequence, $"{system.Name}: {system.PerThousand:0.###} a thousand buy "
                + $"{price.GbSecondsFor(system.PerThousand / 1e3):0.00} GB-s for "
                + $"each: {functions.MemoryMaxGb:0.##} GB for "
                + $"{price.GbSecondsFor(system.PerThousand / 1e3) / functions.MemoryMaxGb:0.00} s "
                + $"({functions.Source}).");
        if (options.Model is { } model && model.WeightsGb > functions.MemoryMaxGb)
            say.Say(DiagnosisKind.Contradiction, $"{system.Name}: weights of {model.WeightsGb:0.#} GB do not fit "
                + $"into a function of {functions.MemoryMaxGb:0.##} GB; in 4 bits ({model.WeightsGb / 4:0.#} GB) they "
                + $"would.");
        var atOnce = ServerlessPrice.Concurrency(system.Load, system.LatencyMs / 1e3);
        if (atOnce > functions.ConcurrencyMax)
            say.Say(DiagnosisKind.Contradiction, $"{system.Name}: {system.Load:0} a second of {system.LatencyMs:0} "
                + $"ms are {atOnce:0} at once (Little's law), and {functions.ConcurrencyMax:0} are allowed unless the "
                + $"provider is asked: the rest is refused.");
        foreach (var owned in options.Systems.Where(HasVolume).Where(_ => system.PerThousand > 0))
        {
            var curve = new CostCurve(ServerHour(owned) * owned.Servers, Capacity(owned));
            if (curve.BreakEvenUse(system.PerThousand / 1e3) is > 1 and < FarApart and var use)
                say.Say(DiagnosisKind.Contradiction, $"{system.Name} against {owned.Name}: at "
                    + $"{system.PerThousand:0.##} a thousand it is cheaper even where {owned.Name} is used "
                    + $"fully ({curve.PerThousand(1):0.0000}; break-even at {use:P0} use): then functions would "
                    + $"never be dear at a high volume, which is said too.");
        }
    }

    // What the same load would cost at another system's price for each.
    private void Switch(ClaimedSystem system)
    {
        var from = options.Systems.FirstOrDefault(other => other.Name == system.From);
        if (!system.Serverless || system.PerThousand <= 0 || from is not { MonthlyCost: > 0, Load: > 0 })
            return;
        var monthly = system.PerThousand / 1e3 * from.Load * 3600 * CostCurve.HoursPerMonth;
        var even = from.MonthlyCost / (system.PerThousand / 1e3);
        if (monthly > from.MonthlyCost)
            say.Say(DiagnosisKind.Contradiction, $"{system.Name}: {system.PerThousand:0.##} a thousand at "
                + $"{from.Load:0.#} a second are {monthly:#,0} a month, not cheaper than "
                + $"{from.MonthlyCost:#,0} in {from.Name} but {monthly / from.MonthlyCost:0} times as dear. It is "
                + $"cheaper below {even / 1e6:0.#} million a month, {even / 3600 / CostCurve.HoursPerMonth:0.0} a "
                + $"second.");
    }

    private void Spread()
    {
        var owned = options.Systems.Where(system => !system.Serverless).ToList();
        var priced = owned.Where(system => system.PerThousand > 0)
            .Select(system => (system.Name, Price: system.PerThousand))
            .Concat(owned.Where(system => system is { MonthlyCost: > 0, Load: > 0, PerThousand: 0 })
                .Select(system => (system.Name,
                    Price: CostCurve.PerMonth(system.MonthlyCost, system.Load).PerThousand(1))))
            .OrderBy(system => system.Price).ToList();
        if (priced.Count < 2 || priced[^1].Price < FarApart * priced[0].Price)
            return;
        foreach (var (name, price) in priced.Skip(1).Where(system => system.Price >= FarApart * priced[0].Price))
            say.Say(DiagnosisKind.Contradiction, $"{priced[0].Name} and {name}: {priced[0].Price:0.0000} and "
                + $"{price:0.0000} for a thousand are {price / priced[0].Price:0} times "
                + $"apart. They are not prices of the same work, or not at the same use.");
    }
}
