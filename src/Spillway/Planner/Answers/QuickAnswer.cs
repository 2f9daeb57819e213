using Spillway.Planner.Fleet;
using Spillway.Planner.Outcomes;
using Spillway.Planner.Plans;
using Spillway.Planner.Queueing;
using Spillway.Planner.Workloads;
using Spillway.Transforms;

namespace Spillway.Planner.Answers;

/// <summary>What closed formulas say of a site at its mean rate.</summary>
/// <param name="Site">Its name.</param>
/// <param name="Formula">Which formula, and what it assumes.</param>
/// <param name="Utilisation">The busy part; 1 or more has no steady state. Null where nothing bounds it.</param>
/// <param name="WaitMs">Mean time in the queue; infinite without a steady state.</param>
/// <param name="MeanMs">Mean time from send to answer.</param>
/// <param name="P95Ms">
/// Its 95th percentile, with one queue taking the tail of the wait as exponential; null where no formula gives it.
/// </param>
/// <param name="PeakUtilisation">The busy part in the busiest stretch.</param>
public readonly record struct QuickSite(
    string Site, string Formula, double? Utilisation, double WaitMs, double MeanMs, double? P95Ms,
        double? PeakUtilisation);

/// <summary>A candidate by closed formulas, beside its simulation.</summary>
/// <param name="Candidate">Its name.</param>
/// <param name="Sites">Its sites that get requests.</param>
/// <param name="Warnings">Where both disagree, and why they may.</param>
public sealed record QuickAnswer(string Candidate, IReadOnlyList<QuickSite> Sites, IReadOnlyList<string> Warnings)
{
    /// <summary>Formulas and simulation that differ by more than this are not two views of one thing.</summary>
    private const double Apart = 0.25;

    /// <summary>The mean over the sites, by formulas, weighted equally by request.</summary>
    public double MeanMs { get; init; }

    /// <summary>Computes it.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="candidate">One of its candidates.</param>
    /// <param name="simulated">Its outcome; null without one.</param>
    public static QuickAnswer Of(Plan plan, CandidateOptions candidate, CandidateOutcome? simulated)
    {
        if (Feasibility.Obstacles(plan, candidate) is { Count: > 0 } obstacles)
            return new(candidate.Name, [], obstacles);
        var demands = Demand.ByRegion(plan);
        List<QuickSite> sites = [];
        var (weighted, rates) = (0.0, 0.0);
        foreach (var (name, place) in candidate.Sites)
        {
            var regions = plan.Options.Regions.Keys.Where(r => NearestOf(plan, candidate, r) == name).ToList();
            var mean = regions.Sum(r => demands[r].Mean);
            if (mean <= 0)
                continue;
            var demand = new Demand(mean, regions.Sum(r => demands[r].Peak),
                regions.Sum(r => demands[r].Mean * demands[r].Dispersion) / mean);
            var network = 2 * regions.Sum(r => demands[r].Mean * plan.Options.Sites[name].NetworkMs[r]) / mean;
            var site = Site(plan, candidate, name, place, demand, network + Wire(plan, name));
            sites.Add(site);
            (weighted, rates) = (weighted + (mean * site.MeanMs), rates + mean);
        }

        var answer = new QuickAnswer(candidate.Name, sites, []) { MeanMs = rates > 0 ? weighted / rates : 0 };
        return answer with { Warnings = [.. Compare(answer, simulated, candidate)] };
    }

    private static string? NearestOf(Plan plan, CandidateOptions candidate, string region) => candidate.Sites.Keys
        .Where(s => plan.Options.Sites[s] is var site && site.NetworkMs.ContainsKey(region)
            && (site.Residents.Count == 0 || site.Residents.Contains(region)))
        .OrderBy(s => plan.Options.Sites[s].NetworkMs[region]).FirstOrDefault();

    private static double Wire(Plan plan, string site) =>
        Demand.Weighted(plan, (w, _) => w.BytesIn + w.BytesOut) * 8
        / (plan.Options.Sites[site].BandwidthMbps * 1000);

    private static QuickSite Site(
        Plan plan, CandidateOptions candidate, string name, PlacementOptions place, Demand demand, double networkMs)
    {
        var variant = plan.Options.Variants[candidate.Variant];
        var fixedMs = networkMs + (variant.Before?.Ms ?? 0);
        if (variant.Pipeline.Count > 0)
            return Steps(plan, candidate, name, demand, fixedMs);
        switch (plan.Options.Sites[name].Kind)
        {
            case SiteKind.Cloud:
            case SiteKind.Edge:
                return Machines(plan, candidate, name, place, demand, fixedMs);
            case SiteKind.Serverless:
                var seconds = variant.ServerlessMs!.Value / 1000 * Capacity.MeanSize(plan);
                var busy = Little.InSystem(demand.Mean, seconds);
                var most = Fleets.ConcurrencyOf(place.Serverless!,
                    plan.Platforms[plan.Options.Sites[name].Platform]);
                var ms = fixedMs + (seconds * 1000);
                return new(name, Say($"Little: {busy:0.#} instances at once; Erlang B refuses "
                    + $"{Erlang.Blocked(most, busy) * 100:0.##} %"),
                    busy / most, 0, ms, P95Ms: null, Little.InSystem(demand.Peak, seconds) / most);
            case SiteKind.Upstream:
                return Upstream(plan, candidate.Variant, name, demand, fixedMs);
        }

        throw new InvalidOperationException($"Site {name} is of an unknown kind.");
    }

    /// <summary>A pipeline: one step after another, each with all requests, as if arrivals at a later step were like
    /// those at the first.</summary>
    private static QuickSite Steps(
        Plan plan, CandidateOptions candidate, string name, Demand demand, double fixedMs)
    {
        var steps = Pipelines.Steps(plan, candidate);
        List<QuickSite> all = [.. steps.Select(s => Pipelines.Part(candidate, s)).Select(p => Site(
            plan, p, name, p.Sites[name], demand, 0))];
        return new(name, string.Join("; ", steps.Zip(all, (s, a) => $"{s}: {a.Formula}")), all.Max(a => a.Utilisation),
            all.Sum(a => a.WaitMs), fixedMs + all.Sum(a => a.MeanMs), P95Ms: null, all.Max(a => a.PeakUtilisation));
    }

    private static QuickSite Upstream(
        Plan plan, string variant, string name, Demand demand, double fixedMs)
    {
        var (upstream, most) = (UpstreamChain.Upstreams(plan, variant)[0], UpstreamChain.PerSecond(plan, variant));
        var tokens = Demand.Weighted(plan, (w, t) => t?.TokensOut?.Average() ?? w.TokensOut?.Mean ?? 0);
        var each = fixedMs + upstream.FirstMs + (upstream.PerTokenMs * Math.Max(0, tokens - 1));
        return new(name, "given times", demand.Mean / most, 0, each,
            fixedMs + ((each - fixedMs) * Late(upstream.Variation)), demand.Peak / most);
    }

    /// <summary>The 95th percentile of a lognormal time over its mean.</summary>
    private static double Late(double variation)
    {
        var variance = Math.Log(1 + (variation * variation));
        return Math.Exp((1.645 * Math.Sqrt(variance)) - (variance / 2));
    }

    private static QuickSite Machines(
        Plan plan, CandidateOptions candidate, string name, PlacementOptions place, Demand demand, double fixedMs)
    {
        var variant = plan.Options.Variants[candidate.Variant];
        if (variant.Language is { } language)
            return LanguageSite(plan, language, name, place, demand, fixedMs);
        var curve = Capacity.CurveOf(variant, place.Machine);
        var useful = Capacity.UsefulOf(variant, candidate, place.Machine);
        var runners = Capacity.RunnersOf(plan, candidate, place.Machine);
        var replicas = Math.Max(1, place.Replicas);
        var perReplica = Capacity.PerReplica(plan, candidate, place.Machine);
        var (use, peak) = (demand.Mean / replicas / perReplica, demand.Peak / replicas / perReplica);
        if (useful > 1)
            return Batches(name, (curve, Capacity.MeanSize(plan)), useful, demand.Mean / replicas / runners,
                (use, peak), fixedMs);
        var service = BatchPoint.TicksAt(curve, 1) / TimeSpan.TicksPerSecond * Capacity.MeanSize(plan);
        var variation = Demand.Weighted(plan, (w, _) => Math.Pow(w.Size.Variation, 2))
            + (variant.SpreadOfRuns * variant.SpreadOfRuns / 3);
        var queue = WaitingTimes.AllenCunneen(demand.Mean, service, replicas * runners, demand.Dispersion, variation);
        var wait = queue.MeanWait * 1000;
        return new(name, Say($"Allen-Cunneen, {replicas * runners} servers with one queue, ca2 "
            + $"{demand.Dispersion:0.##}, cs2 {variation:0.###}"),
            use, wait, fixedMs + wait + (service * 1000),
            fixedMs + (queue.WaitPercentile(0.95) * 1000) + (service * 1000 * (1 + (1.645 * Math.Sqrt(variation)))),
                peak);
    }

    /// <summary>Requests at once follow from their time, and their time from how many share a step.</summary>
    private static QuickSite LanguageSite(Plan plan, LanguageVariantOptions language, string name,
        PlacementOptions place, Demand demand, double fixedMs)
    {
        var replicas = Math.Max(1, place.Replicas);
        var each = LanguageFleet.PerReplica(plan, language, place.Machine);
        var (use, peak) = (demand.Mean / replicas / each, demand.Peak / replicas / each);
        if (use >= 1)
            return new(name, "roofline at the mean length", use, double.PositiveInfinity, double.PositiveInfinity,
                double.PositiveInfinity, peak);
        var seconds = LanguageFleet.SecondsAt(plan, language, place.Machine, demand.Mean / replicas);
        var ms = fixedMs + (seconds * 1000);
        return new(name, "roofline at the mean length, Little's law for the requests at once", use, 0, ms,
            P95Ms: null, peak);
    }

    /// <summary>
    /// The mean batch and the time of its run follow from each other; a few rounds find both. Each runner is taken as a
    /// server of its own with its part of the requests.
    /// </summary>
    private static QuickSite Batches(string name, (IReadOnlyList<BatchPoint> Points, double Size) curve, int useful,
        double rate, (double Mean, double Peak) use, double fixedMs)
    {
        var (rows, wait, service) = (1.0, 0.0, 0.0);
        for (var round = 0; round < 20; round++)
        {
            service = BatchPoint.TicksAt(curve.Points, Math.Clamp((int)Math.Round(rows), 1, useful))
                / TimeSpan.TicksPerSecond * curve.Size;
            var bulk = BulkServer.Of(rate, service, useful);
            (rows, wait) = (bulk.MeanBatch, bulk.MeanWait);
        }

        var mean = fixedMs + ((wait + service) * 1000);
        return new(name, Say($"bulk service, mean batch {rows:0.##} of {useful}"), use.Mean, wait * 1000, mean,
            P95Ms: null, use.Peak);
    }

    private static IEnumerable<string> Compare(QuickAnswer answer, CandidateOutcome? simulated,
        CandidateOptions candidate)
    {
        foreach (var site in answer.Sites.Where(s => s.Utilisation >= 1))
            yield return Say($"{site.Site} gets {site.Utilisation * 100:0} % of what it can answer: there is no "
                + $"steady state, and what "
                + $"it answers is decided by what it refuses.");
        foreach (var site in answer.Sites.Where(s => s.Utilisation < 1 && s.PeakUtilisation >= 1))
            yield return Say($"{site.Site} is {site.Utilisation * 100:0} % busy on average and "
                + $"{site.PeakUtilisation * 100:0} % in its "
                + $"busiest stretch: formulas for the mean say nothing of that time.");
        if (simulated is not { Answered: > 0 } || !double.IsFinite(answer.MeanMs))
            yield break;
        var apart = Math.Abs(answer.MeanMs - simulated.Total.MeanMs) / Math.Max(simulated.Total.MeanMs, 1e-9);
        if (apart > Apart)
            yield return Say($"formulas give a mean of {answer.MeanMs:0.#} ms, the simulation "
                + $"{simulated.Total.MeanMs:0.#} ms: believe the "
                + $"simulation. {Why(simulated, candidate)}");
    }

    private static string Why(CandidateOutcome o, CandidateOptions candidate)
    {
        if (o.RefusedShare > 0.005)
            return "It refuses early what would wait too long, and formulas let everybody wait.";
        if (o.FromCache > 0)
            return "A part of the answers came from a cache.";
        if (o.ColdStarts > 0 || candidate.Sites.Values.Any(p => p.Scaling is not null))
            return "The number of replicas changed, and formulas have one number.";
        return "The rate changed over time, replicas have queues of their own, and bursts are not independent gaps.";
    }

    private static string Say(InvariantText text) => text.Take();
}
