using Spillway.Planner.Answers;

namespace Spillway.Tests.Planner.Plans;

public sealed class RegionPricesTests
{
    private const string Regions = "large: { onDemandPerHour: 1.00,";

    private static readonly string s_prices = SmallPlan.Prices.Replace("parallelism: 2, memoryGb: 4 }",
        "parallelism: 2, memoryGb: 4, regions: { east: { onDemandPerHour: 0.13 } } }", StringComparison.Ordinal);

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

    private static (string From, string To) Here(string region) => ("here: { kind: cloud,",
        $"here: {{ kind: cloud, priceRegion: {region},");
}
