using Spillway.Policies.Budgets;
using Spillway.Policies.Guarding;
using Spillway.Policies.Rates;

namespace Spillway.Config;

/// <summary>
/// Rules of `limits` and `budgets` that concern more than the form of one value. What a limit names must exist: one
/// that counts nothing because of a slip of the pen is the worst kind of limit.
/// </summary>
internal static class GuardChecks
{
    private const int NameMax = 64;

    /// <summary>Reports what they break.</summary>
    /// <param name="options">The root file.</param>
    /// <param name="models">What is served.</param>
    /// <param name="tenants">The tenants that exist; empty where none are declared, then any name is taken.</param>
    /// <param name="bound">Where errors go.</param>
    public static void Check(
        SpillwayOptions options, IReadOnlyList<ModelOptions> models, IReadOnlyCollection<string> tenants,
        OptionBinder bound)
    {
        Check(options.Limits, options.Budgets, new GuardNames(
            tenants,
            // A repository's models come and go while the server runs.
            options.Repository is null ? [.. models.Select(m => m.Name), .. options.Upstreams.Keys] : [],
            options.Repository is null
                ? [.. models.SelectMany(m => m.Serve.Count == 0 ? [m.Name] : m.Serve.Keys), .. options.Routes.Keys]
                : []), bound);
    }

    /// <summary>Reports what limits and budgets break that stand anywhere.</summary>
    /// <param name="limits">Rate limits.</param>
    /// <param name="budgets">Budgets by name.</param>
    /// <param name="known">What they may name.</param>
    /// <param name="bound">Where errors go.</param>
    public static void Check(
        LimitsOptions limits, IReadOnlyDictionary<string, BudgetOptions> budgets, GuardNames known, OptionBinder bound)
    {
        foreach (var tenant in limits.Weights.Keys)
            Exists(tenant, known.Tenants, "tenant", $"{known.At}limits.weights.{tenant}", bound);
        foreach (var (name, rate) in limits.Rates)
            Rate(name, rate, known, bound);
        foreach (var (name, budget) in budgets)
            Budget(name, budget, known, bound);
    }

    private static void Rate(string name, RateOptions rate, GuardNames known, OptionBinder bound)
    {
        var path = $"{known.At}limits.rates.{name}";
        Scoped(name, path, rate, rate.AtLimit, known, bound);
        if (bound.Failed(path))
            return;
        if (rate is { RequestsPerSecond: null, ItemsPerSecond: null, BytesPerSecond: null, TokensPerSecond: null,
            Concurrency: null })
        {
            bound.Report(path, "", "It limits nothing.",
                "Give it requestsPerSecond, itemsPerSecond, bytesPerSecond, tokensPerSecond or concurrency, or remove "
                + "it.");
        }

        if (rate.FairShares && rate.Per.Any(p => p is GuardScope.Tenant or GuardScope.Key))
        {
            bound.Report($"{path}.fairShares", "true", "Each tenant or key has one of its own, so nothing is shared.",
                "Remove fairShares, or take tenant and key out of per.");
        }
    }

    private static void Budget(string name, BudgetOptions budget, GuardNames known, OptionBinder bound)
    {
        var path = $"{known.At}budgets.{name}";
        Scoped(name, path, budget, budget.AtLimit, known, bound);
        if (!bound.Failed($"{path}.timeZone") && !TimeZoneInfo.TryFindSystemTimeZoneById(budget.TimeZone, out _))
        {
            bound.Report($"{path}.timeZone", budget.TimeZone, "There is no such time zone.",
                "Give a name as in the IANA database: UTC, Europe/Zurich, America/New_York.",
                Suggestion.Nearest(budget.TimeZone, TimeZoneInfo.GetSystemTimeZones().Select(z => z.Id)));
        }
        else if (budget.Kind is WindowKind.Rolling && budget.TimeZone != "UTC")
        {
            bound.Report($"{path}.timeZone", budget.TimeZone, "A rolling window has no calendar.",
                "Remove timeZone, or set kind: calendar.");
        }
    }

    private static void Scoped(
        string name, string path, ScopedOptions options, AtLimit atLimit, GuardNames known, OptionBinder bound)
    {
        // It stands in headers, metrics and texts.
        if (name.Length is 0 or > NameMax || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            bound.Report(path, name, "The name is no name.",
                $"Use at most {NameMax} letters, digits, dashes, underscores and dots.");
        }

        if (atLimit is AtLimit.Degrade)
        {
            bound.Report($"{path}.atLimit", "degrade", "A limit gives no answers.",
                "Use refuse, and let a step of a route move on for it: on: [limits, budget].");
        }

        All(options.Tenants, known.Tenants, "tenant", $"{path}.tenants", bound);
        All(options.Models, known.Models, "model", $"{path}.models", bound);
        All(options.Routes, known.Routes, "route", $"{path}.routes", bound);
    }

    private static void All(
        IReadOnlyList<string> names, IReadOnlyCollection<string> known, string noun, string path, OptionBinder bound)
    {
        for (var i = 0; i < names.Count; i++)
            Exists(names[i], known, noun, FormattableString.Invariant($"{path}[{i}]"), bound);
    }

    private static void Exists(
        string name, IReadOnlyCollection<string> known, string noun, string path, OptionBinder bound)
    {
        if (name.Length == 0)
        {
            bound.Report(path, "", $"The {noun} has no name.", $"Name a {noun}, or remove the entry.");
        }
        else if (known.Count > 0 && !known.Contains(name))
        {
            bound.Report(path, name, $"There is no {noun} of that name.",
                $"Known: {string.Join(", ", known.Take(20))}{(known.Count > 20 ? ", …" : "")}.",
                Suggestion.Nearest(name, known));
        }
    }
}

/// <summary>What limits and budgets may name; of an empty list any name is taken.</summary>
/// <param name="Tenants">Tenants.</param>
/// <param name="Models">Deployments and upstreams.</param>
/// <param name="Routes">Served names.</param>
/// <param name="At">The path before `limits` and `budgets`; empty for the root of a configuration.</param>
internal sealed record GuardNames(
    IReadOnlyCollection<string> Tenants, IReadOnlyCollection<string> Models, IReadOnlyCollection<string> Routes,
    string At = "");
