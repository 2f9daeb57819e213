using Spillway.Policies;
using Spillway.Policies.Chains;
using Spillway.Store.Sealing;

namespace Spillway.Config;

/// <summary>
/// Rules of `routes` and `upstreams` that concern more than the form of one value: what a step names must exist, names
/// are unique over models, routes and upstreams, time-outs do not contradict each other.
/// </summary>
internal static class RouteChecks
{
    private const int NameMax = 64;
    private const int TargetsMax = 64;

    /// <summary>Reports what they break.</summary>
    /// <param name="options">The root file.</param>
    /// <param name="models">What is served; those of a repository come and go while the server runs.</param>
    /// <param name="bound">Where errors go.</param>
    public static void Check(SpillwayOptions options, IReadOnlyList<ModelOptions> models, OptionBinder bound)
    {
        var served = models.SelectMany(Names).ToHashSet();
        foreach (var (name, route) in options.Routes)
            Route(name, route, served, options, bound);
        foreach (var (name, upstream) in options.Upstreams)
            Upstream(name, upstream, served, bound);
        Caches(options, bound);
        Chains(options, served, bound);
        ChatChecks.Routes(options, bound);
        RolloutChecks.Check(options, served, bound);
    }

    /// <summary>The served names of a model, and each with its version.</summary>
    private static IEnumerable<string> Names(ModelOptions model) =>
        (model.Serve.Count == 0 ? [model.Name] : model.Serve.Keys)
        .SelectMany(name => new[] { name, FormattableString.Invariant($"{name}/{model.Version}") });

    /// <summary>Every path absolute.</summary>
    public static SpillwayOptions Complete(SpillwayOptions options, string folder) => options with
    {
        Routes = options.Routes.ToDictionary(r => r.Key, r => r.Value with
        {
            Chat = r.Value.Chat with { Tokenizer = TokenizerChecks.Full(r.Value.Chat.Tokenizer, folder) },
        }),
        Upstreams = options.Upstreams.ToDictionary(u => u.Key, u => u.Value with
        {
            KeyFrom = Full(u.Value.KeyFrom, folder),
            MoreKeysFrom = [.. u.Value.MoreKeysFrom.Select(k => Full(k, folder))],
        }),
    };

    private static string Full(string reference, string folder) =>
        reference.Length == 0 || KeyReference.IsVariable(reference)
            || reference.Contains('\0', StringComparison.Ordinal)
                ? reference : Path.GetFullPath(reference, folder);

    private static void Route(
        string name, RouteOptions route, HashSet<string> served, SpillwayOptions options, OptionBinder bound)
    {
        var path = $"routes.{name}";
        Name(name, path, bound);
        if (served.Contains(name) || options.Upstreams.ContainsKey(name))
        {
            bound.Report(path, name, "A model or an upstream has that name already.",
                "Give the route another name: clients ask for it.");
        }

        var cached = route.Chain.Steps.Any(s => s.Kind is ChainStepKind.Cached);
        if (cached && (!route.Cache.Enabled || route.Cache.StaleIfErrorMs <= 0))
        {
            bound.Report($"{path}.chain.steps", "cached",
                "The step can never answer: no answer is kept beyond its time.",
                "Set cache.enabled: true and cache.staleIfErrorMs, or leave the step out.");
        }

        if (route.Cache.Enabled && route.Cache.EntryBytesMax > route.Cache.BytesMax)
        {
            bound.Report($"{path}.cache.entryBytesMax", $"{route.Cache.EntryBytesMax}",
                $"One entry may be larger than the whole cache, {route.Cache.BytesMax} bytes.",
                "Make it smaller, or cache.bytesMax larger.");
        }

        var most = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (route.Cache.Enabled && route.Cache.BytesMax > most)
        {
            bound.Report($"{path}.cache.bytesMax", $"{route.Cache.BytesMax}",
                $"This process may have {most} bytes of memory in all.", "Make the cache smaller than that.");
        }
    }

    private static void Caches(SpillwayOptions options, OptionBinder bound)
    {
        var most = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var caches = options.Routes.Where(r => r.Value.Cache.Enabled).ToList();
        var sum = caches.Sum(r => (double)r.Value.Cache.BytesMax);
        if (caches.Count > 1 && sum > most && caches.TrueForAll(r => r.Value.Cache.BytesMax <= most))
        {
            bound.Report($"routes.{caches[^1].Key}.cache.bytesMax", $"{caches[^1].Value.Cache.BytesMax}",
                $"The caches of {caches.Count} routes may take {sum:0} bytes together; this process may have {most}.",
                "Make them smaller.");
        }
    }

    private static void Upstream(string name, UpstreamOptions upstream, HashSet<string> served, OptionBinder bound)
    {
        var path = $"upstreams.{name}";
        Name(name, path, bound);
        if (served.Contains(name))
        {
            bound.Report(path, name, "A model has that name already, so a step could mean either.",
                "Give the upstream another name, and say model: for what its targets call it.");
        }

        if (upstream.Targets.Count > TargetsMax)
        {
            bound.Report($"{path}.targets", $"{upstream.Targets.Count}",
                $"An upstream has at most {TargetsMax} targets.", "Put a load balancer before some of them.");
        }

        ChatChecks.Upstream(path, upstream, bound);
        foreach (var (target, at) in upstream.Targets)
        {
            Name(target, $"{path}.targets.{target}", bound);
            var key = $"{path}.targets.{target}.url";
            if (bound.Failed(key))
                continue;
            if (!Uri.TryCreate(at.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
                || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            {
                // A password in it is not to be told again.
                var shown = at.Url.LastIndexOf('@') is >= 0 and var end ? $"…{at.Url[end..]}" : at.Url;
                bound.Report(key, shown, "It is not an http or https address without a user name.",
                    "Give a base address, as http://10.0.0.7:8000; a key belongs into keyFrom.");
            }
        }

        Times(path, upstream, bound);
    }

    private static void Times(string path, UpstreamOptions upstream, OptionBinder bound)
    {
        foreach (var (key, ms) in new[]
        {
            ("connectMs", upstream.ConnectMs), ("firstDeltaMs", upstream.FirstDeltaMs),
            ("betweenDeltasMs", upstream.BetweenDeltasMs),
        })
        {
            if (ms > upstream.TotalMs && !bound.Failed($"{path}.{key}") && !bound.Failed($"{path}.totalMs"))
            {
                bound.Report($"{path}.{key}", FormattableString.Invariant($"{ms}"),
                    FormattableString.Invariant($"It is longer than totalMs, {upstream.TotalMs} ms: never reached."),
                    "Make it shorter, or totalMs longer.");
            }
        }

        if (upstream.ConnectMs > upstream.FirstDeltaMs)
        {
            bound.Report($"{path}.connectMs", FormattableString.Invariant($"{upstream.ConnectMs}"),
                FormattableString.Invariant($"It is longer than firstDeltaMs, {upstream.FirstDeltaMs} ms, ")
                + "which counts the connecting too.", "Make it shorter, or firstDeltaMs longer.");
        }

        if (upstream.Concurrency.Min > upstream.Concurrency.Max)
        {
            bound.Report($"{path}.concurrency.min", $"{upstream.Concurrency.Min}",
                $"It is more than max, {upstream.Concurrency.Max} requests.", "Make it smaller, or max larger.");
        }

        if (upstream.Breaker.CoolMs > upstream.Breaker.CoolMaxMs)
        {
            bound.Report($"{path}.breaker.coolMs", FormattableString.Invariant($"{upstream.Breaker.CoolMs}"),
                FormattableString.Invariant($"It is longer than coolMaxMs, {upstream.Breaker.CoolMaxMs} ms."),
                "Make it shorter, or coolMaxMs longer.");
        }
    }

    private static void Chains(SpillwayOptions options, HashSet<string> served, OptionBinder bound)
    {
        var targets = new HashSet<string>(served);
        targets.UnionWith(options.Upstreams.Keys);
        // A repository's models come and go while the server runs, so any name may be one of them.
        if (options.Repository is not null)
        {
            targets.UnionWith(options.Routes.Values.SelectMany(r => r.Chain.Steps)
                .Select(s => s.Model).Where(m => m.Length > 0));
        }

        targets.UnionWith(options.Routes.Keys);
        var found = new ChainCheck(targets).Check(
            options.Routes.ToDictionary(r => r.Key, r => r.Value.Chain),
            options.Routes.ToDictionary(r => r.Key, r => r.Value.DeadlineMs));
        foreach (var at in found.Where(f => !bound.Failed(f.Key)).GroupBy(f => f.Key))
            Report(at, at.Key.EndsWith(".model", StringComparison.Ordinal) ? targets : [], bound);
        foreach (var (name, route) in options.Routes.Where(r => !ChatChecks.IsChat(r.Value, options.Upstreams)))
            Tensors($"routes.{name}.chain.steps", route.Chain, options, bound);
    }

    /// <summary>A step of a route that takes tensors does not lead to one that takes chats.</summary>
    private static void Tensors(string path, ChainOptions chain, SpillwayOptions options, OptionBinder bound)
    {
        for (var i = 0; i < chain.Steps.Count; i++)
        {
            var (key, model) = (FormattableString.Invariant($"{path}[{i}].model"), chain.Steps[i].Model);
            if (options.Routes.TryGetValue(model, out var route) && ChatChecks.IsChat(route, options.Upstreams)
                && !bound.Failed(key))
            {
                bound.Report(key, model, "That route speaks OpenAI's protocol, and this one takes tensors.",
                    "Name a model, an upstream of kind: inference, or a route over those.");
            }
        }
    }

    private static void Report(IEnumerable<Finding> found, HashSet<string> targets, OptionBinder bound)
    {
        foreach (var finding in found)
        {
            bound.Report(finding.Key, finding.Value, Sentence(finding.Problem), finding.Remedy,
                targets.Contains(finding.Value) ? "" : Suggestion.Nearest(finding.Value, targets));
        }
    }

    private static string Sentence(string problem) => $"It {problem}.";

    /// <summary>It stands in paths, headers and metrics.</summary>
    private static void Name(string name, string path, OptionBinder bound)
    {
        if (name.Length is 0 or > NameMax || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            bound.Report(path, name, "The name is no name.",
                $"Use at most {NameMax} letters, digits, dashes, underscores and dots.");
        }
    }
}
