namespace Spillway.Policies.Pricing;

/// <summary>
/// What work costs: one currency, prices of hardware by device and prices of work by model, each dated. Nothing is
/// priced without the section; with it, every model must be covered, because a price that nobody gave is a wrong bill.
/// </summary>
public sealed record PricesOptions
{
    /// <summary>A file with these keys in place of them; empty for none.</summary>
    [Option("A file that holds currency, devices and models in place of this section, relative to spillway.yaml: for "
        + "prices that somebody else keeps.")]
    public string File { get; init; } = "";

    /// <summary>The currency of every amount.</summary>
    [Option("The currency of every amount, as three capital letters: EUR, USD.")]
    public string Currency { get; init; } = "";

    /// <summary>Prices of own hardware by device.</summary>
    [Option("Price of own hardware by device, dated: { cpu: [{ from: 2026-01-01, perHour: 0.38 }] }. The name is a "
        + "device's (cpu, cuda:0), or what stands before its colon and then holds for each of them (cuda).")]
    public IReadOnlyDictionary<string, IReadOnlyList<DevicePriceOptions>> Devices { get; init; } =
        new Dictionary<string, IReadOnlyList<DevicePriceOptions>>();

    /// <summary>Prices of a model's work.</summary>
    [Option("Price of a model's work by the model's name, dated, beside what its hardware costs: "
        + "{ translate: [{ from: 2026-01-01, perRow: 0.0002 }] }; or of an upstream's, by the upstream's name.")]
    public IReadOnlyDictionary<string, IReadOnlyList<ModelPriceOptions>> Models { get; init; } =
        new Dictionary<string, IReadOnlyList<ModelPriceOptions>>();

    /// <summary>Thresholds of cost by name.</summary>
    [Option("Thresholds of cost by name; a warning in the log and a metric tell when one is reached. Needs the ledger: "
        + "{ vision: { owner: vision-team, perDay: 20 } }.")]
    public IReadOnlyDictionary<string, CostAlertOptions> Alerts { get; init; } =
        new Dictionary<string, CostAlertOptions>();
}

/// <summary>What a device costs from a date on.</summary>
public sealed record DevicePriceOptions
{
    /// <summary>First day of the price, UTC.</summary>
    [Option("The first day of the price, in UTC: 2026-01-01. It holds until the next entry begins.", Required = true)]
    public string From { get; init; } = "";

    /// <summary>An hour of the whole device.</summary>
    [Option("Price of an hour of the whole device, busy or not. 0 for hardware that costs nothing.",
        Unit = "currency units", Min = 0, Max = 1_000_000, Required = true)]
    public double PerHour { get; init; }
}

/// <summary>What a model's work costs from a date on.</summary>
public sealed record ModelPriceOptions
{
    /// <summary>First day of the price, UTC.</summary>
    [Option("The first day of the price, in UTC: 2026-01-01. It holds until the next entry begins.", Required = true)]
    public string From { get; init; } = "";

    /// <summary>An hour of hardware that only this model has; null for its device's price.</summary>
    [Option("Price of an hour of hardware that this model has for itself, busy or not, in place of its device's price. "
        + "Of an upstream: of an hour of the time that its calls take.",
        Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double? PerHour { get; init; }

    /// <summary>Each run, shared by the requests in it by rows.</summary>
    [Option("Price of a run, shared by the requests in it by their rows.",
        Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double PerRun { get; init; }

    /// <summary>Each row that was answered.</summary>
    [Option("Price of each row that is answered.", Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double PerRow { get; init; }

    /// <summary>A million tokens of prompts.</summary>
    [Option("For an upstream that speaks OpenAI's protocol: price of a million tokens of prompts.",
        Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double PerMillionInput { get; init; }

    /// <summary>A million tokens of prompts from the model's cache; null as others.</summary>
    [Option("Price of a million tokens of prompts that came from the model's own cache (cached_tokens). Left out: as "
        + "perMillionInput.", Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double? PerMillionCached { get; init; }

    /// <summary>A million tokens of answers.</summary>
    [Option("Price of a million tokens of answers.", Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double PerMillionOutput { get; init; }

    /// <summary>A million tokens of reasoning; null as others.</summary>
    [Option("Price of a million tokens of reasoning (reasoning_tokens). Left out: as perMillionOutput.",
        Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double? PerMillionReasoning { get; init; }

    /// <summary>Each request that was answered.</summary>
    [Option("Price of each request that is answered.", Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double PerRequest { get; init; }
}

/// <summary>A threshold of cost; the one that is crossed first tells.</summary>
public sealed record CostAlertOptions
{
    /// <summary>Only this tenant's costs.</summary>
    [Option("Counts only the costs of this tenant. Empty counts all.")]
    public string Tenant { get; init; } = "";

    /// <summary>Only this model's costs.</summary>
    [Option("Counts only the costs of this model. Empty counts all.")]
    public string Model { get; init; } = "";

    /// <summary>Only this owner's costs.</summary>
    [Option("Counts only the costs of what this owner answers for. Empty counts all.")]
    public string Owner { get; init; } = "";

    /// <summary>Limit of an hour.</summary>
    [Option("Tells when the costs of an hour of the clock (UTC), waste and idle time included, reach this; 0 never.",
        Unit = "currency units", Min = 0, Max = 1_000_000_000)]
    public double PerHour { get; init; }

    /// <summary>Limit of a day.</summary>
    [Option("Tells when the costs of a day (UTC), waste and idle time included, reach this; 0 never.",
        Unit = "currency units", Min = 0, Max = 1_000_000_000)]
    public double PerDay { get; init; }
}
