using Spillway.Policies.Breaking;
using Spillway.Policies.Concurrency;
using Spillway.Policies.Retry;
using Spillway.Policies.Routing;
using Spillway.Runtimes.Simulated.Chat;

namespace Spillway.Config;

/// <summary>What an upstream speaks.</summary>
public enum UpstreamKind
{
    /// <summary>The Open Inference Protocol: tensors.</summary>
    Inference,

    /// <summary>OpenAI's HTTP protocol: chat, completions, embeddings.</summary>
    Openai,

    /// <summary>The same with the paths and the header of Azure OpenAI.</summary>
    Azure,

    /// <summary>OpenAI's protocol, answered in this process by a declared profile: no real model runs.</summary>
    Simulated,
}

/// <summary>In which field of a request an upstream takes the most tokens of an answer.</summary>
public enum TokensField
{
    /// <summary>max_tokens, which nearly every server knows.</summary>
    MaxTokens,

    /// <summary>max_completion_tokens, which OpenAI's reasoning models insist on.</summary>
    MaxCompletionTokens,
}

/// <summary>Another server, or several that serve the same model, as a step of routes.</summary>
public sealed record UpstreamOptions
{
    private const double TensorTotalMs = 60_000;
    private const double ChatTotalMs = 600_000;

    private readonly double? _totalMs;

    /// <summary>What it speaks.</summary>
    [Option("What it speaks: inference (the Open Inference Protocol, tensors), openai (any OpenAI-compatible server), "
        + "azure (Azure OpenAI's paths and api-key), simulated (answered here by a declared profile).")]
    public UpstreamKind Kind { get; init; }

    /// <summary>What the targets call the model.</summary>
    [Option("What the targets call the model. Empty: the upstream's own name.")]
    public string Model { get; init; } = "";

    /// <summary>Where it is served.</summary>
    [Option("Where it is served: targets by name, each with its address. Every kind but simulated needs one.")]
    public IReadOnlyDictionary<string, TargetOptions> Targets { get; init; } = new Dictionary<string, TargetOptions>();

    /// <summary>Time to connect.</summary>
    [Option("How long a connection may take to be made, TLS included.", Unit = "ms", Min = 1, Max = 600_000,
        Source = "a second: five round trips around the earth")]
    public double ConnectMs { get; init; } = 1000;

    /// <summary>Time to the first byte of an answer.</summary>
    [Option("How long the first byte of an answer may take from the sending on.", Unit = "ms", Min = 1,
        Max = 3_600_000, Source = "the longest that a person waits without a sign")]
    public double FirstDeltaMs { get; init; } = 10_000;

    /// <summary>Time between two pieces.</summary>
    [Option("How long an answer that began may be silent.", Unit = "ms", Min = 1, Max = 3_600_000,
        Source = "a hole in a network is shorter")]
    public double BetweenDeltasMs { get; init; } = 5000;

    /// <summary>Time of a whole call.</summary>
    [Option("How long one call may take from its beginning to the last byte, retries apart. Of language models, where "
        + "nothing is declared, ten minutes: as long as OpenAI's own clients wait. The time that a caller takes to "
        + "receive a stream does not count.", Unit = "ms", Min = 1, Max = 86_400_000, Source = "one minute")]
    public double TotalMs
    {
        get => _totalMs ?? (Kind is UpstreamKind.Inference ? TensorTotalMs : ChatTotalMs);
        init => _totalMs = value;
    }

    /// <summary>The largest answer.</summary>
    [Option("The largest answer that is taken.", Unit = "bytes", Min = 1024, Max = 2_147_483_647,
        Source = "server.bodyBytesMax's default")]
    public int AnswerBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>How often targets are asked whether they are ready.</summary>
    [Option("How often each target is asked whether it is ready, and until the model is known what it takes and gives. "
        + "0: never. Of language models only where healthPath says what to ask for.", Unit = "ms", Min = 0,
        Max = 3_600_000, Source = "a route that nobody uses notices in time")]
    public double HealthMs { get; init; } = 2000;

    /// <summary>What a language model's server is asked for to see that it lives.</summary>
    [Option("With kind: openai or azure, what each target is asked for every healthMs, with GET: models below its "
        + "address, or a path of its server, as /health of vLLM and llama-server. Empty: nothing, and the breaker "
        + "leaves a target alone that fails.", Source = "off: at a provider each question counts against a quota")]
    public string HealthPath { get; init; } = "";

    /// <summary>Where its key is.</summary>
    [Option("The targets' key, sent as Authorization: Bearer: env:NAME for a variable, else the path of a file that "
        + "only its owner may read, relative to this file. Empty: none. With kind: azure it is sent as api-key.")]
    public string KeyFrom { get; init; } = "";

    /// <summary>Where further keys are.</summary>
    [Option("With kind: openai or azure, further keys, each as keyFrom: when one is refused (401, 402, 403) the next "
        + "one takes its place.")]
    public IReadOnlyList<string> MoreKeysFrom { get; init; } = [];

    /// <summary>Azure's version of the protocol.</summary>
    [Option("With kind: azure, the value of api-version in every address. Empty: none, as in Azure's /openai/v1.")]
    public string ApiVersion { get; init; } = "";

    /// <summary>The field of an injected cap.</summary>
    [Option("With kind: openai or azure, the field that the route's maxTokens is sent in when a request has none: "
        + "maxTokens (max_tokens) or maxCompletionTokens (max_completion_tokens).")]
    public TokensField TokensField { get; init; }

    /// <summary>The slowest stream.</summary>
    [Option("With kind: openai or azure, a stream that brings less than this over ten seconds is given up. 0: never.",
        Unit = "bytes/s", Min = 0, Max = 1_000_000)]
    public double BytesPerSecondMin { get; init; }

    /// <summary>Whether streams may end without a finish_reason.</summary>
    [Option("With kind: openai or azure, whether the server ends a stream with [DONE] and gives no finish_reason. "
        + "Otherwise an answer without one counts as broken off.")]
    public bool EndsWithoutReason { get; init; }

    /// <summary>What a simulated one does; null for the defaults.</summary>
    [Option("With kind: simulated, how it answers.")]
    public SimulatedChatOptions? Simulated { get; init; }

    /// <summary>When a target is left alone.</summary>
    [Option("When a target is left alone, and for how long.")]
    public BreakerOptions Breaker { get; init; } = new();

    /// <summary>Second attempts.</summary>
    [Option("How often, how soon and how much is tried again.")]
    public RetryOptions Retry { get; init; } = new();

    /// <summary>Second copies of slow requests.</summary>
    [Option("When a second copy of a slow request is sent to another target.")]
    public HedgeOptions Hedge { get; init; } = new();

    /// <summary>Requests at once at a target.</summary>
    [Option("How many requests each target has at once, which is learned from the time to the first byte. Of language "
        + "models the time to the first token is, and where nothing is declared 1000 stand: prompts differ in length.")]
    public AdaptiveLimitOptions Concurrency { get; init; } = new();

    /// <summary>Waiting for a target with room.</summary>
    [Option("How requests wait when every target has as many as it may have. Before language models, where nothing is "
        + "declared: 10 s, and 1 s once the line has built up.")]
    public UpstreamLineOptions Queue { get; init; } = new();

    /// <summary>Which target.</summary>
    [Option("How requests are spread over the targets.")]
    public BalancerOptions Balancing { get; init; } = new();
}

/// <summary>One target of an upstream.</summary>
public sealed record TargetOptions
{
    /// <summary>Where it is.</summary>
    [Option("Its base address: http://10.0.0.7:8000, or https://…; a path in front of /v2 is kept. With "
        + "kind: openai with its /v1 (https://api.openai.com/v1), with azure up to the deployment's name.",
        Required = true)]
    public string Url { get; init; } = "";

    /// <summary>Its part of the requests.</summary>
    [Option("Its part of the requests, relative to the others'.", Min = 0.001, Max = 1000)]
    public double Weight { get; init; } = 1;
}
