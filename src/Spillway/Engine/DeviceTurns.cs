using Spillway.Flow;
using Spillway.Policies.Sharing;

namespace Spillway.Engine;

/// <summary>
/// One device, live: interprets <see cref="DeviceFlow"/> behind one short lock. Thread-safe.
/// </summary>
/// <remarks>
/// Lock order: a deployment's lock, then a device's. A device's lock is the last one: inside it nothing is called but
/// the flow. Whoever got a turn from another one's step is started by <see cref="HandOn"/>, with no lock held at all.
/// </remarks>
/// <param name="groups">The limit of each concurrency group.</param>
/// <param name="clock">The clock.</param>
internal sealed class DeviceTurns(IReadOnlyDictionary<string, int> groups, Clock clock) : ITurns
{
    private readonly Lock _lock = new();
    private readonly DeviceFlow _flow = new(groups);

    /// <summary>
    /// Somebody may be due. Written under the lock, read without: a step looks only after its own writing.
    /// </summary>
    private volatile bool _hasNext;
    private int _handing;

    /// <summary>Nobody is about to be started. For tests, which wait until everything came to rest.</summary>
    public bool IsAtRest => !_hasNext && Volatile.Read(ref _handing) == 0;

    public DeviceShare Join(SharingOptions sharing, int runners, int runsAtOnce, TimeSpan expected, DeviceSeat owner)
    {
        DeviceShare share;
        lock (_lock)
        {
            share = _flow.Join(sharing, runners, runsAtOnce, expected, owner);
            // It may have widened the device.
            _hasNext = _flow.HasNext;
        }

        HandOn();
        return share;
    }

    public void Leave(DeviceShare share)
    {
        lock (_lock)
        {
            _flow.Leave(share, clock.Now);
            _hasNext = _flow.HasNext;
        }

        HandOn();
    }

    public bool Ask(DeviceShare share, int runner, Instant now)
    {
        lock (_lock)
        {
            var granted = _flow.Ask(share, runner, now);
            _hasNext = _flow.HasNext;
            return granted;
        }
    }

    public bool Again(DeviceShare share, int runner, Instant now)
    {
        lock (_lock)
        {
            var goesOn = _flow.Again(share, runner, now);
            _hasNext = _flow.HasNext;
            return goesOn;
        }
    }

    public void Return(DeviceShare share, int runner, bool ran, Instant now)
    {
        lock (_lock)
        {
            _flow.Return(share, runner, ran, now);
            _hasNext = _flow.HasNext;
        }
    }

    public TurnOutlook Outlook(DeviceShare share, Instant now)
    {
        lock (_lock)
            return _flow.Outlook(share, now);
    }

    /// <summary>Starts whoever is due now. With no lock held; costs one read when nobody is.</summary>
    public void HandOn()
    {
        while (_hasNext)
        {
            Interlocked.Increment(ref _handing);
            if (TryNext(out var grant))
                ((DeviceSeat)grant.Share.Owner!).Start(grant);
            Interlocked.Decrement(ref _handing);
        }
    }

    private bool TryNext(out Grant grant)
    {
        lock (_lock)
        {
            var any = _flow.TryNext(clock.Now, out grant);
            // Those who wait and get nothing have full groups: whoever leaves the group looks again.
            _hasNext = any && _flow.HasNext;
            return any;
        }
    }
}
