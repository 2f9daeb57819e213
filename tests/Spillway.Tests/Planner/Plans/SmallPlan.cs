using Spillway.Planner.Plans;

namespace Spillway.Tests.Planner.Plans;

/// <summary>A plan that runs in milliseconds, for tests to change a line of.</summary>
internal static class SmallPlan
{
    public const string Prices = """
        currency: EUR
        date: 2026-01-31
        source: a test
        machines:
          small: { onDemandPerHour: 0.10, spotPerHour: 0.03, reservedPerHour: 0.06, parallelism: 2, memoryGb: 4 }
          large: { onDemandPerHour: 1.00, parallelism: 8, memoryGb: 64 }
        platforms:
          functions: { perMillionRequests: 0.2, perGbSecond: 0.0000166667, memoryGbMax: 10, durationSecondsMax: 900,
            concurrencyMax: 100, coldStartMs: 300 }
        """;

    public const string Text = """
        name: small
        seed: 7
        durationSeconds: 120
        warmUpSeconds: 10
        prices: [prices.yaml]
        goals: { p95Ms: 120, refusedShareMax: 0.02 }
        regions:
          eu: {}
          us: { utcOffsetHours: -6 }
        workloads:
          - { name: people, arrivals: poisson, ratePerSecond: 40, regions: { eu: 3, us: 1 } }
        variants:
          good:
            evidence: measured
            source: a test
            quality: 0.9
            qualitySource: a test
            loadSeconds: 2
            memoryGb: 2
            serverlessMs: 60
            curves:
              small: [{ rows: 1, ms: 20 }, { rows: 2, ms: 40 }]
              large: [{ rows: 1, ms: 10 }, { rows: 8, ms: 16 }]
            upstream: { firstMs: 50, pricePerMillionIn: 1, pricePerMillionOut: 2 }
          unknown:
            evidence: theoretical
            source: a guess
            curves:
              small: [{ rows: 1, ms: 5 }, { rows: 2, ms: 10 }]
        sites:
          here: { kind: cloud, networkMs: { eu: 5, us: 40 }, egressPerGb: 0.09, provisionSeconds: 5 }
          there: { kind: cloud, networkMs: { us: 5, eu: 40 }, egressPerGb: 0.09, provisionSeconds: 5 }
          functions: { kind: serverless, platform: functions, networkMs: { eu: 5, us: 5 }, egressPerGb: 0.09 }
          others: { kind: upstream, networkMs: { eu: 5, us: 5 }, egressPerGb: 0 }
        candidates:
          - name: one
            variant: good
            sites: { here: { machine: small, replicas: 1 } }
          - name: two
            variant: good
            sites: { here: { machine: small, replicas: 2 } }
        """;

    /// <summary>The plan, with a text replaced; it must be right.</summary>
    public static Plan Read(params (string From, string To)[] changes)
    {
        var result = Result(changes);
        Assert.Empty(result.Errors);
        return result.Plan!;
    }

    /// <summary>The plan, with a text replaced.</summary>
    public static PlanResult Result(params (string From, string To)[] changes) => Result(Prices, changes);

    /// <summary>The plan with other prices.</summary>
    public static PlanResult Result(string prices, (string From, string To)[] changes, string trace = "")
    {
        var text = Text;
        foreach (var (from, to) in changes)
        {
            Assert.Contains(from, text, StringComparison.Ordinal);
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        return PlanReader.Read("plan.yaml", text, name => name switch
        {
            "prices.yaml" => new(prices),
            "trace.csv" => new(trace),
            _ => new(null, "It does not exist."),
        });
    }

    /// <summary>More candidates, in place of the second one.</summary>
    public static (string From, string To) Also(string yaml) =>
        ("  - name: two\n    variant: good\n    sites: { here: { machine: small, replicas: 2 } }", yaml);
}
