using Spillway.Config;
using Spillway.Planner.Fleet;
using Spillway.Policies.Scaling;

namespace Spillway.Planner.Plans;

/// <summary>The rules between the parts of a plan: every name leads somewhere, and nothing is assumed
/// silently. This file is long because the parts of a candidate are checked against each other.</summary>
internal sealed class PlanChecks(Plan plan, OptionBinder binder)
{
    private readonly PlanOptions _options = plan.Options;

    public void All()
    {
        if (_options.WarmUpSeconds >= _options.DurationSeconds)
            binder.Report("warmUpSeconds", Text(_options.WarmUpSeconds), "The warm-up is as long as the whole, so that "
                + "nothing is left to measure.", "Make it shorter, or durationSeconds longer.");
        var demand = new DemandChecks(binder);
        demand.Goals(_options.Goals);
        for (var i = 0; i < _options.Workloads.Count; i++)
        {
            Workload(_options.Workloads[i], $"workloads[{i}]");
            demand.Shapes(_options.Workloads[i], $"workloads[{i}]");
        }

        foreach (var (name, variant) in _options.Variants)
            Variant(name, variant, $"variants.{name}");
        foreach (var (name, site) in _options.Sites)
            Site(site, $"sites.{name}");
        for (var i = 0; i < _options.Candidates.Count; i++)
            Candidate(_options.Candidates[i], $"candidates[{i}]");
        Unique(_options.Candidates.Select(c => c.Name), "candidates");
        Unique(_options.Workloads.Select(w => w.Name), "workloads");
        if (_options.Search is { } search)
            Search(search);
    }

    private static string Text(double value) => OptionText.Number(value);

    private void Unique(IEnumerable<string> names, string key)
    {
        foreach (var twice in names.GroupBy(n => n).Where(g => g.Count() > 1))
            binder.Report(key, twice.Key, "Two of them have that name.", "Give each a name of its own.");
    }

    private void Known(string name, IEnumerable<string> known, string key, string what)
    {
        var names = known.ToList();
        if (name.Length > 0 && !names.Contains(name))
            binder.Report(key, name, $"There is no {what} of that name.",
                names.Count == 0 ? $"Declare it." : $"Known: {string.Join(", ", names)}.",
                Suggestion.Nearest(name, names));
    }

    private void Workload(WorkloadOptions workload, string key)
    {
        foreach (var region in workload.Regions.Keys)
            Known(region, _options.Regions.Keys, $"{key}.regions.{region}", "region");
        if (workload.Regions.Count > 0 && workload.Regions.Values.Sum() <= 0)
            binder.Report($"{key}.regions", "", "The parts of the regions add up to nothing.",
                "Give one a part above 0.");
        if (workload.Arrivals is ArrivalKind.Trace)
        {
            if (workload.Trace.Length == 0)
                binder.Report(key, "", "Recorded arrivals need a file.", "Give trace: and its path.");
            if (workload.RatePerSecond is not null)
                binder.Report($"{key}.ratePerSecond", Text(workload.RatePerSecond.Value), "A trace has its own rate.",
                    "Remove it; speed makes a trace faster.");
        }
        else if (workload.RatePerSecond is null)
        {
            binder.Report(key, "", "The rate is missing.", "Give ratePerSecond: how many requests come in a second.");
        }

        if (workload.Arrivals is ArrivalKind.Bursty && workload.Dispersion is null)
            binder.Report(key, "", "Bursty arrivals need a dispersion.",
                "Give dispersion: the variance over the mean of the number of arrivals in a long time.");
        if (workload.Weekly.Count is not (0 or 7))
            binder.Report($"{key}.weekly", Text(workload.Weekly.Count), "A week has seven days.",
                "Give seven factors, Monday first.");
    }

    private void Variant(string name, VariantOptions variant, string key)
    {
        if (variant.Pipeline.Count > 0)
            Pipeline(name, variant, $"{key}.pipeline");
        if (variant.Language is { } language)
            Known(language.Model, plan.Models.Keys, $"{key}.language.model", "language model in the hardware files");
        new RouteChecks(_options, binder).Check(name, variant);
        if (variant.Quality is not null && variant.QualitySource.Length == 0)
            binder.Report($"{key}.quality", Text(variant.Quality.Value), "A quality figure needs a source.",
                "Give qualitySource: the test set and the day, or the paper.");
        foreach (var (machine, points) in variant.Curves)
        {
            Known(machine, plan.Machines.Keys, $"{key}.curves.{machine}", "machine in the price files");
            for (var i = 1; i < points.Count; i++)
            {
                if (points[i].Rows <= points[i - 1].Rows)
                    binder.Report($"{key}.curves.{machine}[{i}].rows", Text(points[i].Rows),
                        $"The rows of a curve ascend; the point before has {points[i - 1].Rows}.", "Sort the points.");
            }

            if (points.Count == 0)
                binder.Report($"{key}.curves.{machine}", "", "The curve has no point.",
                    "Give at least {rows: 1, ms: …}.");
        }
    }

    private void Pipeline(string name, VariantOptions variant, string key)
    {
        var steps = string.Join(", ", variant.Pipeline);
        if (Pipelines.Steps(_options.Variants, name).Fault is { } loop)
            binder.Report(key, steps, loop.Message, "Name variants that are served, each once on its way.");
        if (variant.Curves.Count > 0 || variant.Language is not null)
            binder.Report(key, steps, "A pipeline has no times of its own: those of its steps are its times.",
                "Remove curves and language, or pipeline.");
    }

    private void Site(SiteOptions site, string key)
    {
        foreach (var region in site.NetworkMs.Keys)
            Known(region, _options.Regions.Keys, $"{key}.networkMs.{region}", "region");
        foreach (var region in site.Residents)
            Known(region, _options.Regions.Keys, $"{key}.residents", "region");
        if (site.Kind is SiteKind.Serverless)
        {
            if (site.Platform.Length == 0)
                binder.Report(key, "", "A serverless site needs a platform.",
                    "Give platform: its name in a price file.");
            Known(site.Platform, plan.Platforms.Keys, $"{key}.platform", "platform in the price files");
        }
    }

    private void Candidate(CandidateOptions candidate, string key)
    {
        Known(candidate.Variant, _options.Variants.Keys, $"{key}.variant", "variant");
        _options.Variants.TryGetValue(candidate.Variant, out var variant);
        if (variant is not null)
            new RouteChecks(_options, binder).Check(candidate, variant, key);
        foreach (var (name, place) in candidate.Sites)
        {
            Known(name, _options.Sites.Keys, $"{key}.sites.{name}", "site");
            if (!_options.Sites.TryGetValue(name, out var site) || variant is null)
                continue;
            if (variant.Pipeline.Count > 0)
                Steps(site, place, candidate.Variant, $"{key}.sites.{name}");
            else
                Place(site, place, variant, candidate.Variant, $"{key}.sites.{name}");
        }

        foreach (var region in Asking().Where(r => !candidate.Sites.Keys.Any(s => Reaches(s, r))))
            binder.Report($"{key}.sites", region, "No site of the candidate takes the requests of this region: none "
                + "has "
                + "a networkMs for it, or residents forbids it.",
                    "Add a site, a distance, or the region to residents.");
    }

    /// <summary>Every step of a pipeline has a place, and nothing else has.</summary>
    private void Steps(SiteOptions site, PlacementOptions place, string variantName, string key)
    {
        // A pipeline that loops was told with its variant.
        if (!Pipelines.Steps(_options.Variants, variantName).TryGet(out var steps, out _))
            return;
        if (site.Kind is not (SiteKind.Cloud or SiteKind.Edge))
            binder.Report(key, variantName, "A pipeline needs a site with machines.",
                "Use a site of kind cloud or edge.");
        if (place.Machine.Length > 0)
            binder.Report($"{key}.machine", place.Machine, $"{variantName} is a pipeline: its steps have machines of "
                + "their own.", $"Give {key}.steps: {{ {string.Join(", ", steps.Distinct())} }}.");
        foreach (var step in steps.Distinct())
        {
            if (!place.Steps.TryGetValue(step, out var own))
                binder.Report($"{key}.steps", step, $"Nothing stands here for the step {step}.",
                    $"Give steps.{step}: {{ machine: …, replicas: … }}.");
            else
                Machine(site, own.Whole, _options.Variants[step], step, $"{key}.steps.{step}");
        }

        foreach (var step in place.Steps.Keys)
            Known(step, steps, $"{key}.steps.{step}", $"step in the pipeline {variantName}");
    }

    private IEnumerable<string> Asking() => _options.Workloads.SelectMany(w => w.Regions.Count == 0
        ? _options.Regions.Keys : w.Regions.Where(r => r.Value > 0).Select(r => r.Key)).Distinct();

    private bool Reaches(string site, string region) => _options.Sites.TryGetValue(site, out var options)
        && options.NetworkMs.ContainsKey(region)
        && (options.Residents.Count == 0 || options.Residents.Contains(region));

    private void Place(SiteOptions site, PlacementOptions place, VariantOptions variant, string variantName, string key)
    {
        switch (site.Kind)
        {
            case SiteKind.Cloud:
            case SiteKind.Edge:
                Machine(site, place, variant, variantName, key);
                break;
            case SiteKind.Serverless:
                if (place.Serverless is null)
                    binder.Report(
                        key, "", "A serverless site needs its memory.", "Give serverless: { memoryGb: … }.");
                if (variant.ServerlessMs is null)
                    binder.Report(key, "", $"Variant {variantName} does not say how long a request takes in one "
                        + $"instance.",
                        $"Give variants.{variantName}.serverlessMs, measured.");
                Platform(site, key);
                break;
            case SiteKind.Upstream:
                if (variant.Upstream is null && variant.Route is not { Chain.Steps.Count: > 0 })
                    binder.Report(key, "", $"Variant {variantName} does not say how somebody else's server answers.",
                        $"Give variants.{variantName}.upstream.");
                break;
        }
    }

    /// <summary>What is paid for each call and for its time has a price where the site is.</summary>
    private void Platform(SiteOptions site, string key)
    {
        if (!plan.Platforms.TryGetValue(site.Platform, out var platform))
            return;
        var (there, region) = (platform.In(site.PriceRegion), site.PriceRegion);
        if (there.PerMillionRequests is null)
            NoPrice("of calls", "perMillionRequests");
        if (there.PerGbSecond is null)
            NoPrice("of running time", "perGbSecond");

        void NoPrice(string what, string name) => binder.Report(key, site.Platform, $"{site.Platform} has no price "
            + $"{what}{(region.Length == 0 ? "" : $" in {region}")}. A missing price is never taken for nothing.",
            $"Give it in the price file: {(region.Length == 0 ? "" : $"regions.{region}.")}{name}.");
    }

    private void Machine(
        SiteOptions site, PlacementOptions place, VariantOptions variant, string variantName, string key)
    {
        if (place.Machine.Length == 0)
        {
            binder.Report(key, "", "The machine is missing.", "Give machine: its name in a price file.");
            return;
        }

        Known(place.Machine, plan.Machines.Keys, $"{key}.machine", "machine in the price files");
        if (!plan.Machines.TryGetValue(place.Machine, out var machine))
            return;
        machine = machine.In(site.PriceRegion);
        var region = site.PriceRegion.Length == 0 ? "" : $" in {site.PriceRegion}";
        if (PriceOf(machine, place.Purchase) is null)
            binder.Report($"{key}.purchase", OptionText.Value(place.Purchase), $"{place.Machine} has no such price"
                + $"{region}. A missing price is never taken for nothing.", "Give it in the price file: "
                + (region.Length == 0 ? "" : $"regions.{site.PriceRegion}.") + $"{KeyOf(place.Purchase)}.");
        Numbers(place, machine, key);
        if (variant.Language is not null)
            Device(place.Machine, machine, variant, key);
        else if (!variant.Curves.ContainsKey(place.Machine))
            binder.Report($"{key}.machine", place.Machine, $"Variant {variantName} has no curve for this machine.",
                $"Measure it there, and give variants.{variantName}.curves.{place.Machine}.");
        if (place.Scaling is { } scaling && ScalingCatalogue.Create(scaling).Fault is { } fault)
            binder.Report($"{key}.scaling", scaling.Policy, fault.Message, "See docs/features/planning.md.");
    }

    /// <summary>Somebody must be there, or be able to come; and what goes beyond the reserved has a price.</summary>
    private void Numbers(PlacementOptions place, MachineOptions machine, string key)
    {
        var starts = place.Scaling is not { } scaling ? ScalingCatalogue.Fixed
            : ScalingCatalogue.ReactiveNames.Contains(scaling.Policy) ? scaling.Policy : scaling.Reactive;
        if (Fleets.ReplicasFirst(place) == 0 && starts is ScalingCatalogue.Fixed or ScalingCatalogue.Hpa)
            binder.Report($"{key}.replicas", Text(place.Replicas), "Nothing is there, and nothing can start one: "
                + (place.Scaling is null ? "no policy scales the site." : $"{starts} never starts a first one."),
                "Give replicas: 1 or more, replicasMin: 1, or a policy that starts from zero, as scale-to-zero.");
        if (place.Purchase is Purchase.Reserved && machine.OnDemandPerHour is null && Fleets.IsScaled(place)
            && Fleets.ReplicasMost(place) > place.Replicas)
            binder.Report($"{key}.purchase", OptionText.Value(place.Purchase), $"Only {place.Replicas} of up to "
                + $"{Fleets.ReplicasMost(place)} replicas are reserved, and {place.Machine} has no price on demand for "
                + "the others. A missing price is never taken for nothing.",
                "Give onDemandPerHour in the price file, or replicasMax no larger than replicas.");
    }

    private void Device(string name, MachineOptions machine, VariantOptions variant, string key)
    {
        if (machine.Gpu.Length == 0)
            binder.Report($"{key}.machine", name, "The price file does not say which GPU this machine has.",
                "Give gpu: and gpus: there.");
        Known(machine.Gpu, plan.Devices.Keys, $"{key}.machine", "device in the hardware files");
        var devices = variant.Language!.Serving.Devices;
        if (machine.Gpus > 0 && machine.Gpus < devices)
            binder.Report($"{key}.machine", name, $"A replica needs {devices} devices, the machine has {machine.Gpus}.",
                "Take a larger machine, or less tensor and pipeline parallelism.");
        foreach (var workload in _options.Workloads.Where(w => w.TokensIn is null || w.TokensOut is null))
        {
            if (!plan.Traces.TryGetValue(workload.Name, out var trace) || trace.TokensIn is null
                || trace.TokensOut is null)
                binder.Report("workloads", workload.Name, "A language model needs the tokens of requests and answers.",
                    "Give tokensIn and tokensOut, or a trace that has both.");
        }
    }

    /// <summary>The price of an hour; null when the file has none.</summary>
    public static double? PriceOf(MachineOptions machine, Purchase purchase) => purchase switch
    {
        Purchase.OnDemand => machine.OnDemandPerHour,
        Purchase.Reserved => machine.ReservedPerHour,
        Purchase.Spot => machine.SpotPerHour,
    };

    private static string KeyOf(Purchase purchase) => purchase switch
    {
        Purchase.OnDemand => "onDemandPerHour",
        Purchase.Reserved => "reservedPerHour",
        Purchase.Spot => "spotPerHour",
    };

    private void Search(SearchOptions search)
    {
        Known(search.Base, _options.Candidates.Select(c => c.Name), "search.base", "candidate");
        foreach (var variant in search.Variants)
            Known(variant, _options.Variants.Keys, "search.variants", "variant");
        foreach (var machine in search.Machines)
            Known(machine, plan.Machines.Keys, "search.machines", "machine in the price files");
        foreach (var policy in search.Scaling)
            Known(policy, ScalingCatalogue.Names, "search.scaling", "scaling policy");
        if (CandidateSearch.Combinations(search) is var count and > CandidateSearch.CandidatesMax)
            binder.Report("search", Text(count), $"The search has more than {CandidateSearch.CandidatesMax} "
                + $"combinations.",
                "Shorten its lists.");
        // A combination may ask for a curve or a price that nobody gave; the first that does speaks for the others.
        foreach (var made in plan.Candidates.Skip(_options.Candidates.Count))
        {
            if (!binder.Failed("search") && !binder.Failed("candidates"))
                Candidate(made, "search");
        }
    }
}
