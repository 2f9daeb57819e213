using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Spillway.Policies.Drills;
using Spillway.Telemetry;

namespace Spillway.Engine.Drills;

/// <summary>
/// The drills of a server: begins one at a time, holds its lease, and puts everything back when that is not renewed,
/// when somebody says so, and when the server ends. Thread-safe.
/// </summary>
internal sealed class DrillDesk : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly DrillLease _lease = new();
    private readonly Serving _serving;
    private readonly ILogger _logger;
    private readonly DrillAims _aims;
    private readonly ITimer _timer;
    private readonly bool _allowed;

    /// <summary>Nothing is broken.</summary>
    /// <param name="serving">What may be broken.</param>
    /// <param name="allowed">server.drillable.</param>
    /// <param name="disks">What is written to the disk while requests are served, in words.</param>
    /// <param name="logger">Told of every drill.</param>
    public DrillDesk(Serving serving, bool allowed, IReadOnlyList<string> disks, ILogger logger)
    {
        (_serving, _allowed, _logger, _aims) = (serving, allowed, logger, new(serving, disks));
        _timer = serving.Clock.Time.CreateTimer(
            static self => ((DrillDesk)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What is counted.</summary>
    public DrillInstruments Counts { get; } = new(DrillWords.All);

    /// <summary>Told, after the fact and outside the lock, of a drill that ended by itself.</summary>
    public Action<DrillRun>? Expired { get; set; }

    /// <summary>What is broken now; null for nothing.</summary>
    public DrillRun? Running => _serving.Drills.Now;

    /// <summary>Why nothing may be broken here; null when it may.</summary>
    public Fault? Refusal => _allowed ? null : new(
        FaultKind.Unsupported, "This server is not marked as one that drills may break. Set server.drillable: true in "
        + "its configuration (or SPILLWAY__SERVER__DRILLABLE=true) and start it again.");

    /// <summary>What a drill would break; a fault says what is needed.</summary>
    public Outcome<DrillOrder> Aim(DrillAsk ask) => _aims.Find(ask);

    /// <summary>Breaks something for a while.</summary>
    /// <param name="ask">What.</param>
    /// <param name="who">Who wants it.</param>
    /// <param name="ttl">How long it holds without being renewed.</param>
    public Outcome<DrillRun> Begin(DrillAsk ask, string who, TimeSpan ttl)
    {
        if (Refusal is { } refused)
            return refused;
        if (_serving.Stopping)
            return Stopping();
        if (!_aims.Find(ask).TryGet(out var order, out var fault))
            return fault;
        DrillRun? run;
        lock (_lock)
        {
            PutAway();
            if (!_lease.Begin(NewId(), order, who, ttl, _serving.Clock.Now).TryGet(out run, out fault))
                return fault;
            InForce(run);
        }

        DrillLog.Began(_logger, run.Id, who, order.Text);
        Counts.Began(DrillWords.Of(order.Kind));
        Take(order);
        return run;
    }

    /// <summary>Holds on to a drill.</summary>
    public Outcome<DrillRun> Renew(string id)
    {
        if (_serving.Stopping)
            return Stopping();
        lock (_lock)
        {
            PutAway();
            if (!_lease.Renew(id, _serving.Clock.Now).TryGet(out var run, out var fault))
                return fault;
            InForce(run);
            return run;
        }
    }

    /// <summary>Puts everything back; the drill that ran, or null when none did.</summary>
    /// <param name="id">Which; null for whatever runs.</param>
    /// <param name="why">For the log.</param>
    public DrillRun? Stop(string? id, string why)
    {
        DrillRun? run;
        lock (_lock)
        {
            run = _lease.End(id);
            if (run is not null)
                InForce(null);
        }

        if (run is not null)
            DrillLog.Ended(_logger, run.Id, why);
        return run;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Stop(null, "the server ends");
        await _timer.DisposeAsync().ConfigureAwait(false);
    }

    private static Fault Stopping() => new(
        FaultKind.ShuttingDown, "The server is stopping: nothing is drilled any more, and everything is whole.");

    private void OnTimer()
    {
        DrillRun? over;
        lock (_lock)
        {
            over = PutAway();
            // One that was renewed meanwhile, or a timer that came early.
            if (over is null && _lease.Running is { } run)
                _timer.Change(_serving.Clock.Until(run.Ends), Timeout.InfiniteTimeSpan);
        }

        if (over is null)
            return;
        DrillLog.Ended(_logger, over.Id, "it was not renewed");
        Expired?.Invoke(over);
    }

    /// <summary>Under the lock.</summary>
    private DrillRun? PutAway()
    {
        var over = _lease.Expire(_serving.Clock.Now);
        if (over is not null)
            InForce(null);
        return over;
    }

    /// <summary>Under the lock.</summary>
    private void InForce(DrillRun? run)
    {
        _serving.Drills.Set(run);
        _timer.Change(
            run is null ? Timeout.InfiniteTimeSpan : _serving.Clock.Until(run.Ends), Timeout.InfiniteTimeSpan);
    }

    /// <summary>What is done once, or must be told where it is to look.</summary>
    private void Take(DrillOrder order)
    {
        if (order.Kind is DrillKind.Cache)
            _serving.Models.Routes.All.First(r => r.Name == order.Served).Cache!.Clear();
        if (order.Kind is not DrillKind.Replica)
            return;
        foreach (var door in _serving.Doors)
        {
            if (door.Deployment is { } deployment && deployment.Name == order.Deployment)
                deployment.Drills = _serving.Drills;
        }
    }

    private string NewId() => string.Create(
        CultureInfo.InvariantCulture,
        $"{_serving.Clock.Time.GetUtcNow():yyyyMMdd-HHmmss}-{RandomNumberGenerator.GetHexString(4, lowercase: true)}");
}
