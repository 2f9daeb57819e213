using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine.Drills;
using Spillway.Policies.Pricing;

namespace Spillway.Engine.Upstreams;

/// <summary>The upstreams of a server, and the loop that asks their targets how they are. Thread-safe.</summary>
internal sealed class UpstreamSet : IAsyncDisposable
{
    private readonly Dictionary<string, (UpstreamGroup Group, UpstreamOptions Options)> _groups = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Clock _clock;
    private readonly ILogger _logger;
    private Task[] _loops = [];

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
        (_clock, _logger) = (clock, logger);
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

    /// <summary>Begins to ask the targets.</summary>
    public void Start() => _loops =
    [
        .. _groups.Values.SelectMany(g => Enumerable.Range(0, g.Group.TargetCount)
            .Select(target => LoopAsync(g.Group, target, g.Options.HealthMs))),
    ];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var group in All)
            group.Dispose();
        _stop.Dispose();
    }

    /// <summary>
    /// Until what the model takes is known, and then on, where an interval is declared.
    /// </summary>
    private async Task LoopAsync(UpstreamGroup group, int target, double everyMs)
    {
        var every = TimeSpan.FromMilliseconds(everyMs > 0 ? everyMs : 1000);
        try
        {
            await Task.Yield();
            while (true)
            {
                await ProbeAsync(group, target).ConfigureAwait(false);
                if (everyMs == 0 && group.Signature is not null)
                    return;
                await Task.Delay(every, _clock.Time, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async ValueTask ProbeAsync(UpstreamGroup group, int target)
    {
        try
        {
            if (!await group.ProbeAsync(target, _stop.Token).ConfigureAwait(false))
                return;
            UpstreamLog.Known(_logger, group.Name);
            Known?.Invoke();
        }
        catch (OperationCanceledException)
        {
            throw;
        }
#pragma warning disable CA1031 // A target that surprises must be asked again all the same.
        catch (Exception surprise)
#pragma warning restore CA1031
        {
            UpstreamLog.ProbeThrew(_logger, group.Name, surprise);
        }
    }
}
