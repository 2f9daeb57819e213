using Spillway.Planner.Answers;

namespace Spillway.Tests.Planner.Plans;

public sealed class RegionPricesTests
{
    private const string Regions = "large: { onDemandPerHour: 1.00,";

    private static readonly string s_prices = SmallPlan.Prices.Replace("parallelism: 2, memoryGb: 4 }",
        "parallelism: 2, memoryGb: 4, regions: { east: { onDemandPerHour: 0.13 } } }", StringComparison.Ordinal);

    private static readonly string s_platforms = SmallPlan.Prices.Replace("coldStartMs: 300 }", """
        coldStartMs: 300, regions: {
            half: { perMillionRequests: 0.3 },
            east: { perMillionRequests: 0.3, perGbSecond: 0.00002, provisionedPerGbSecond: 0.000005,
              provisionedRunPerGbSecond: 0.00001 } } }
        """, StringComparison.Ordinal);

    private static readonly (string From, string To) s_functions = Functions("provisioned: 2");
    private static readonly (string From, string To) s_unprovisioned = Functions("provisioned: 0");

    [Fact]
    public void A_site_pays_the_prices_of_its_region()
    {
        var plan = SmallPlan.Result(s_prices, [Here("east")]).Plan!;
        var line = Evaluation.Run(plan, plan.Candidates[0])!.Costs.Single(l => l.Unit == "hours");
        Assert.Equal(0.13m, line.Price);
        plan = SmallPlan.Result(s_prices, []).Plan!;
        Assert.Equal(0.10m, Evaluation.Run(plan, plan.Candidates[0])!.Costs.Single(l => l.Unit == "hours").Price);
    }

    [Theory]
    [InlineData("west", "")]
    [InlineData("east", ", purchase: spot")]
    public void A_price_that_the_region_does_not_have_is_never_taken_from_elsewhere(string region, string purchase)
    {
        Assert.Contains(Regions, s_prices, StringComparison.Ordinal);
        var result = SmallPlan.Result(s_prices, [Here(region), ("machine: small, replicas: 1 }",
            $"machine: small, replicas: 1{purchase} }}")]);
        var error = Assert.Single(result.Errors, e => e.Key.Contains("candidates[0]", StringComparison.Ordinal));
        Assert.Contains($"no such price in {region}", error.Problem, StringComparison.Ordinal);
        Assert.Contains($"regions.{region}.", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_pays_the_prices_of_its_region()
    {
        var plan = SmallPlan.Result(s_platforms, [s_functions, At("east")]).Plan!;
        var lines = Evaluation.Run(plan, plan.Candidates[1])!.Costs.ToDictionary(l => l.What, l => l.Price);
        Assert.Equal((0.3m, 0.00002m, 0.000005m, 0.00001m), (lines["calls"], lines["running time"],
            lines["provisioned"], lines["running time, provisioned"]));
        plan = SmallPlan.Result(s_platforms, [s_unprovisioned]).Plan!;
        lines = Evaluation.Run(plan, plan.Candidates[1])!.Costs.ToDictionary(l => l.What, l => l.Price);
        Assert.Equal((0.2m, 0.0000166667m), (lines["calls"], lines["running time"]));
    }

    [Theory]
    [InlineData("west", "of calls", "regions.west.perMillionRequests")]
    [InlineData("west", "of running time", "regions.west.perGbSecond")]
    [InlineData("half", "of running time", "regions.half.perGbSecond")]
    public void A_price_of_functions_that_the_region_does_not_have_is_never_taken_from_elsewhere(
        string region, string what, string key)
    {
        var result = SmallPlan.Result(s_platforms, [s_unprovisioned, At(region)]);
        var error = Assert.Single(result.Errors, e => e.Problem.Contains(what, StringComparison.Ordinal));
        Assert.Contains($"in {region}", error.Problem, StringComparison.Ordinal);
        Assert.Contains(key, error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Provisioned_instances_without_a_price_in_the_region_make_a_candidate_infeasible()
    {
        var plan = SmallPlan.Result(s_platforms, [s_functions]).Plan!;
        Assert.Contains("no price for provisioned", Assert.Single(Evaluation.Run(plan, plan.Candidates[1])!.Infeasible),
            StringComparison.Ordinal);
    }

    private static (string From, string To) Functions(string more) => SmallPlan.Also($$"""
          - name: two
            variant: good
            sites: { functions: { serverless: { memoryGb: 3, {{more}} } } }
        """);

    private static (string From, string To) At(string region) => ("functions: { kind: serverless,",
        $"functions: {{ kind: serverless, priceRegion: {region},");

    private static (string From, string To) Here(string region) => ("here: { kind: cloud,",
        $"here: {{ kind: cloud, priceRegion: {region},");
}
