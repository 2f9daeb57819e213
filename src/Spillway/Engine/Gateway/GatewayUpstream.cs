using Spillway.Config;
using Spillway.Engine.Upstreams;
using Spillway.Policies.Concurrency;
using Spillway.Runtimes.Simulated.Chat;

namespace Spillway.Engine.Gateway;

/// <summary>
/// An upstream that speaks OpenAI's protocol: its targets, which of them are asked, and their keys. What is said to a
/// target is the exchange's matter. Immutable but for its keys. Lives as long as a <see cref="GatewayWorld"/> has it.
/// Thread-safe.
/// </summary>
internal sealed class GatewayUpstream : IDisposable
{
    // What holds where nothing is declared. A prompt's length moves the time to the first token, and an answer's length
    // that of a whole one, so neither tells how busy a target is: the limit stands, and who waits for a place may wait
    // as long as people do for a first token.
    private static readonly AdaptiveLimitOptions s_limit = new() { Enabled = false, Max = 1000 };
    private static readonly UpstreamLineOptions s_line = new() { WaitMs = 10_000, BuiltUpWaitMs = 1000 };

    private static readonly IReadOnlyDictionary<string, TargetOptions> s_here =
        new Dictionary<string, TargetOptions> { ["simulated"] = new() };

    private static readonly Fault s_stopped = new(FaultKind.Cancelled, "The upstream is declared no more.");

    private readonly CancellationTokenSource _gone = new();
    private readonly GatewayTarget[] _targets;
    private readonly Clock _clock;
    private int _worlds;

    /// <summary>Makes one; nothing is asked yet.</summary>
    /// <param name="name">The upstream's.</param>
    /// <param name="options">Validated.</param>
    /// <param name="keys">The targets' keys.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="random">The jitter and the draws; its own.</param>
    /// <param name="before">The one whose place it takes; null for none.</param>
    public GatewayUpstream(
        string name, UpstreamOptions options, GatewayKeys keys, Clock clock, Random random,
        GatewayUpstream? before = null)
    {
        (Name, Options, Keys, _clock) = (name, options, keys, clock);
        Model = options.Model.Length > 0 ? options.Model : name;
        var handler = IsSimulated
            ? new SimulatedHandler(new SimulatedChat(options.Simulated ?? new(), clock.Time), clock.Time) : null;
        var inForce = InForce(options);
        _targets = [.. inForce.Targets.Keys.Select(t => new GatewayTarget(name, t, options, Keys, handler, clock))];
        Choice = new(name, inForce, clock, random, before?.Choice);
    }

    /// <summary>The upstream's name.</summary>
    public string Name { get; }

    /// <summary>As declared.</summary>
    public UpstreamOptions Options { get; }

    /// <summary>What its targets call the model.</summary>
    public string Model { get; }

    /// <summary>What its targets are asked with.</summary>
    public GatewayKeys Keys { get; }

    /// <summary>Which of its targets are asked, and how often.</summary>
    public TargetChoice Choice { get; }

    /// <summary>Whether nothing real answers.</summary>
    public bool IsSimulated => Options.Kind is UpstreamKind.Simulated;

    /// <summary>Whether no configuration has it any more, and its connections are closed.</summary>
    public bool IsGone => _gone.IsCancellationRequested;

    /// <summary>Requests that wait for a target with room.</summary>
    public int Waiting => Choice.Waiting;

    /// <summary>A target.</summary>
    public GatewayTarget this[int target] => _targets[target];

    /// <summary>How it stands.</summary>
    public IReadOnlyList<TargetView> Look() => Choice.Look();

    /// <summary>Begins to ask its targets how they are, where that is declared.</summary>
    public void Watch(TargetWatch watch)
    {
        if (Options.HealthPath.Length == 0 || Options.HealthMs <= 0 || IsSimulated)
            return;
        watch.Start(Name, _targets.Length, TimeSpan.FromMilliseconds(Options.HealthMs), ProbeAsync, _gone.Token);
    }

    /// <summary>One more configuration has it.</summary>
    public void Keep() => Interlocked.Increment(ref _worlds);

    /// <summary>One has it no more; with the last one it ends.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _worlds) == 0)
            Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _gone.Cancel();
        Choice.Dispose();
        foreach (var target in _targets)
            target.Dispose();
        _gone.Dispose();
    }

    private static UpstreamOptions InForce(UpstreamOptions options) => options with
    {
        Targets = options.Kind is UpstreamKind.Simulated ? s_here : options.Targets,
        Concurrency = options.Concurrency == new AdaptiveLimitOptions() ? s_limit : options.Concurrency,
        Queue = options.Queue == new UpstreamLineOptions() ? s_line : options.Queue,
    };

    /// <summary>Asks one target how it is; always to be asked again.</summary>
    private async ValueTask<bool> ProbeAsync(int target, CancellationToken stop)
    {
        if (Choice.TryProbe(target) is not { } turn)
            return true;
        Fault? fault = s_stopped;
        try
        {
            fault = await _targets[target].CheckAsync(Options, _clock, stop).ConfigureAwait(false);
        }
        finally
        {
            Choice.Probed(turn, fault);
        }

        return true;
    }
}
