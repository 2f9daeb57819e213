using Spillway.Planner.Plans;

namespace Spillway.Planner.Fleet;

/// <summary>Something that goes wrong in a simulated day.</summary>
public sealed class Drill
{
    private Drill(string name, string what) => (Name, What) = (name, what);

    /// <summary>Every drill, in the order of the documentation.</summary>
    public static IReadOnlyList<Drill> All { get; } =
    [
        new("spike-10x", "ten times the requests at once, for a while"),
        new("cold-start-9am", "a quiet night has ended: only the fewest replicas are there when the day begins"),
        new("lose-node", "one replica dies with what it holds, at each site"),
        new("lose-region", "the first site of the candidate is gone with what it holds, and comes back empty"),
        new("upstream-429", "the upstream that is asked first answers 429 for a while"),
        new("spot-interruption", "a part of the spot machines is taken back at once, with the usual notice"),
        new("lose-features", "what is done before the model, as fetching features, can not be done for a while"),
        new("empty-cache", "everything remembered is forgotten"),
    ];

    /// <summary>As the command line writes it.</summary>
    public string Name { get; }

    /// <summary>What happens, in words.</summary>
    public string What { get; }

    /// <summary>The drill of that name; null for none.</summary>
    public static Drill? Find(string name) => All.FirstOrDefault(d => d.Name == name);

    /// <summary>When it begins.</summary>
    public static double BeginsAt(PlanOptions plan) => Math.Floor(plan.Drills.AtShare * plan.DurationSeconds);

    /// <summary>What it adds to the rates; null for nothing.</summary>
    internal SpikeOptions? Spike(PlanOptions plan) => Name switch
    {
        "spike-10x" => new()
        {
            AtSecond = BeginsAt(plan), ForSeconds = plan.Drills.ForSeconds, Factor = plan.Drills.SpikeFactor,
        },
        _ => null,
    };

    /// <summary>What happens when, and at which site; -1 for all.</summary>
    internal IEnumerable<(Instant At, Mishap What, int Site)> Mishaps(PlanOptions plan, IReadOnlyList<string> sites)
    {
        var at = new Instant((long)(BeginsAt(plan) * TimeSpan.TicksPerSecond));
        var after = at + TimeSpan.FromSeconds(plan.Drills.ForSeconds);
        return Name switch
        {
            "cold-start-9am" => [(at, Mishap.Cooled, -1), (at, Mishap.CacheEmptied, -1)],
            "lose-node" => [(at, Mishap.NodeLost, -1)],
            "lose-region" => sites.Count == 0 ? [] : [(at, Mishap.SiteLost, 0), (at, Mishap.CacheEmptied, 0),
                (after, Mishap.SiteBack, 0)],
            "upstream-429" => [(at, Mishap.Throttled, -1), (after, Mishap.Unthrottled, -1)],
            "lose-features" => [(at, Mishap.FeaturesLost, -1), (after, Mishap.FeaturesBack, -1)],
            "spot-interruption" => [(at, Mishap.SpotTaken, -1)],
            "empty-cache" => [(at, Mishap.CacheEmptied, -1)],
            _ => [],
        };
    }
}
