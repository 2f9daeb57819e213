using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Runtimes;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Simulation;

/// <summary>
/// Plays a script through the live Engine (threads, locks, timers, the Simulated runtime) on a manual clock. Every
/// arrival and leaving is a timer of that clock; after each timer the driver waits until every thread has come to rest:
/// each run under way waits on the clock, and nobody is about to take or finish.
/// </summary>
internal sealed class LiveRun : IDisposable
{
    private static readonly TimeSpan s_patience = TestServer.Patience;

    private readonly ManualTimeProvider _time = new(TimeSpan.TicksPerSecond);
    private readonly Clock _clock;
    private readonly Deployment _deployment;
    private readonly Door _door;
    private readonly HashSet<int> _stopping = [];
    private readonly List<ITimer> _script = [];
    private readonly List<Task> _submissions = [];
    private int _external;
    private int _submitting;
    private int _launching;
    private int _running;
    private bool _armed;
    private long _seen;

    public LiveRun(
        SimulatedOptions profile, BatchingOptions batching, DeadlineOptions deadlines, ShapeBuckets? buckets = null)
    {
        _clock = new(_time);
        Model = new SimulatedRuntime(_time).Load(new("m", "", profile), CancellationToken.None).Value;
        var curve = Model.Traits.DeclaredCurve!;
        Runners = [.. Model.Traits.Devices.SelectMany((d, i) => Enumerable.Repeat((Device: d, Index: i), d.Parallelism))];
        Journal.Saw = Count;
        Flow = MakeFlow(batching, deadlines, curve, Runners.Count, buckets);
        _deployment = new(
            "m", _clock, Flow, [.. Runners.Select(r => (r.Device, Model.CreateReplica(r.Index).Value))], NullLogger.Instance, Journal);
        _door = Door.Open(
            new(ReadyRoute, new ModelOptions { Batching = batching, Deadline = deadlines }), _deployment,
            Model.Signature, Model.Traits, input: null, output: null).Value;
    }

    /// <summary>The flow of a live run and of its replay: with buckets one curve for each, as long as it.</summary>
    public static DeploymentFlow MakeFlow(
        BatchingOptions batching, DeadlineOptions deadlines, IReadOnlyList<BatchPoint> curve, int runners,
        ShapeBuckets? buckets, WaitingLine? line = null) => buckets is null
        ? new(batching, deadlines, curve, elementsPerRow: 1, runners, line)
        : new(
            batching, deadlines, [.. buckets.Lengths.Select(length => new BucketCurve(curve, length))], runners,
            buckets, line: line);

    public static Route ReadyRoute { get; } = new(new("m", "1"), "m", RouteState.Ready, "", 256);

    public FlowJournal Journal { get; } = new();

    public DeploymentFlow Flow { get; }

    public ILoadedModel Model { get; }

    public IReadOnlyList<(Device Device, int Index)> Runners { get; }

    /// <summary>Plays to the end; the answers by id.</summary>
    public Dictionary<string, Fault?> Play(IReadOnlyList<Scripted> script)
    {
        var works = new Dictionary<string, Work>();
        foreach (var request in script)
        {
            var work = request.ToWork(_door);
            works[request.Id] = work;
            At(request.At, () => Submit(work, request.Claim));
            if (request.Leaves is { } leaves)
                At(leaves, () => _deployment.Cancel(work, new(FaultKind.Cancelled, "left")));
        }

        while (_time.AdvanceToNextTimer())
            Assert.True(SpinWait.SpinUntil(IsAtRest, s_patience), Unrest());
        Assert.True(Task.WaitAll([.. _submissions], s_patience), Unrest());
        Assert.True(_deployment.Look().IsIdle);
        return works.ToDictionary(w => w.Key, w => End(w.Value));
    }

    public void Dispose()
    {
        _deployment.Dispose();
        Model.Dispose();
    }

    private Fault? End(Work work)
    {
        var end = work.Answer.WaitAsync().AsTask();
        Assert.True(end.Wait(s_patience), $"{work.Request.Id} has no outcome; {Unrest()}");
        return end.Result ? null : work.Answer.Fault;
    }

    private static Fault? Refused(Work work) => work.Flow.Placed(work.Placement).Fault;

    private void At(Instant at, Action act)
    {
        Interlocked.Increment(ref _external);
        _script.Add(_time.CreateTimer(
            _ =>
            {
                Interlocked.Decrement(ref _external);
                act();
            },
            null, at - _clock.Now, Timeout.InfiniteTimeSpan));
    }

    /// <summary>On its own thread: a short run goes on there until the clock ends it.</summary>
    private void Submit(Work work, Claim claim)
    {
        Interlocked.Increment(ref _submitting);
        _submissions.Add(Task.Factory.StartNew(
            () =>
            {
                work.Flow.Begin(ReadyRoute, stopping: false);
                if (work.Flow.Placed(_deployment.Place(work)).What is Do.Refuse)
                    work.Answer.Complete(Refused(work));
                else
                    _deployment.Ready(work);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    /// <summary>Under the deployment's lock, for every decision.</summary>
    private void Count(FlowEvent seen)
    {
        lock (_stopping)
        {
            _seen++;
            switch (seen.Kind)
            {
                case FlowEventKind.Refused:
                    _submitting--;
                    break;
                case FlowEventKind.Ready:
                    _submitting--;
                    _launching += seen.Reason == nameof(Launch.Queue) ? 0 : 1;
                    break;
                case FlowEventKind.Woke:
                    _armed = false;
                    _launching += seen.Reason == nameof(Launch.Start) ? 1 : 0;
                    break;
                case FlowEventKind.Batch:
                    _launching--;
                    _running++;
                    break;
                case FlowEventKind.Rests:
                    _launching--;
                    break;
                case FlowEventKind.Finished:
                    _running--;
                    _launching++;
                    _stopping.Remove(seen.Runner);
                    break;
                case FlowEventKind.Stopped:
                    _stopping.Add(seen.Runner);
                    break;
                case FlowEventKind.Armed:
                    _armed = seen.Number != Instant.Never.Ticks;
                    break;
            }
        }
    }

    private string Unrest() =>
        $"the Engine did not come to rest: {_submitting} submitting, {_launching} launching, {_stopping.Count} stopping, {_running} running, "
        + $"{_external} to come, armed {_armed}, {_time.TimersSet} timers; last: {string.Join("; ", Journal.Events.TakeLast(8))}";

    private bool IsAtRest()
    {
        // Decisions are journalled before they are carried out, inside the deployment's lock: looking at it waits for
        // that, and no decision may have been added since.
        var seen = Volatile.Read(ref _seen);
        _deployment.Look();
        lock (_stopping)
        {
            return seen == _seen && _submitting == 0 && _launching == 0 && _stopping.Count == 0
                && _time.TimersSet == Volatile.Read(ref _external) + (_armed ? 1 : 0) + _running;
        }
    }
}
