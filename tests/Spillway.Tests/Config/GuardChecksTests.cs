using Spillway.Config;
using Spillway.Policies.Budgets;
using Spillway.Policies.Guarding;

namespace Spillway.Tests.Config;

/// <summary>A limit that counts nothing because of a slip of the pen is an error, never silence.</summary>
public sealed class GuardChecksTests
{
    [Fact]
    public void Limits_and_budgets_reach_the_snapshot_and_change_its_digest()
    {
        using var folder = ConfigFolder.WithServer("""
            models: [echo]
            limits:
              fairShares: true
              weights: { gold: 3 }
              rates:
                each-tenant: { per: [tenant, route], requestsPerSecond: 2.5, routes: [echo] }
            budgets:
              monthly: { limit: 12.5, window: month, timeZone: Europe/Zurich, warnAt: [0.5], onStoreTrouble: serve }
            """);
        var snapshot = Snapshot.From(folder.Valid(), 1, DateTimeOffset.UnixEpoch);
        Assert.Equal([GuardScope.Tenant, GuardScope.Route], snapshot.Limits.Rates["each-tenant"].Per);
        Assert.Equal((3, 1), (snapshot.Limits.WeightOf("gold"), snapshot.Limits.WeightOf("tin")));
        Assert.Equal(12_500_000_000, snapshot.Budgets["monthly"].LimitMoney.Nano);
        Assert.Equal(StoreTrouble.Serve, snapshot.Budgets["monthly"].OnStoreTrouble);
        using var without = ConfigFolder.WithServer("models: [echo]\n");
        Assert.NotEqual(snapshot.Digest, Snapshot.From(without.Valid(), 1, DateTimeOffset.UnixEpoch).Digest);
    }

    [Theory]
    [InlineData("limits: { rates: { a: { concurrency: 1, models: [ecko] } } }", "limits.rates.a.models[0]", "echo")]
    [InlineData("limits: { rates: { a: { concurrency: 1, routes: [eccho] } } }", "limits.rates.a.routes[0]", "echo")]
    [InlineData("budgets: { b: { limit: 1, models: [echoo] } }", "budgets.b.models[0]", "echo")]
    [InlineData("budgets: { b: { limit: 1, timeZone: Europe/Zuerich } }", "budgets.b.timeZone", "Europe/Zurich")]
    [InlineData("budgets: { b: { limit: 1, window: moth } }", "budgets.b.window", "month")]
    [InlineData("budgets: { b: { limt: 1, limit: 1 } }", "budgets.b.limt", "limit")]
    [InlineData("limits: { rates: { a: { concurency: 1 } } }", "limits.rates.a.concurency", "concurrency")]
    public void Mistyped_name_is_an_error_with_a_suggestion(string yaml, string key, string suggestion)
    {
        using var folder = ConfigFolder.WithServer($"models: [echo]\n{yaml}\n");
        var error = folder.OnlyError();
        Assert.Equal((key, suggestion), (error.Key, error.Suggestion));
    }

    [Theory]
    [InlineData("limits: { rates: { a: { } } }", "limits.rates.a", "limits nothing")]
    [InlineData("limits: { rates: { a: { requestsPerSecond: 0 } } }", "limits.rates.a.requestsPerSecond", "")]
    [InlineData("limits: { rates: { a: { concurrency: 1, atLimit: degrade } } }", "limits.rates.a.atLimit",
        "gives no answers")]
    [InlineData(
        "limits: { rates: { a: { concurrency: 1, per: [tenant], fairShares: true } } }", "limits.rates.a.fairShares",
        "nothing is shared")]
    [InlineData("limits: { rates: { 'a b': { requestsPerSecond: 1 } } }", "limits.rates.a b", "no name")]
    [InlineData("budgets: { b: { } }", "budgets.b.limit", "missing")]
    [InlineData("budgets: { b: { limit: 0 } }", "budgets.b.limit", "")]
    [InlineData("budgets: { b: { limit: 1, atLimit: degrade } }", "budgets.b.atLimit", "gives no answers")]
    [InlineData(
        "budgets: { b: { limit: 1, kind: rolling, timeZone: Europe/Zurich } }", "budgets.b.timeZone", "no calendar")]
    public void What_cannot_work_is_refused_at_start(string yaml, string key, string says)
    {
        using var folder = ConfigFolder.WithServer($"models: [echo]\n{yaml}\n");
        var error = folder.OnlyError();
        Assert.Equal(key, error.Key);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_tenant_is_an_error_where_tenants_are_declared()
    {
        var errors = new ErrorList();
        var bound = new OptionBinder(errors);
        bound.Section(typeof(SpillwayOptions), node: null, "", new("spillway.yaml", 1, 1));
        var options = new SpillwayOptions
        {
            Budgets = new Dictionary<string, BudgetOptions> { ["b"] = new() { Limit = 1, Tenants = ["acne"] } },
        };
        GuardChecks.Check(options, [], tenants: [], bound);
        Assert.Equal(0, errors.Count);
        GuardChecks.Check(options, [], tenants: ["acme", "umbrella"], bound);
        var error = Assert.Single(errors.ToArray());
        Assert.Equal(("budgets.b.tenants[0]", "acme"), (error.Key, error.Suggestion));
    }
}
