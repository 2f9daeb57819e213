using Spillway.Policies.Chains;
using Spillway.Policies.Content;
using Spillway.Policies.Pricing;

namespace Spillway.Config;

/// <summary>
/// Rules of upstreams and routes that speak OpenAI's protocol: steps of one route all speak it or none does, and what
/// only tensors have (caches, checks, rollouts, other kinds of steps) is not declared for them.
/// </summary>
internal static class ChatChecks
{
    private const int HealthPathMax = 256;
    private const string NotHere = "Leave it out of routes over OpenAI-compatible upstreams.";

    /// <summary>Whether steps over it travel through the gateway, and not as tensors.</summary>
    public static bool IsChat(UpstreamOptions upstream) => upstream.Kind switch
    {
        UpstreamKind.Inference => false,
        UpstreamKind.Openai or UpstreamKind.Azure or UpstreamKind.Simulated => true,
    };

    /// <summary>Whether a route's requests are chats.</summary>
    public static bool IsChat(RouteOptions route, IReadOnlyDictionary<string, UpstreamOptions> upstreams) =>
        route.Chain.Steps.Any(step => step.Kind is ChainStepKind.Model
            && upstreams.TryGetValue(step.Model, out var upstream) && IsChat(upstream));

    /// <summary>Reports what one upstream breaks.</summary>
    public static void Upstream(string path, UpstreamOptions upstream, OptionBinder bound)
    {
        var isSimulated = upstream.Kind is UpstreamKind.Simulated;
        if (upstream.Targets.Count == 0 && !isSimulated && !bound.Failed($"{path}.targets"))
        {
            bound.Report($"{path}.targets", "", "The upstream has no target: the key is missing or holds nothing.",
                "Where it is served: targets by name, each with its address.");
        }

        if (upstream.Targets.Count > 0 && isSimulated)
        {
            bound.Report($"{path}.targets", $"{upstream.Targets.Count}", "A simulated upstream is nowhere else.",
                "Leave targets out, or say kind: openai.");
        }

        Simulated(path, upstream, isSimulated, bound);
        ForTensors(path, upstream, bound);
        Health(path, upstream, bound);
        Keys(path, upstream, bound);
    }

    private static void Simulated(string path, UpstreamOptions upstream, bool isSimulated, OptionBinder bound)
    {
        if (upstream.Simulated is not null && !isSimulated)
        {
            bound.Report($"{path}.simulated", "", "The upstream is not simulated, so the profile means nothing.",
                "Say kind: simulated, or leave the section out.");
        }

        foreach (var (key, price) in ((string, double)[])
            [("perMillionInput", upstream.Simulated?.PerMillionInput ?? 0),
                ("perMillionOutput", upstream.Simulated?.PerMillionOutput ?? 0)])
        {
            if (!Amounts.TryParse(price, out _))
                bound.Report($"{path}.simulated.{key}", OptionText.Number(price), "It has more than nine decimals.",
                    "Round it to nine decimals.");
        }
    }

    /// <summary>What binds and would do nothing.</summary>
    private static void ForTensors(string path, UpstreamOptions upstream, OptionBinder bound)
    {
        if (!IsChat(upstream))
        {
            if (upstream.EndsWithoutReason)
                bound.Report($"{path}.endsWithoutReason", "true", "Tensors have no finish_reason.",
                    "Say kind: openai or azure, or leave it out.");
            return;
        }

        if (upstream.Hedge.Enabled)
            bound.Report($"{path}.hedge.enabled", "true", "Requests to language models are not sent twice: both cost.",
                "Leave hedge out.");
    }

    /// <summary>OpenAI's protocol has no question whether a server is ready, so the path must be given.</summary>
    private static void Health(string path, UpstreamOptions upstream, OptionBinder bound)
    {
        var (asks, key) = (upstream.HealthPath.Length > 0, $"{path}.healthPath");
        if (asks && upstream.Kind is not (UpstreamKind.Openai or UpstreamKind.Azure))
        {
            bound.Report(key, upstream.HealthPath, "Only OpenAI-compatible servers elsewhere are asked by a path.",
                "Leave it out: Open Inference servers are asked by their protocol, and a simulated one is here.");
        }
        else if (asks && !IsPath(upstream.HealthPath))
        {
            bound.Report(key, upstream.HealthPath, "It is no path of the target's server.",
                "Write models, or a path from the root as /health, without a query.");
        }
        else if (!asks && IsChat(upstream) && bound.Written($"{path}.healthMs") is { Length: > 0 } health)
        {
            bound.Report($"{path}.healthMs", health, "OpenAI's protocol has no question whether a server is ready.",
                "Give healthPath too, the path to ask for, or leave healthMs out: the breaker leaves a target alone "
                + "that fails.");
        }
    }

    /// <summary>As a link it must not lead to another server.</summary>
    private static bool IsPath(string path) => path.Length <= HealthPathMax
        && !path.StartsWith("//", StringComparison.Ordinal)
        && path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '-' or '_' or '.' or '~');

    private static void Keys(string path, UpstreamOptions upstream, OptionBinder bound)
    {
        if (upstream.MoreKeysFrom.Count > 0 && (upstream.KeyFrom.Length == 0 || !IsChat(upstream)))
        {
            bound.Report($"{path}.moreKeysFrom", $"{upstream.MoreKeysFrom.Count}",
                "Further keys need a first one, and kind: openai or azure.", "Give keyFrom, or leave them out.");
        }

        if (upstream.ApiVersion.Length > 0 && upstream.Kind is not UpstreamKind.Azure)
        {
            bound.Report($"{path}.apiVersion", upstream.ApiVersion, "Only Azure's addresses have a version.",
                "Say kind: azure, or leave it out.");
        }
    }

    /// <summary>Reports what the chat routes break.</summary>
    public static void Routes(SpillwayOptions options, OptionBinder bound)
    {
        foreach (var (name, route) in options.Routes)
            Content($"routes.{name}.chat.content", route, options, bound);
        foreach (var (name, route) in options.Routes.Where(r => IsChat(r.Value, options.Upstreams)))
        {
            var path = $"routes.{name}";
            for (var i = 0; i < route.Chain.Steps.Count; i++)
                Step(FormattableString.Invariant($"{path}.chain.steps[{i}]"), route.Chain.Steps[i], options, bound);
            if (route.Cache.Enabled)
                bound.Report($"{path}.cache.enabled", "true", "Answers of language models are not kept.", NotHere);
            if (route.Rollout is not null)
                bound.Report($"{path}.rollout", "", "A rollout puts a model of this server in a step's place.",
                    NotHere);
        }
    }

    /// <summary>Reports what is wrong with rules over content.</summary>
    private static void Content(string path, RouteOptions route, SpillwayOptions options, OptionBinder bound)
    {
        var (prompts, answers) = (route.Chat.Content.Prompts, route.Chat.Content.Answers);
        if (prompts.Count + answers.Count == 0)
            return;
        if (!IsChat(route, options.Upstreams))
        {
            bound.Report(path, "", "Rules over content are for texts, and the route takes tensors.",
                "Leave them out: a step's checks look at its answers.");
            return;
        }

        foreach (var (side, rules) in ((string, IReadOnlyList<ContentRuleOptions>)[])
            [("prompts", prompts), ("answers", answers)])
        {
            foreach (var (key, value, problem, remedy) in ContentRules.Problems(rules, side == "answers"))
            {
                if (!bound.Failed($"{path}.{side}{key}"))
                    bound.Report($"{path}.{side}{key}", value, problem, remedy);
            }
        }
    }

    private static void Step(string at, ChainStepOptions step, SpillwayOptions options, OptionBinder bound)
    {
        if (step.Kind is not ChainStepKind.Model)
        {
            bound.Report($"{at}.kind", step.Kind.ToString().ToLowerInvariant(),
                "A route over OpenAI-compatible upstreams has steps with a model only.", NotHere);
        }
        else if (!(options.Upstreams.TryGetValue(step.Model, out var upstream) && IsChat(upstream)))
        {
            bound.Report($"{at}.model", step.Model,
                "The other steps of the route speak OpenAI's protocol, and this one takes tensors.",
                "Name an upstream of kind openai, azure or simulated.");
        }

        if (step.Checks.Count > 0)
            bound.Report($"{at}.checks", "", "Checks are for tensors.", NotHere);
        if (step.WhenPredictedWaitMs is not null)
            bound.Report($"{at}.whenPredictedWaitMs", "", "The wait of an upstream is not predicted.", NotHere);
    }
}
