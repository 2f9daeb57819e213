using Spillway.Policies.Scaling;

namespace Spillway.Planner.Plans;

/// <summary>Makes the candidates of a search: every combination of its lists over its base.</summary>
internal static class CandidateSearch
{
    /// <summary>More combinations than anybody waits for.</summary>
    public const int CandidatesMax = 2000;

    /// <summary>The listed candidates, then those of the search that differ from its base.</summary>
    public static IReadOnlyList<CandidateOptions> Expand(PlanOptions options)
    {
        var candidates = options.Candidates.ToList();
        if (options.Search is not { } search || candidates.Find(c => c.Name == search.Base) is not { } origin)
            return candidates;
        List<CandidateOptions> found = [origin with { Name = "" }];
        Cross(ref found, search.Variants, (c, v) => c with { Variant = v });
        Cross(ref found, search.Machines, (c, m) => Places(c, p => p.Machine.Length > 0 ? p with { Machine = m } : p));
        Cross(ref found, search.Replicas, (c, n) => Places(c, p => p.Machine.Length > 0 ? Count(p, n) : p));
        Cross(ref found, search.Scaling, (c, s) => Places(c, p => p.Machine.Length > 0
            ? p with { Scaling = (p.Scaling ?? Limits(p)) with { Policy = s } } : p));
        Cross(ref found, search.Purchase, (c, b) => Places(c, p => p with { Purchase = b }));
        Cross(ref found, search.BatchRowsMax, (c, b) => c with { BatchRowsMax = b });
        Cross(ref found, search.CacheEntries, (c, e) => c with { CacheEntries = e });
        candidates.AddRange(found.Where(c => Told(c) != Told(origin)).Select(c => c with { Name = NameOf(c, search) })
            .DistinctBy(c => c.Name).Take(CandidatesMax));
        return candidates;
    }

    /// <summary>How many combinations the lists have.</summary>
    public static long Combinations(SearchOptions search) =>
        Math.Max(1L, search.Variants.Count) * Math.Max(1, search.Machines.Count) * Math.Max(1, search.Replicas.Count)
        * Math.Max(1, search.BatchRowsMax.Count) * Math.Max(1, search.CacheEntries.Count)
        * Math.Max(1, search.Scaling.Count) * Math.Max(1, search.Purchase.Count);

    private static void Cross<T>(ref List<CandidateOptions> found, IReadOnlyList<T> values,
        Func<CandidateOptions, T, CandidateOptions> with)
    {
        if (values.Count > 0 && (long)found.Count * values.Count <= CandidatesMax)
            found = [.. found.SelectMany(_ => values, with)];
    }

    private static CandidateOptions Places(CandidateOptions candidate, Func<PlacementOptions, PlacementOptions> with) =>
        candidate with { Sites = candidate.Sites.ToDictionary(s => s.Key, s => with(s.Value)) };

    /// <summary>A number of replicas of a scaled site is where it begins, and the most that it may have.</summary>
    private static PlacementOptions Count(PlacementOptions place, int replicas) => place with
    {
        Replicas = replicas,
        Scaling = place.Scaling is null ? null : place.Scaling with { ReplicasMax = Math.Max(replicas,
            place.Scaling.ReplicasMin) },
    };

    private static ScalingOptions Limits(PlacementOptions place) =>
        new() { ReplicasMin = 1, ReplicasMax = Math.Max(1, place.Replicas) };

    /// <summary>What tells candidates apart, to leave out the combination that is the base itself.</summary>
    private static string Told(CandidateOptions candidate) => string.Join('|', candidate.Sites.Select(
        s => $"{s.Key} {s.Value.Machine} {s.Value.Replicas} {s.Value.Purchase} {s.Value.Scaling?.Policy}"))
        + $"|{candidate.Variant} {candidate.BatchRowsMax} {candidate.CacheEntries}";

    private static string NameOf(CandidateOptions candidate, SearchOptions search)
    {
        List<string> words = [];
        var place = candidate.Sites.Values.FirstOrDefault(p => p.Machine.Length > 0) ?? new();
        Add(search.Variants.Count, candidate.Variant);
        Add(search.Replicas.Count, $"{place.Replicas}");
        Add(search.Machines.Count, place.Machine);
        Add(search.Scaling.Count, place.Scaling?.Policy ?? "fixed");
        Add(search.Purchase.Count, $"{place.Purchase}".ToLowerInvariant());
        Add(search.BatchRowsMax.Count, $"batch {candidate.BatchRowsMax}");
        Add(search.CacheEntries.Count, $"cache {candidate.CacheEntries}");
        return $"{search.Base}: {string.Join(" · ", words)}";

        void Add(int tried, string word)
        {
            if (tried > 0)
                words.Add(word);
        }
    }
}
