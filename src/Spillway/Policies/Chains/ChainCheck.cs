namespace Spillway.Policies.Chains;

/// <summary>
/// What in the chains of all routes cannot work though each value is in its range: loops, unknown targets, steps that
/// are never reached, time-outs that contradict each other. Each with key, value and remedy.
/// </summary>
/// <param name="targets">Every model and route that a step may name.</param>
/// <param name="keyOfRoutes">The key under which routes stand.</param>
internal sealed class ChainCheck(IReadOnlySet<string> targets, string keyOfRoutes = "routes")
{
    /// <summary>The most steps of a chain: enough for every kind of step twice.</summary>
    public const int StepsMax = 8;

    /// <summary>The most routes behind each other, each a step of the one before.</summary>
    public const int DepthMax = 4;

    private const int NamesShown = 10;

    private readonly List<Finding> _found = [];
    private IReadOnlyDictionary<string, ChainOptions> _routes = new Dictionary<string, ChainOptions>();

    /// <summary>Checks all chains together, because a step may name another route.</summary>
    /// <param name="routes">Chains by route.</param>
    /// <param name="totalMs">
    /// The time that a route's requests have, by route; missing or 0 where nothing bounds it.
    /// </param>
    public IReadOnlyList<Finding> Check(
        IReadOnlyDictionary<string, ChainOptions> routes, IReadOnlyDictionary<string, double>? totalMs = null)
    {
        _found.Clear();
        _routes = routes;
        foreach (var (route, chain) in routes)
        {
            var key = $"{keyOfRoutes}.{route}.chain.steps";
            if (chain.Steps.Count is 0 or > StepsMax)
            {
                Add(key, $"{chain.Steps.Count} steps", $"is no chain: it has 1 to {StepsMax} steps",
                    chain.Steps.Count == 0 ? "Give it a first step." : "Leave out the steps that matter least.");
            }

            var left = totalMs?.GetValueOrDefault(route) is { } total and > 0 ? total : double.PositiveInfinity;
            for (var i = 0; i < chain.Steps.Count; i++)
            {
                CheckStep($"{key}[{i}]", chain, i);
                CheckTimes($"{key}[{i}]", chain.Steps[i], left, i == chain.Steps.Count - 1);
                left -= chain.Steps[i].TimeoutMs;
            }
        }

        CheckLoops(routes);
        if (_found.Count == 0)
            CheckDepths(routes);
        return [.. _found];
    }

    private void CheckStep(string key, ChainOptions chain, int index)
    {
        var step = chain.Steps[index];
        var earlier = chain.Steps.Take(index).ToList();
        if (earlier.FindIndex(s => AlwaysAnswers(s, ChainCauses.Of(s.On), [])) is var end and >= 0)
        {
            var (what, before) = earlier[end].Kind is ChainStepKind.Message ? ("a message", "the message")
                : ($"the route {earlier[end].Model}, which has a message", "that route");
            Add(key, Name(step), $"is never reached: step {end} is {what}, which always answers",
                $"Put it before {before}, or leave it out.");
        }

        if (step.Kind is ChainStepKind.Model)
            CheckModel(key, step, earlier);
        else
            CheckAtHand(key, step, index);
        if (step.Kind is not ChainStepKind.Message && index == chain.Steps.Count - 1)
            CheckLast(key, step);
    }

    /// <summary>
    /// A message; or a route with one among its steps where none before it ends the route for a cause that would move
    /// on here. A route's own gate refuses before any step of it: for its switch, its limits and its budgets.
    /// </summary>
    private bool AlwaysAnswers(ChainStepOptions step, ChainCauses causes, HashSet<string> seen)
    {
        if (step.Kind is ChainStepKind.Message)
            return true;
        if (step is not { Kind: ChainStepKind.Model, WhenPredictedWaitMs: null, Checks.Count: 0 }
            || causes.HasAny(ChainCauses.Guards)
            || !_routes.TryGetValue(step.Model, out var route) || !seen.Add(step.Model))
            return false;
        foreach (var inner in route.Steps)
        {
            if (AlwaysAnswers(inner, causes, seen))
                return true;
            if (inner.Kind is ChainStepKind.Model && !ChainCauses.Of(inner.On).HasAll(causes))
                return false;
        }

        return false;
    }

    private void CheckModel(string key, ChainStepOptions step, List<ChainStepOptions> earlier)
    {
        if (!targets.Contains(step.Model))
        {
            // A name with a version is one that is known already.
            string[] names = [.. targets.Where(t => !t.Contains('/', StringComparison.Ordinal))];
            var known = string.Join(", ", names.Order(StringComparer.Ordinal).Take(NamesShown));
            Add($"{key}.model", step.Model, step.Model.Length == 0 ? "names no model" : "is no model and no route here",
                $"Name one of: {known}{(names.Length > NamesShown ? ", …" : "")}.");
        }

        if (earlier.FindIndex(s => s.Kind is ChainStepKind.Model && s.Model == step.Model) is var same and >= 0)
        {
            Add($"{key}.model", step.Model, $"is tried by step {same} already",
                "Leave it out; trying the same again is what retries are for.");
        }

        foreach (var word in step.On.Where(word => !ChainCauses.TryParse(word, out _)))
        {
            Add($"{key}.on", word, "is no fault or state that another step helps against",
                $"Use {string.Join(", ", ChainCauses.Words)}.");
        }

        for (var i = 0; i < step.Checks.Count; i++)
        {
            if (AnswerCheck.Problem(step.Checks[i]) is { } problem)
            {
                Add($"{key}.checks[{i}].pattern", step.Checks[i].Pattern, $"cannot be used: {problem}",
                    "Write it without look-around and back references.");
            }

            if (step.Checks[i].JsonSchema is { Length: > 0 } schema && AnswerSchema.Read(schema, out var wrong) is null)
            {
                Add($"{key}.checks[{i}].jsonSchema", schema, $"cannot be used: {wrong}",
                    "Write it with these keywords alone, or check the rest where the answer is used.");
            }
        }
    }

    private void CheckAtHand(string key, ChainStepOptions step, int index)
    {
        var kind = step.Kind is ChainStepKind.Cached ? "cached" : "message";
        if (step.On.Count > 0 || step.WhenPredictedWaitMs is not null || step.Checks.Count > 0)
        {
            Add(key, Name(step), $"has on, whenPredictedWaitMs or checks, which a {kind} step does not use",
                "Leave them out; a cached step moves on when it has no answer.");
        }

        if (step.Kind is ChainStepKind.Cached && index == 0)
        {
            Add(key, Name(step), "would be given before any model is asked, so the cache is never renewed",
                "Put a model before it.");
        }

        if (step.Kind is ChainStepKind.Message && step.Message.Length == 0)
            Add($"{key}.message", "", "is an empty message", "Say what callers are to know.");
        if (step.Model.Length > 0)
            Add($"{key}.model", step.Model, $"is not used by a {kind} step", "Leave it out, or make it kind: model.");
    }

    private void CheckLast(string key, ChainStepOptions step)
    {
        if (step.On.Count > 0)
        {
            Add($"{key}.on", string.Join(", ", step.On), "leads nowhere: this is the last step",
                "Leave it out, or add a step.");
        }

        if (step.WhenPredictedWaitMs is { } bound)
        {
            Add($"{key}.whenPredictedWaitMs", Finding.Number(bound), "leads nowhere: this is the last step",
                "Leave it out, or add a step.");
        }
    }

    private void CheckTimes(string key, ChainStepOptions step, double left, bool isLast)
    {
        var (bound, own) = (step.WhenPredictedWaitMs, step.TimeoutMs);
        if (bound is { } enter && step.LeaveBelowMs is { } leave && leave >= enter)
        {
            Add($"{key}.leaveBelowMs", Finding.Number(leave), $"is not below whenPredictedWaitMs {enter:0.###}",
                "Make it smaller, or leave it out for half.");
        }

        if (bound is null && step.LeaveBelowMs is { } alone)
        {
            Add($"{key}.leaveBelowMs", Finding.Number(alone), "means nothing without whenPredictedWaitMs",
                "Give that as well, or leave both out.");
        }

        var most = own > 0 ? Math.Min(own, left) : left;
        if (bound >= most)
        {
            Add($"{key}.whenPredictedWaitMs", Finding.Number(bound.Value),
                $"is never exceeded in time: the step ends after {Finding.Number(Math.Max(0, most))} ms",
                "Make it smaller than the time of the step.");
        }

        if (step.NeedsMs > most)
        {
            Add($"{key}.needsMs", Finding.Number(step.NeedsMs),
                $"is more than the {Finding.Number(Math.Max(0, most))} ms that the step can have",
                "Make it smaller, or the time-outs before it.");
        }

        if (own > 0 && own >= left && !isLast)
        {
            Add($"{key}.timeoutMs", Finding.Number(own),
                $"leaves no time for the steps behind it: {Finding.Number(Math.Max(0, left))} ms are left here",
                "Make it smaller, or the route's total longer.");
        }
    }

    private void CheckLoops(IReadOnlyDictionary<string, ChainOptions> routes)
    {
        var done = new HashSet<string>();
        foreach (var route in routes.Keys)
            Walk(route, routes, [], done);
    }

    private void Walk(
        string route, IReadOnlyDictionary<string, ChainOptions> routes, List<string> path, HashSet<string> done)
    {
        path.Add(route);
        var steps = routes[route].Steps;
        for (var i = 0; i < steps.Count && done.Contains(route) is false; i++)
        {
            var to = steps[i].Model;
            if (steps[i].Kind is not ChainStepKind.Model || !routes.ContainsKey(to))
                continue;
            if (path.IndexOf(to) is var start and >= 0)
            {
                Add($"{keyOfRoutes}.{route}.chain.steps[{i}].model", to,
                    $"goes round in a circle: {string.Join(" → ", path.Skip(start).Append(to))}",
                    "Name a model, or a route that does not lead back here.");
            }
            else
                Walk(to, routes, path, done);
        }

        path.RemoveAt(path.Count - 1);
        done.Add(route);
    }

    /// <summary>Of chains without circles: the routes that are just too deep; those above them are as well.</summary>
    private void CheckDepths(IReadOnlyDictionary<string, ChainOptions> routes)
    {
        var depths = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (route, chain) in routes)
        {
            if (DepthOf(route, routes, depths) != DepthMax + 1)
                continue;
            var deepest = Enumerable.Range(0, chain.Steps.Count).MaxBy(i => depths.GetValueOrDefault(
                chain.Steps[i].Kind is ChainStepKind.Model ? chain.Steps[i].Model : ""));
            Add($"{keyOfRoutes}.{route}.chain.steps[{deepest}].model", chain.Steps[deepest].Model,
                $"is a route whose routes go {DepthMax} deep; {DepthMax} are the most, this one included",
                "Name what those routes lead to.");
        }
    }

    private static int DepthOf(
        string route, IReadOnlyDictionary<string, ChainOptions> routes, Dictionary<string, int> depths)
    {
        if (depths.TryGetValue(route, out var known))
            return known;
        var inner = routes[route].Steps.Where(s => s.Kind is ChainStepKind.Model && routes.ContainsKey(s.Model))
            .Select(s => DepthOf(s.Model, routes, depths)).DefaultIfEmpty(0).Max();
        return depths[route] = 1 + inner;
    }

    private void Add(string key, string value, string problem, string remedy) =>
        _found.Add(new(key, value, problem, remedy));

    private static string Name(ChainStepOptions step) => step.Kind switch
    {
        ChainStepKind.Model => step.Model,
        ChainStepKind.Cached => "cached",
        ChainStepKind.Message => "message",
    };
}
