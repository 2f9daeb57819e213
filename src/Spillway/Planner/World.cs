using Spillway.Flow;
using Spillway.Policies.Sharing;

namespace Spillway.Planner;

/// <summary>
/// A simulated world with one deployment: the virtual-time interpreter of the two flows. It carries out the same
/// effects as the live Engine, on a clock that jumps from event to event. Deterministic: the same arrivals and run
/// times give the same decisions. One thread; no wall clock. Several worlds on one <see cref="Calendar"/> are several
/// deployments, which may share a device.
/// </summary>
/// <remarks>
/// With a <see cref="IWorldSink"/> it keeps no answers, words no faults and reuses its records: nothing is allocated
/// for
/// a request. The decisions are the same.
/// This file is long because an interpreter is read beside the live one, step by step; its records follow at the end.
/// </remarks>
public sealed class World : IActor
{
    private readonly DeploymentFlow _flow;
    private readonly Route _route;
    private readonly IRunTimes _times;
    private readonly FlowJournal? _journal;
    private readonly Calendar _calendar;
    private readonly Passenger?[] _bySlot;
    private readonly int[] _batch;
    private readonly Drop[] _drops;
    private readonly Passenger[][] _running;
    private readonly int[] _runCounts;
    private readonly long[] _runIds;
    private readonly List<WorldAnswer> _answers = [];
    private readonly List<Passenger> _scheduled = [];
    private readonly List<int> _stops = [];
    private readonly Stack<Passenger> _spare = [];
    private readonly IWorldSink? _sink;
    private DeviceFlow? _device;
    private Instant _armedAt = Instant.Never;
    private long _armedId;

    /// <summary>An idle world.</summary>
    /// <param name="flow">A fresh flow; the production object.</param>
    /// <param name="route">The served name; ready.</param>
    /// <param name="times">How long each run takes.</param>
    /// <param name="journal">Keeps each decision; null keeps none.</param>
    /// <param name="calendar">Shared with other worlds; null for a world of its own.</param>
    /// <param name="sink">Hears of each request in place of <see cref="Answers"/>; null keeps them.</param>
    public World(
        DeploymentFlow flow, Route route, IRunTimes times, FlowJournal? journal = null, Calendar? calendar = null,
        IWorldSink? sink = null)
    {
        (_flow, _route, _times, _journal, _calendar) = (flow, route, times, journal, calendar ?? new());
        _sink = sink;
        _bySlot = new Passenger?[flow.Capacity];
        (_batch, _drops) = (new int[flow.BatchMax], new Drop[flow.Capacity]);
        _running = [.. Enumerable.Range(0, flow.Runners).Select(_ => new Passenger[flow.BatchMax])];
        (_runCounts, _runIds) = (new int[flow.Runners], new long[flow.Runners]);
    }

    private enum What
    {
        RunEnds,
        Timer,
        Leaves,
        Arrives,
    }

    /// <summary>The present.</summary>
    public Instant Now => _calendar.Now;

    /// <summary>How each request ended, in the order of the ends.</summary>
    public IReadOnlyList<WorldAnswer> Answers => _answers;

    /// <summary>Time of all runs so far, those under way in full.</summary>
    public TimeSpan RunTime { get; private set; }

    /// <summary>Runs so far.</summary>
    public long RunsMade { get; private set; }

    /// <summary>Rows in them.</summary>
    public long RowsRun { get; private set; }

    /// <summary>Told of each end, in the middle of what happens: whoever goes on from there schedules it.</summary>
    public Action<WorldAnswer>? Ended { get; init; }

    /// <summary>Why a run of a runner failed, asked at its end; null for none ever.</summary>
    public Func<int, Fault?>? RunFault { get; init; }

    /// <summary>Input elements of all runs so far, padding included.</summary>
    public long ElementsRun { get; private set; }

    /// <summary>Those of them that were padding.</summary>
    public long PaddingRun { get; private set; }

    /// <summary>Schedules an arrival, and its caller's leaving when it does not wait to the end.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="at">When it is ready to be admitted; not before <see cref="Now"/>.</param>
    /// <param name="claim">What it asks.</param>
    /// <param name="leaves">When its caller leaves, if it is not answered by then.</param>
    public void Arrive(string id, Instant at, in Claim claim, Instant? leaves = null)
    {
        _scheduled.Add(new() { Id = id, Claim = claim });
        Schedule(at, What.Arrives, _scheduled.Count - 1);
        if (leaves is { } then)
            Schedule(then, What.Leaves, _scheduled.Count - 1);
    }

    /// <summary>A request comes now; its sink hears how it ends, perhaps before this returns.</summary>
    /// <param name="tag">The submitter's number for it.</param>
    /// <param name="claim">What it asks.</param>
    public void Submit(int tag, in Claim claim)
    {
        if (!_spare.TryPop(out var passenger))
            passenger = new();
        passenger.Renew(tag, claim);
        Admit(passenger);
        HandTurns();
    }

    /// <summary>Shares one device with other worlds of its calendar. Once, before anything is scheduled.</summary>
    /// <param name="device">The device; the production object.</param>
    /// <param name="sharing">Weight, priority, group.</param>
    /// <param name="runsAtOnce">Runs of it that the device is to carry at once.</param>
    public DeviceShare Share(DeviceFlow device, SharingOptions sharing, int runsAtOnce)
    {
        _device = device;
        var share = device.Join(sharing, _flow.Runners, runsAtOnce, _flow.Predict(1, 1), this);
        _flow.Turns = new([.. Enumerable.Repeat(((ITurns)device, share), _flow.Runners)]);
        return share;
    }

    /// <summary>Lives through everything on the calendar, and what follows from it.</summary>
    public void Run() => _calendar.Run();

    /// <inheritdoc/>
    void IActor.Happen(int what, int which, long id)
    {
        switch ((What)what)
        {
            case What.RunEnds:
                EndRun(which, id);
                break;
            case What.Timer:
                Wake(id);
                break;
            case What.Leaves:
                Leave(_scheduled[which]);
                break;
            case What.Arrives:
                Admit(_scheduled[which]);
                break;
        }

        HandTurns();
    }

    /// <summary>Whoever got a turn from what happened begins now.</summary>
    private void HandTurns()
    {
        while (_device?.TryNext(Now, out var grant) is true)
            ((World)grant.Share.Owner!).HaveTurn(grant.Runner);
    }

    private void HaveTurn(int runner)
    {
        _journal?.Granted(Now, runner);
        Take(runner);
        Arm();
    }

    private void Admit(Passenger passenger)
    {
        passenger.Arrived = Now;
        var effect = passenger.Flow.Begin(_route, stopping: false);
        if (effect.What is Do.Place)
        {
            passenger.Placement = _flow.Place(passenger.Claim, Now);
            _journal?.Placed(Now, passenger.Id, passenger.Placement);
            if (_sink is not null && passenger.Placement.Refused is { } kind)
            {
                Tell(passenger, kind);
                return;
            }

            effect = passenger.Flow.Placed(passenger.Placement);
        }

        if (effect.What is Do.Refuse)
        {
            End(passenger, effect.Fault);
            return;
        }

        _bySlot[passenger.Placement.Slot] = passenger;
        passenger.Slot = passenger.Placement.Slot;
        Arm();
        var step = _flow.Ready(passenger.Slot, Now);
        _journal?.Ready(Now, passenger.Id, step);
        if (step.How is not Launch.Queue)
        {
            passenger.Inline = step.How is Launch.Inline;
            if (step.How is Launch.Start)
                Arm();
            Take(step.Runner);
        }

        Arm();
    }

    /// <summary>A runner asks for a batch and begins it.</summary>
    private void Take(int runner)
    {
        var taken = _flow.Take(runner, _batch, _drops, Now);
        GiveUp(taken.Dropped);
        var run = _running[runner];
        for (var i = 0; i < taken.Count; i++)
        {
            run[i] = _bySlot[_batch[i]]!;
            run[i].Run = runner;
            _journal?.Took(Now, run[i].Id, runner);
            _sink?.Began(run[i].Tag);
        }

        _journal?.Batch(Now, runner, taken);
        _runCounts[runner] = taken.Count;
        if (taken.Count == 0)
            return;
        _runIds[runner]++;
        (ElementsRun, PaddingRun) = (ElementsRun + taken.Elements, PaddingRun + taken.Padding);
        var time = _times.Next(runner, taken.Rows, taken.Elements);
        (RunTime, RunsMade, RowsRun) = (RunTime + time, RunsMade + 1, RowsRun + taken.Rows);
        Schedule(Now + time, What.RunEnds, runner, _runIds[runner]);
    }

    private void EndRun(int runner, long id)
    {
        if (id != _runIds[runner] || _runCounts[runner] == 0)
            return;
        FinishRun(runner, completed: true);
    }

    private void FinishRun(int runner, bool completed)
    {
        var run = _running[runner].AsSpan(0, _runCounts[runner]);
        _runCounts[runner] = 0;
        var inline = run[0].Inline;
        var fault = completed ? RunFault?.Invoke(runner) : null;
        _flow.Observe(runner, completed && fault is null, Now);
        _journal?.Finished(Now, runner, completed && fault is null);
        foreach (var passenger in run)
        {
            _bySlot[passenger.Slot] = null;
            passenger.Slot = -1;
        }

        Arm();
        EndAll(run, fault);
        if (inline)
        {
            var next = _flow.Release(runner, Now);
            _journal?.Released(Now, runner, next);
            Arm();
            if (next.How is not Launch.Start)
                return;
        }

        Take(runner);
        Arm();
    }

    private void EndAll(ReadOnlySpan<Passenger> run, Fault? fault)
    {
        foreach (var passenger in run)
        {
            if (!passenger.Gone)
                End(passenger, RequestFlow.Ended(fault).Fault);
            else if (_sink is not null)
                _spare.Push(passenger);
        }
    }

    private void Leave(Passenger passenger)
    {
        if (passenger.Slot < 0 || passenger.Gone)
            return;
        var (slot, running) = (passenger.Slot, passenger.Run);
        var stop = _flow.Cancel(slot, Now);
        _journal?.Cancelled(Now, passenger.Id, stop);
        if (running < 0)
            Forget(slot, passenger);
        else
            passenger.Gone = true;
        Arm();
        End(passenger, new(FaultKind.Cancelled, "The caller left."));
        if (stop >= 0)
            StopRun(stop);
    }

    private void Wake(long armedId)
    {
        if (armedId != _armedId)
            return;
        _armedAt = Instant.Never;
        var drops = _flow.Wake(_drops, Now, out var start);
        _stops.Clear();
        for (var i = 0; i < drops; i++)
        {
            if (_drops[i].StopRunner >= 0)
                _stops.Add(_drops[i].StopRunner);
        }

        GiveUp(drops);
        _journal?.Woke(Now, start);
        Arm();
        foreach (var runner in _stops)
            StopRun(runner);
        if (start.How is Launch.Start)
        {
            Take(start.Runner);
            Arm();
        }
    }

    /// <summary>A run that nobody waits for ends at once.</summary>
    private void StopRun(int runner)
    {
        _runIds[runner]++;
        FinishRun(runner, completed: false);
    }

    private void GiveUp(int drops)
    {
        for (var i = 0; i < drops; i++)
        {
            var drop = _drops[i];
            var passenger = _bySlot[drop.Slot]!;
            _journal?.Dropped(Now, passenger.Id, drop);
            if (passenger.Run < 0)
                Forget(drop.Slot, passenger);
            else
                passenger.Gone = true;
            if (_sink is not null)
                Tell(passenger, drop.Reason);
            else
                End(passenger, passenger.Flow.Dropped(drop.Reason, passenger.Placement));
        }
    }

    private void Forget(int slot, Passenger passenger)
    {
        _bySlot[slot] = null;
        passenger.Slot = -1;
    }

    private void End(Passenger passenger, Fault? fault)
    {
        if (_sink is not null)
            Tell(passenger, fault?.Kind);
        else
        {
            _answers.Add(new(passenger.Id, passenger.Arrived, Now, passenger.Placement.Deadline, fault));
            Ended?.Invoke(_answers[^1]);
        }
    }

    /// <summary>The sink hears the end; a record that no run holds any more is used again.</summary>
    private void Tell(Passenger passenger, FaultKind? fault)
    {
        var tag = passenger.Tag;
        if (!passenger.Gone)
            _spare.Push(passenger);
        _sink!.Ended(tag, fault);
    }

    private void Arm()
    {
        var at = _flow.WakeAt;
        if (at == _armedAt)
            return;
        _armedAt = at;
        _armedId++;
        _journal?.Armed(Now, at);
        if (at != Instant.Never)
            Schedule(at > Now ? at : Now, What.Timer, 0, _armedId);
    }

    private void Schedule(Instant at, What what, int which, long id = 0) =>
        _calendar.Schedule(at, this, (int)what, which, id);

    private sealed class Passenger
    {
        public string Id { get; init; } = "";

        public int Tag { get; private set; }

        public Claim Claim { get; set; }

        public RequestFlow Flow;

        public Placement Placement { get; set; }

        public Instant Arrived { get; set; }

        public int Slot { get; set; } = -1;

        public int Run { get; set; } = -1;

        public bool Inline { get; set; }

        public bool Gone { get; set; }

        public void Renew(int tag, in Claim claim)
        {
            (Tag, Claim, Placement, Slot, Run) = (tag, claim, default, -1, -1);
            (Inline, Gone) = (false, false);
        }
    }
}

/// <summary>How a simulated request ended.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Arrived">When it came.</param>
/// <param name="Ended">When it was answered or refused.</param>
/// <param name="Deadline">When its answer was due.</param>
/// <param name="Fault">Why it was not answered; null when it was.</param>
public readonly record struct WorldAnswer(string Id, Instant Arrived, Instant Ended, Instant Deadline, Fault? Fault)
{
    /// <summary>Answered, and in time.</summary>
    public bool Good => Fault is null && Ended <= Deadline;
}

/// <summary>How long runs take in a simulated world.</summary>
public interface IRunTimes
{
    /// <summary>The time of the run that begins now; the elements include padding.</summary>
    TimeSpan Next(int runner, int rows, long elements);
}
