using System.Diagnostics;
using System.Globalization;

namespace Spillway.Telemetry;

/// <summary>
/// What is counted once for the whole server, and what is asked of its process. One instance a process.
/// </summary>
internal sealed class ServerInstruments
{

    private readonly Counter[] _unrouted = [.. FaultLabels.Kinds.Select(_ => new Counter())];
    private readonly InstrumentRegistry _registry;
    private readonly object _configOwner = new();
    private readonly Counter _reloads = new();
    private readonly Counter _reloadsRefused = new();

    /// <summary>Registers every series of the server and its process.</summary>
    /// <param name="registry">Where the exposition finds them.</param>
    /// <param name="version">Spillway's version.</param>
    /// <param name="recent">The ring whose counters are shown.</param>
    public ServerInstruments(InstrumentRegistry registry, string version, RecentRequests recent)
    {
        _registry = registry;
        registry.Add(this, [.. Own(version), .. Ring(recent), .. OfProcess()]);
    }

    /// <summary>A request ended before a model was known.</summary>
    public void Unrouted(FaultKind why) => _unrouted[(int)why].Add();

    /// <summary>The digest of the configuration that is in force from now on.</summary>
    public void ConfigInForce(string digest) =>
        _registry.Replace(_configOwner, [new(Instruments.ConfigInfo, new Gauge(() => 1), [digest])]);

    /// <summary>A configuration was read again, and put in force or refused.</summary>
    public void Reloaded(bool applied) => (applied ? _reloads : _reloadsRefused).Add();

    /// <summary>Registers the budgets of memory.</summary>
    public void Memory(IEnumerable<(string Device, long Budget, Func<double> Used)> budgets)
    {
        foreach (var (device, budget, used) in budgets)
        {
            _registry.Add(this,
            [
                new(Instruments.MemoryBudget, new Gauge(() => budget), [device]),
                new(Instruments.MemoryUsed, new Gauge(used), [device]),
            ]);
        }
    }

    private static IEnumerable<Series> Ring(RecentRequests recent) =>
    [
        new(Instruments.Records, new Gauge(() => recent.Written), []),
        new(Instruments.RecordsOverwritten, new Gauge(() => recent.Overwritten), []),
    ];

    private static IEnumerable<Series> OfProcess()
    {
        yield return new(Instruments.ProcessCpu, new Gauge(() => Environment.CpuUsage.TotalTime.TotalSeconds), []);
        yield return new(Instruments.ProcessMemory, new Gauge(() => Environment.WorkingSet), []);
        var started = StartedUnixSeconds();
        yield return new(Instruments.ProcessStart, new Gauge(() => started), []);
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            var counted = generation;
            yield return new(Instruments.GcCollections, new Gauge(() => Collections(counted)),
                [counted.ToString(CultureInfo.InvariantCulture)]);
        }

        yield return new(Instruments.GcHeap, new Gauge(() => GC.GetTotalMemory(forceFullCollection: false)), []);
        yield return new(Instruments.GcAllocated, new Gauge(() => GC.GetTotalAllocatedBytes()), []);
        yield return new(Instruments.GcPause, new Gauge(() => GC.GetTotalPauseDuration().TotalSeconds), []);
        yield return new(Instruments.PoolQueue, new Gauge(() => ThreadPool.PendingWorkItemCount), []);
    }

    /// <summary>
    /// The runtime counts a collection of an old generation in every younger one; here each counts once.
    /// </summary>
    private static double Collections(int generation)
    {
        var older = generation < GC.MaxGeneration ? GC.CollectionCount(generation + 1) : 0;
        return Math.Max(0, GC.CollectionCount(generation) - older);
    }

    private static double StartedUnixSeconds()
    {
        using var self = Process.GetCurrentProcess();
        return (self.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
    }

    private IEnumerable<Series> Own(string version)
    {
        foreach (var kind in FaultLabels.Kinds)
            yield return new(Instruments.Unrouted, _unrouted[(int)kind], [FaultLabels.Of(kind)]);
        yield return new(Instruments.ConfigReloads, _reloads, ["applied"]);
        yield return new(Instruments.ConfigReloads, _reloadsRefused, ["refused"]);
        yield return new(Instruments.BuildInfo, new Gauge(() => 1), [version, Environment.Version.ToString()]);
    }
}
