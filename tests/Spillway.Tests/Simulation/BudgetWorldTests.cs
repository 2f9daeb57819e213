using Spillway.Policies.Budgets;

namespace Spillway.Tests.Simulation;

/// <summary>Ten thousand at once against money for a thousand, with faults and kill -9: never one over.</summary>
public sealed class BudgetWorldTests
{
    private const int Requests = 10_000;
    private const int Afforded = 1_000;
    private const long Limit = Afforded * BudgetWorld.Bound;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 50)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Never_one_over_and_nothing_stays_reserved(int seed)
    {
        var random = new Random(seed);
        var slice = new[] { 0.001, 0.01, 0.1, 1 }[seed % 4];
        var kind = seed % 2 == 0 ? WindowKind.Calendar : WindowKind.Rolling;
        var world = new BudgetWorld(seed, Afforded, slice, kind);
        for (var i = 0; i < Requests; i++)
            world.Arrive(new(random.Next(0, 400_000_0)));
        var kills = random.Next(0, 6);
        for (var i = 0; i < kills; i++)
            world.Kill(new(random.Next(0, 450_000_0)));
        world.Run();

        Assert.True(world.Most <= Limit, $"{world.Most} of {Limit} with {world.Kills} kills, slice {slice}, {kind}");
        Assert.Equal(0, world.Reserved);
        Assert.True(world.Look().Spent.Nano >= world.Got, "What was got is not all counted as spent.");
        if (kills == 0)
            Assert.Equal(world.Borrowed, world.Settled);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Without_a_kill_the_budget_is_used_up_and_its_books_are_exact(int seed)
    {
        var random = new Random(seed);
        var world = new BudgetWorld(seed, Afforded, slice: 0.01, WindowKind.Calendar);
        for (var i = 0; i < Requests; i++)
            world.Arrive(TimeSpan.FromMilliseconds(random.NextDouble() * 60_000));
        world.Run();

        Assert.Equal(world.Got, world.Look().Spent.Nano);
        Assert.True(world.Got > Limit - BudgetWorld.Bound && world.Got <= Limit, $"{world.Got} of {Limit}");
        Assert.Equal(Requests, world.Answered + world.Failed + world.Refused);
        world.Stop();
        Assert.Equal((world.Got, 0L), (world.Look().Spent.Nano, world.Look().Lost.Nano));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Kill_costs_at_most_a_slice_and_what_was_in_flight(int seed)
    {
        var random = new Random(seed);
        const double Slice = 0.05;
        var world = new BudgetWorld(seed, Afforded, Slice, WindowKind.Calendar);
        for (var i = 0; i < 500; i++)
            world.Arrive(TimeSpan.FromMilliseconds(random.NextDouble() * 1000));
        world.Kill(TimeSpan.FromMilliseconds(200 + (random.NextDouble() * 600)));
        world.Run();

        // What was in flight counts as got here; the rest is what the kill took. What the server shows includes both.
        Assert.InRange(world.Look().Spent.Nano - world.Got, 0, (long)(Limit * Slice));
        Assert.InRange(world.Look().Lost.Nano, 0, (long)(Limit * Slice));
    }
}
