using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine.Drills;
using Spillway.Policies.Pricing;

namespace Spillway.Engine.Upstreams;

/// <summary>The upstreams of a server, and the loop that asks their targets how they are. Thread-safe.</summary>
internal sealed class UpstreamSet : IAsyncDisposable
{
    private readonly Dictionary<string, (UpstreamGroup Group, UpstreamOptions Options)> _groups = [];
    private readonly TargetWatch _watch;
    private readonly ILogger _logger;

    /// <summary>Makes the upstreams of a configuration.</summary>
    /// <param name="options">By name, validated.</param>
    /// <param name="keys">The key of each, where it has one.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where troubles are told.</param>
    /// <param name="seed">Of draws and jitter.</param>
    /// <param name="drills">What a drill breaks; null for nothing ever.</param>
    /// <param name="prices">What answers cost; null for nothing.</param>
    public UpstreamSet(
        IReadOnlyDictionary<string, UpstreamOptions> options, IReadOnlyDictionary<string, string> keys, Clock clock,
        ILogger logger, int seed, DrillSwitch? drills = null, PriceList? prices = null)
    {
        (_watch, _logger) = (new(clock, logger), logger);
        foreach (var (name, upstream) in options)
        {
            var group = new UpstreamGroup(
                name, upstream, keys.GetValueOrDefault(name, ""), clock, new(seed + _groups.Count), drills)
            {
                Tariff = prices?.UpstreamOf(name),
            };
            _groups.Add(name, (group, upstream));
        }
    }

    /// <summary>Told when what an upstream takes and gives has become known.</summary>
    public Action? Known { get; set; }

    /// <summary>Every upstream.</summary>
    public IEnumerable<UpstreamGroup> All => _groups.Values.Select(g => g.Group);

    /// <summary>The upstream of a name; null when there is none.</summary>
    public UpstreamGroup? Find(string name) => _groups.TryGetValue(name, out var found) ? found.Group : null;

    /// <summary>Ends the requests that are asked for; how many that were.</summary>
    public int Abort(Func<Work, bool> concerns, Fault why) => All.Sum(group => group.Abort(concerns, why));

    /// <summary>
    /// Begins to ask the targets: until what the model takes is known, and then on, where an interval is declared.
    /// </summary>
    public void Start()
    {
        foreach (var (group, options) in _groups.Values)
        {
            var every = TimeSpan.FromMilliseconds(options.HealthMs > 0 ? options.HealthMs : 1000);
            _watch.Start(group.Name, group.Choice.TargetCount, every, async (target, stop) =>
            {
                if (await group.ProbeAsync(target, stop).ConfigureAwait(false))
                {
                    UpstreamLog.Known(_logger, group.Name);
                    Known?.Invoke();
                }

                return options.HealthMs > 0 || group.Signature is null;
            });
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync().ConfigureAwait(false);
        foreach (var group in All)
            group.Dispose();
    }
}
