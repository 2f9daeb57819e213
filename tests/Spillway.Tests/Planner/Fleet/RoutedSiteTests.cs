using Spillway.Planner.Answers;
using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Tests.Planner.Plans;

namespace Spillway.Tests.Planner.Fleet;

/// <summary>This server as a gateway before somebody else's: its own retries, breakers, chain and cache.</summary>
public sealed class RoutedSiteTests
{
    private const string Plain = "upstream: { firstMs: 50, pricePerMillionIn: 1, pricePerMillionOut: 2 }";

    private static readonly (string From, string To) s_tokens = ("ratePerSecond: 40,",
        "ratePerSecond: 40, tokensIn: { mean: 100 }, tokensOut: { mean: 20 },");

    private static readonly (string From, string To) s_repeats = ("ratePerSecond: 40,",
        "ratePerSecond: 40, tokensIn: { mean: 100 }, tokensOut: { mean: 20 }, repeats: { distinct: 50, zipf: 0 },");

    [Fact]
    public void Retries_mend_what_an_upstream_fails()
    {
        var once = Run(Upstream("faultShare: 0.05"));
        var again = Run(Upstream("faultShare: 0.05", "policies: {}"));
        Assert.InRange(once.RefusedShare, 0.03, 0.07);
        Assert.True(again.RefusedShare < once.RefusedShare / 4, $"{again.RefusedShare} of {once.RefusedShare}");
    }

    [Fact]
    public void Tokens_are_paid_for_answers_and_not_for_refusals()
    {
        var o = Run(s_tokens, Upstream("faultShare: 0.05", "policies: {}"));
        var read = o.Costs.Single(l => l.What == "good, tokens read");
        // Every answer of the whole run read 100 tokens.
        Assert.Equal(o.Answered * 100 / 1_000_000.0, (double)read.Quantity, o.Answered * 100 / 1_000_000.0 * 0.15);
        Assert.Equal(1m, read.Price);
    }

    [Fact]
    public void A_cached_answer_is_fresh_as_long_as_its_lifetime_and_no_longer()
    {
        double Hits(string ttl) => Run(s_repeats, Upstream("policies: {}", route: $"route: {{ cache: {{ enabled: true, "
            + $"ttlMs: {ttl} }} }}")) is var o ? o.FromCache / (double)o.Answered : 0;
        // Each of 50 questions is asked 0.8 times a second: of a minute's asks nearly all are repeats.
        var (minute, second) = (Hits("60000"), Hits("1000"));
        Assert.True(minute > 0.93, $"{minute}");
        Assert.InRange(second, 0.3, 0.6);
    }

    [Fact]
    public void One_request_asks_for_all_that_ask_the_same_meanwhile()
    {
        (string, string) slow = (Plain, Plain.Replace("firstMs: 50", "firstMs: 3000, variation: 0",
            StringComparison.Ordinal));
        var apart = Run(s_repeats, slow);
        var joined = Run(s_repeats, (Plain, Plain.Replace("firstMs: 50", "firstMs: 3000, variation: 0, policies: {}",
            StringComparison.Ordinal) + "\n    route: { cache: { enabled: true, ttlMs: 1 } }"));
        decimal Read(CandidateOutcome o) => o.Costs.Single(l => l.What.EndsWith("tokens read",
            StringComparison.Ordinal)).Quantity;
        // A question that is asked 0.8 times a second is asked some 2.4 times more while its answer is on its way.
        Assert.True(Read(joined) < Read(apart) / 2, $"{Read(joined)} of {Read(apart)}");
        Assert.Equal(joined.Offered, joined.Answered);
    }

    [Fact]
    public void An_upstream_at_429_costs_a_route_with_a_chain_little()
    {
        (string, string) drills = ("durationSeconds: 120", "durationSeconds: 300\ndrills: { forSeconds: 60 }");
        const string Both = "\n    route: { chain: { steps: [{ model: good }, { model: spare }] } }";
        (string, string) chain = (Plain, Plain + Both);
        (string, string) spare = ("  unknown:", """
              spare:
                evidence: theoretical
                source: a guess
                upstream: { firstMs: 90, pricePerMillionIn: 3, pricePerMillionOut: 6 }
              unknown:
            """);
        var drill = Drill.Find("upstream-429");
        var alone = Run(drill, drills, Upstream("policies: {}"));
        var limited = Run(drills, (Plain, Plain.Replace("firstMs: 50", "firstMs: 50, requestsPerMinuteMax: 1200",
            StringComparison.Ordinal) + Both), spare);
        var both = Run(drill, drills, chain, spare);
        Assert.InRange(alone.RefusedShare, 0.15, 0.25);
        // Most of those that the first one has refused are answered by the second, which must first be let in.
        Assert.True(both.RefusedShare < alone.RefusedShare / 3, $"{both.RefusedShare} of {alone.RefusedShare}");
        Assert.True(both.Costs.Single(l => l.What == "spare, tokens read").Price == 3m && both.Answered > 0);
        Assert.Equal(0, limited.RefusedShare, 0.001);
    }

    [Fact]
    public void An_emptied_cache_is_asked_for_anew()
    {
        (string From, string To)[] plan = [s_repeats, ("durationSeconds: 120", "durationSeconds: 300"),
            Upstream("policies: {}", route: "route: { cache: { enabled: true, ttlMs: 3600000 } }")];
        var (calm, emptied) = (Run(plan), Run(Drill.Find("empty-cache"), plan));
        Assert.InRange(calm.FromCache - emptied.FromCache, 30, 60);
    }

    [Theory]
    [InlineData("", 0.15, 0.25)]
    [InlineData(", optional: true", 0, 0.001)]
    public void The_loss_of_the_feature_store_fails_requests_or_makes_them_late(string optional, double from, double to)
    {
        (string From, string To)[] plan =
        [
            ("durationSeconds: 120", "durationSeconds: 300\ndrills: { forSeconds: 60 }"), ("memoryGb: 2",
                $"memoryGb: 2\n    before: {{ ms: 3, atOnce: 8, timeoutMs: 40{optional} }}"),
        ];
        var read = SmallPlan.Read(plan);
        var o = Evaluation.Run(read, read.Candidates[1], drill: Drill.Find("lose-features"))!;
        Assert.InRange(o.RefusedShare, from, to);
        // Of those that are answered, some waited in vain; those that failed are in no percentile.
        Assert.Equal(optional.Length > 0 ? 40 : 3, o.Stages[(int)PlanStage.Io].P99Ms, 1.0);
    }

    [Theory]
    [InlineData("steps: [{ model: god }]", "is no model and no route here")]
    [InlineData("steps: [{ model: good }, { model: good }]", "is tried by step 0 already")]
    [InlineData("steps: [{ model: unknown }]", "is no model and no route here")]
    public void A_chain_is_checked_by_the_server_s_own_rules(string steps, string words)
    {
        var result = SmallPlan.Result(Others, (Plain, $"{Plain}\n    route: {{ chain: {{ {steps} }} }}"));
        Assert.Contains(result.Errors, e => e.Problem.Contains(words, StringComparison.Ordinal)
            && e.Key.StartsWith("variants.good.route.chain.steps", StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_seed_gives_the_same_outcome()
    {
        (string From, string To)[] plan = [s_repeats, Upstream("faultShare: 0.1, atOnceMax: 4, targets: 2",
            "policies: {}", "route: { cache: { enabled: true } }")];
        var (first, second) = (Run(plan), Run(plan));
        Assert.Equal((first.Total, first.Bill, first.FromCache), (second.Total, second.Bill, second.FromCache));
    }

    private static (string From, string To) Others => SmallPlan.Also("""
          - name: two
            variant: good
            sites: { others: {} }
        """);

    private static (string From, string To) Upstream(string more, string policies = "", string route = "") => (Plain,
        Plain.Replace("firstMs: 50", $"firstMs: 50, {more}{(policies.Length > 0 ? $", {policies}" : "")}",
            StringComparison.Ordinal) + (route.Length > 0 ? $"\n    {route}" : ""));

    private static CandidateOutcome Run(params (string From, string To)[] changes) => Run(null, changes);

    private static CandidateOutcome Run(Drill? drill, params (string From, string To)[] changes)
    {
        var plan = SmallPlan.Read([Others, .. changes]);
        return Evaluation.Run(plan, plan.Candidates.Single(c => c.Name == "two"), drill: drill)!;
    }
}
