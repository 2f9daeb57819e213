using System.Reflection;
using Spillway.Policies.Scaling;

namespace Spillway.Tests.Policies.Scaling;

public sealed class ScalingCatalogueTests
{
    public static TheoryData<string> Names => [.. ScalingCatalogue.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_name_makes_its_policy_which_stays_in_its_limits_and_says_why(string name)
    {
        var policy = Make(new() { Policy = name, ReplicasMin = 1, ReplicasMax = 20 });
        Assert.Equal(name, policy.Name);
        Assert.True(policy.Every > TimeSpan.Zero);
        var random = new Random(5);
        var wanted = 3;
        for (var at = TimeSpan.Zero; at < TimeSpan.FromHours(1); at += policy.Every)
        {
            var decision = policy.Decide(Any(random, wanted), new(at.Ticks));
            Assert.InRange(decision.Replicas, 1, 20);
            Assert.NotEmpty(decision.Reason);
            wanted = decision.Replicas;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Same_observations_give_the_same_decisions(string name) =>
        Assert.Equal(Decisions(name), Decisions(name));

    [Fact]
    public void Options_name_every_policy()
    {
        static string[] Words(string property) => typeof(ScalingOptions).GetProperty(property)!
            .GetCustomAttribute<OptionAttribute>()!.OneOf.Split('|');
        Assert.Equal(ScalingCatalogue.Names, Words(nameof(ScalingOptions.Policy)));
        Assert.Equal(ScalingCatalogue.ReactiveNames, Words(nameof(ScalingOptions.Reactive)));
    }

    [Theory]
    [InlineData("hpaa", "queue", "scaling.policy is 'hpaa'")]
    [InlineData("hpa", "predictive", "scaling.reactive is 'predictive'")]
    public void Unknown_name_is_a_fault_with_the_known_ones(string policy, string reactive, string begins)
    {
        var fault = ScalingCatalogue.Create(new() { Policy = policy, Reactive = reactive }).Fault!;
        Assert.StartsWith(begins, fault.Message, StringComparison.Ordinal);
        Assert.Contains("ray-serve", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_that_cross_are_a_fault() => Assert.Contains("replicasMax is 2, below replicasMin, which is 5",
        ScalingCatalogue.Create(new() { ReplicasMin = 5, ReplicasMax = 2 }).Fault!.Message, StringComparison.Ordinal);

    [Fact]
    public void Queue_target_grows_at_once_and_shrinks_after_five_minutes()
    {
        var policy = Make(new() { Policy = "queue" });
        ScalingObservation Seen(int wanted, double ongoing) =>
            new() { Wanted = wanted, Ready = wanted, InFlight = ongoing / 2, Queued = ongoing / 2 };
        Assert.Equal(10, policy.Decide(Seen(2, 20), At(0)).Replicas);
        Assert.Equal(10, policy.Decide(Seen(10, 8), At(15)).Replicas);
        Assert.Equal(4, policy.Decide(Seen(10, 8), At(316)).Replicas);
    }

    [Fact]
    public void Utilisation_target_stays_within_its_tolerance_and_holds_without_figures()
    {
        var policy = Make(new() { Policy = "utilisation" });
        ScalingObservation Seen(double busy) => new() { Wanted = 10, Ready = 10, Utilisation = busy };
        Assert.Equal(10, policy.Decide(Seen(0.75), At(0)).Replicas);
        Assert.Equal(13, policy.Decide(Seen(0.9), At(15)).Replicas);
        Assert.Equal(10, policy.Decide(Seen(double.NaN), At(30)).Replicas);
    }

    [Fact]
    public void Scale_to_zero_lets_the_last_one_go_late_and_brings_one_at_once()
    {
        var policy = Make(new() { Policy = "scale-to-zero", ReplicasMin = 0 });
        var idle = new ScalingObservation { Wanted = 1, Ready = 1 };
        Assert.Equal(1, policy.Decide(idle, At(0)).Replicas);
        Assert.Equal(1, policy.Decide(idle, At(299)).Replicas);
        Assert.Equal(0, policy.Decide(idle, At(300)).Replicas);
        var asks = new ScalingObservation { Wanted = 0, Ready = 0, Queued = 1, LoadDelay = TimeSpan.FromSeconds(9) };
        var first = policy.Decide(asks, At(301));
        Assert.Equal(1, first.Replicas);
        Assert.Contains("waits 9 s", first.Reason, StringComparison.Ordinal);
    }

    private static List<int> Decisions(string name)
    {
        var policy = Make(new() { Policy = name });
        var random = new Random(6);
        return [.. Enumerable.Range(0, 200).Select(at =>
            policy.Decide(Any(random, 1 + (at % 7)), new(at * policy.Every.Ticks)).Replicas)];
    }

    private static ScalingObservation Any(Random random, int wanted) => new()
    {
        Wanted = wanted,
        Ready = Math.Max(0, wanted - 1),
        Starting = 1,
        Utilisation = random.NextDouble(),
        InFlight = 10 * random.NextDouble(),
        Queued = random.Next(3) == 0 ? 100 * random.NextDouble() : 0,
        RatePerSecond = 30 * random.NextDouble(),
        ReplicaPerSecond = random.Next(2) * 12,
        ProvisionDelay = TimeSpan.FromSeconds(20),
        LoadDelay = TimeSpan.FromSeconds(30),
    };

    private static ScalingLimits Make(ScalingOptions options) => ScalingCatalogue.Create(options).Value;

    private static Instant At(double seconds) => new((long)(seconds * TimeSpan.TicksPerSecond));
}
