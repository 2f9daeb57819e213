namespace Spillway.Policies.Pricing;

/// <summary>
/// The prices of a server, validated: what each deployment pays follows from it. Immutable; a price that nobody gave
/// is a fault, never zero.
/// </summary>
public sealed class PriceList
{
    private readonly Dictionary<string, Dated<Money>> _devices;
    private readonly Dictionary<string, Dated<ModelRates>> _models;
    private readonly Dictionary<string, Dated<TokenPrice>> _tokens;

    private PriceList(PricesOptions options)
    {
        Currency = options.Currency;
        _devices = options.Devices.ToDictionary(
            d => d.Key, d => Series(d.Value, p => p.From, p => Amounts.Of(p.PerHour)), StringComparer.Ordinal);
        _models = options.Models.ToDictionary(
            m => m.Key, m => Series(m.Value, p => p.From, Rates), StringComparer.Ordinal);
        _tokens = options.Models.ToDictionary(
            m => m.Key, m => Series(m.Value, p => p.From, Tokens), StringComparer.Ordinal);
    }

    /// <summary>The currency of every amount.</summary>
    public string Currency { get; }

    /// <summary>Reads options that were validated; throws for others, because the caller did not look.</summary>
    public static PriceList From(PricesOptions options) => new(options);

    /// <summary>Whether the model has prices of its own.</summary>
    public bool Has(string model) => _models.ContainsKey(model);

    /// <summary>What the tokens of an upstream cost; null when it has no price.</summary>
    public Dated<TokenPrice>? TokensOf(string upstream) => _tokens.GetValueOrDefault(upstream);

    /// <summary>
    /// What the answers of an upstream cost that takes tensors: each request, each row, and an hour of the time that
    /// its calls take; null when it has no price.
    /// </summary>
    public Tariff? UpstreamOf(string upstream) => _models.GetValueOrDefault(upstream) is { } rates
        ? new Tariff([rates.Select(r => Price(r.Hour ?? Money.Zero, r, places: 1))]) { IsConfigured = true }
        : null;

    /// <summary>Whether any hardware is priced by the name of a device.</summary>
    public bool HasDevices => _devices.Count > 0;

    /// <summary>
    /// The name of the hardware that a model runs on, by which its idle time is shared: the device, or the model where
    /// it has hardware of its own.
    /// </summary>
    public string Hardware(string model, string device) => OwnHour(model) is null ? device : $"model:{model}";

    /// <summary>What an hour of that hardware costs; null when it has no price.</summary>
    public Dated<Money>? Hour(string model, string device) => OwnHour(model) ?? DeviceHour(device);

    /// <summary>What a deployment pays on each of its devices; or the fault that names what has no price.</summary>
    /// <param name="model">The deployment's name.</param>
    /// <param name="devices">Its devices, each with the runs that it carries at once.</param>
    /// <param name="declaredRun">What its runtime declares for a run; holds where the list says nothing.</param>
    /// <param name="declaredRow">What its runtime declares for a row.</param>
    public Outcome<Tariff> TariffOf(
        string model, IReadOnlyList<(string Name, int Places)> devices, Money declaredRun, Money declaredRow)
    {
        var declared = declaredRun != Money.Zero || declaredRow != Money.Zero;
        var rates = _models.GetValueOrDefault(model)
            ?? (declared ? Dated.Always(new ModelRates(null, declaredRun, declaredRow, Money.Zero)) : null);
        List<Dated<ModelPrice>> series = [];
        foreach (var (name, places) in devices)
        {
            var hour = Hour(model, name);
            if (rates is null && hour is null)
                return Unpriced(model, name);
            series.Add(Dated.Join(
                hour ?? Dated.Always(Money.Zero), rates ?? Dated.Always(default(ModelRates)),
                (h, r) => Price(h, r, places)));
        }

        return new Tariff(series) { IsConfigured = true };
    }

    private static ModelPrice Price(Money hour, ModelRates rates, int places) => new()
    {
        PerHour = hour, Places = places, PerRun = rates.Run, PerRow = rates.Row, PerRequest = rates.Request,
    };

    private static ModelRates Rates(ModelPriceOptions price) => new(
        price.PerHour is { } hour ? Amounts.Of(hour) : null, Amounts.Of(price.PerRun), Amounts.Of(price.PerRow),
        Amounts.Of(price.PerRequest));

    private static TokenPrice Tokens(ModelPriceOptions price) => new()
    {
        Input = Amounts.Of(price.PerMillionInput),
        Cached = Amounts.Of(price.PerMillionCached ?? price.PerMillionInput),
        Output = Amounts.Of(price.PerMillionOutput),
        Reasoning = Amounts.Of(price.PerMillionReasoning ?? price.PerMillionOutput),
        PerRequest = Amounts.Of(price.PerRequest),
    };

    private static Dated<T> Series<TOptions, T>(
        IReadOnlyList<TOptions> entries, Func<TOptions, string> from, Func<TOptions, T> value) => new(
        [.. entries.Select(e => (Amounts.TryDay(from(e), out var day) ? day
            : throw new ArgumentException($"'{from(e)}' is no day."), value(e)))]);

    private Dated<Money>? OwnHour(string model) =>
        _models.GetValueOrDefault(model) is { } rates && rates.Days.All(d => rates.On(d).Hour is not null)
            ? rates.Select(r => r.Hour!.Value) : null;

    private Dated<Money>? DeviceHour(string device) => _devices.GetValueOrDefault(device)
        ?? (device.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon
            ? _devices.GetValueOrDefault(device[..colon]) : null);

    private Fault Unpriced(string model, string device)
    {
        var known = _devices.Keys.Select(d => $"devices.{d}").Concat(_models.Keys.Select(m => $"models.{m}"));
        return new(
            FaultKind.LoadFailed,
            $"No price covers {model} on the device {device}; prices has {string.Join(", ", known.Take(10))}. Add "
            + $"prices.devices.{device}, or prices.models.{model}; a perHour of 0 says that it costs nothing.");
    }

    private readonly record struct ModelRates(Money? Hour, Money Run, Money Row, Money Request);
}
