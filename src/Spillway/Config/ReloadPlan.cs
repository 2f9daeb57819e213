using Spillway.Policies.Pricing;
using Spillway.Policies.Rates;

namespace Spillway.Config;

/// <summary>
/// What a configuration that was read again changes in a server that runs, and what waits for a restart. Pure. What
/// may change: routes over language models, their upstreams and what these cost, rate limits, weights, budgets.
/// </summary>
internal sealed class ReloadPlan
{
    private ReloadPlan(Snapshot next, IReadOnlyList<string> changed, IReadOnlyList<string> needsRestart) =>
        (Next, Changed, NeedsRestart) = (next, changed, needsRestart);

    /// <summary>What is in force with it: the running one with the parts that may change.</summary>
    public Snapshot Next { get; }

    /// <summary>The keys that it changes.</summary>
    public IReadOnlyList<string> Changed { get; }

    /// <summary>The keys that differ and stay as they are until a restart.</summary>
    public IReadOnlyList<string> NeedsRestart { get; }

    /// <summary>Why a part of it cannot be put in force without the rest; empty when it can.</summary>
    /// <param name="running">What is in force.</param>
    /// <param name="read">What was read, valid.</param>
    public static IReadOnlyList<ConfigError> Obstacles(Snapshot running, Snapshot read)
    {
        List<(string Key, string Why)> refused = [.. Kinds(running, read), .. Names(running, read)];
        if (running.Prices is { } prices && read.Prices is { } others && prices.Currency != others.Currency)
            refused.Add(("prices.currency", $"Amounts that are counted now are in {prices.Currency}."));
        return refused.ConvertAll(r => new ConfigError(
            read.Source, r.Key, 0, 0, "", $"{r.Why} That cannot change while the server runs.",
            "Leave it as it is, or restart the server."));
    }

    private static IEnumerable<(string Key, string Why)> Kinds(Snapshot running, Snapshot read)
    {
        const string why = "It takes tensors in the one configuration and chats in the other.";
        return running.Upstreams.Keys.Intersect(read.Upstreams.Keys)
            .Where(name => IsChatUpstream(running, name) != IsChatUpstream(read, name))
            .Select(name => ($"upstreams.{name}.kind", why))
            .Concat(running.Routes.Keys.Intersect(read.Routes.Keys)
                .Where(name => IsChat(running, name) != IsChat(read, name)).Select(name => ($"routes.{name}", why)));
    }

    private static IEnumerable<(string Key, string Why)> Names(Snapshot running, Snapshot read)
    {
        const string why = "A model that is served now has that name.";
        var served = running.Models.SelectMany(m => m.Serve.Count == 0 ? [m.Name] : m.Serve.Keys)
            .ToHashSet(StringComparer.Ordinal);
        return read.Routes.Keys.Where(n => served.Contains(n) && IsChat(read, n)).Select(n => ($"routes.{n}", why))
            .Concat(read.Upstreams.Keys.Where(n => served.Contains(n) && IsChatUpstream(read, n))
                .Select(n => ($"upstreams.{n}", why)));
    }

    /// <summary>Compares.</summary>
    /// <param name="running">What is in force.</param>
    /// <param name="read">What was read, valid and without <see cref="Obstacles"/>.</param>
    /// <param name="keepsBudgets">Whether the server has a store for budgets; the first one needs a restart.</param>
    /// <param name="now">When it is put in force.</param>
    public static ReloadPlan Of(Snapshot running, Snapshot read, bool keepsBudgets, DateTimeOffset now)
    {
        var next = running.With(
            new()
            {
                Upstreams = Merge(
                    running.Upstreams, read.Upstreams, name => IsChatUpstream(running, name),
                    name => IsChatUpstream(read, name)),
                Routes = Merge(
                    running.Routes, read.Routes, name => IsChat(running, name), name => IsChat(read, name)),
                Limits = running.Limits with
                {
                    Weights = read.Limits.Weights, Rates = Keep(running.Limits.Rates, read.Limits.Rates),
                },
                Budgets = keepsBudgets ? read.Budgets : running.Budgets,
                Prices = Prices(running, read),
            }, now);
        return new(next, ConfigDiff.Between(running, next), ConfigDiff.Between(next, read));
    }

    private static bool IsChat(Snapshot snapshot, string route) =>
        ChatChecks.IsChat(snapshot.Routes[route], snapshot.Upstreams);

    private static bool IsChatUpstream(Snapshot snapshot, string name) =>
        snapshot.Upstreams.TryGetValue(name, out var upstream) && ChatChecks.IsChat(upstream);

    /// <summary>Those that may change as they were read, in that order; the others as they are.</summary>
    private static Dictionary<string, T> Merge<T>(
        IReadOnlyDictionary<string, T> running, IReadOnlyDictionary<string, T> read, Func<string, bool> mayGo,
        Func<string, bool> mayCome)
    {
        var merged = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var (name, options) in read)
        {
            if (mayCome(name))
                merged.Add(name, options);
            else if (running.TryGetValue(name, out var known))
                merged.Add(name, known);
        }

        foreach (var (name, options) in running)
        {
            if (!mayGo(name))
                merged.TryAdd(name, options);
        }

        return merged;
    }

    /// <summary>Rules that are the same stay the very same, so that what is counted for them goes on.</summary>
    private static Dictionary<string, RateOptions> Keep(
        IReadOnlyDictionary<string, RateOptions> running, IReadOnlyDictionary<string, RateOptions> read) =>
        read.ToDictionary(
            r => r.Key, r => running.TryGetValue(r.Key, out var known) && EffectiveJson.Same(known, r.Value)
                ? known : r.Value, StringComparer.Ordinal);

    /// <summary>Prices of tokens may change; those of hardware and of models were loaded with them.</summary>
    private static PricesOptions? Prices(Snapshot running, Snapshot read)
    {
        if (running.Prices is not { } prices || read.Prices is not { } others)
            return running.Prices;
        return prices with { Models = Merge(prices.Models, others.Models, IsTokens, IsTokens) };

        bool IsTokens(string name) => IsChatUpstream(read, name) || IsChatUpstream(running, name);
    }
}
