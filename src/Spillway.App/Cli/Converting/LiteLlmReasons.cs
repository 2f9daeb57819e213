namespace Spillway.App.Cli.Converting;

/// <summary>Why a key of LiteLLM has no counterpart here, or where what it does is found.</summary>
internal static class LiteLlmReasons
{
    /// <summary>The most steps of a route.</summary>
    public const int StepsMax = 8;

    /// <summary>The most targets of an upstream.</summary>
    public const int TargetsMax = 64;

    /// <summary>The least part of the requests that a target can have.</summary>
    public const double WeightMin = 0.001;

    /// <summary>The largest part of the requests that a target can have.</summary>
    public const double WeightMax = 1000;

    /// <summary>The least limit a minute.</summary>
    public const double PerMinuteMin = 0.006;

    private static readonly (string Key, string Why)[] s_reasons =
    [
        ("drop_params", "unknown fields pass untouched here; an upstream that refuses one says so"),
        ("set_verbose", "see docs/features/explain.md for what is told of a request"),
        ("callbacks", "traces and metrics go by OTLP: telemetry"),
        ("success_callback", "traces and metrics go by OTLP: telemetry"),
        ("failure_callback", "traces and metrics go by OTLP: telemetry"),
        ("cache", "answers of language models are not kept here, but under an Idempotency-Key"),
        ("cache_params", "answers of language models are not kept here, but under an Idempotency-Key"),
        ("database_url", "what must survive is kept in server.stateFolder"),
        ("redis_host", "no store beside the server is needed"),
        ("redis_port", "no store beside the server is needed"),
        ("redis_password", "no store beside the server is needed"),
        ("max_budget", "see budgets in docs/features/budgets.md"),
        ("budget_duration", "see budgets in docs/features/budgets.md"),
        ("max_tokens", "routes.….chat.maxTokens is a default and a limit: set it where you want both"),
        ("allowed_fails", "see upstreams.….breaker: failures in a row, and their part of recent requests"),
        ("context_window_fallbacks", "a prompt that is too long is refused with the upstream's own words"),
        ("content_policy_fallbacks", "see routes.….chain.steps: on"),
        ("guardrails", "see routes.….chat.content in docs/features/content-rules.md"),
        ("model_info", "what is shown of a model comes from its route"),
        ("fallbacks", "it names a model that is not in model_list"),
        ("master_key", "make keys with spillway keys create"),
        ("api_key", "keys are given by reference: upstreams.….keyFrom"),
    ];

    /// <summary>The reason for a path such as litellm_settings.drop_params.</summary>
    public static string Of(string path)
    {
        foreach (var part in path.Split('.', '[').Reverse())
        {
            foreach (var (key, why) in s_reasons)
            {
                if (part == key)
                    return why;
            }
        }

        return "it has no counterpart here";
    }
}
