using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Policies.Sharing;
using Spillway.Runtimes;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Simulation;

/// <summary>One deployment of a shared live run.</summary>
/// <param name="Profile">The simulated model.</param>
/// <param name="Sharing">Its part of the device.</param>
/// <param name="Script">Who comes and leaves.</param>
internal sealed record SharedScript(SimulatedOptions Profile, SharingOptions Sharing, IReadOnlyList<Scripted> Script);

/// <summary>
/// Plays scripts through several live deployments on one simulated device, on a manual clock, as
/// <see cref="LiveRun"/> does with one: after each timer the driver waits until every thread has come to rest.
/// </summary>
internal sealed class SharedLiveRun : IDisposable
{
    private static readonly TimeSpan s_patience = TestServer.Patience;

    private readonly ManualTimeProvider _time = new(TimeSpan.TicksPerSecond);
    private readonly Lock _counting = new();
    private readonly List<ITimer> _script = [];
    private readonly List<Task> _submissions = [];
    private readonly Devices _devices;
    private int _external;
    private int _submitting;
    private int _launching;
    private int _running;
    private long _seen;

    public SharedLiveRun(
        IReadOnlyList<SharedScript> parts, BatchingOptions batching, DeadlineOptions deadlines,
        IReadOnlyDictionary<string, int> groups)
    {
        var clock = new Clock(_time);
        _devices = new(groups, clock);
        Houses = [.. parts.Select((part, i) => new House(this, $"m{i}", part, batching, deadlines, clock, _time))];
    }

    public IReadOnlyList<House> Houses { get; }

    /// <summary>Plays to the end.</summary>
    public void Play()
    {
        foreach (var house in Houses)
            house.Enter();
        while (_time.AdvanceToNextTimer())
            Assert.True(SpinWait.SpinUntil(IsAtRest, s_patience), Unrest());
        Assert.True(Task.WaitAll([.. _submissions], s_patience), Unrest());
        Assert.All(Houses, h => Assert.True(h.Deployment.Look().IsIdle));
    }

    public void Dispose()
    {
        foreach (var house in Houses)
        {
            house.Deployment.Dispose();
            house.Model.Dispose();
        }
    }

    private void At(Instant at, Instant now, Action act)
    {
        Interlocked.Increment(ref _external);
        _script.Add(_time.CreateTimer(
            _ =>
            {
                Interlocked.Decrement(ref _external);
                act();
            },
            null, at - now, Timeout.InfiniteTimeSpan));
    }

    private void Submit(Action submission)
    {
        Interlocked.Increment(ref _submitting);
        _submissions.Add(Task.Factory.StartNew(
            submission, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    /// <summary>For every decision of any deployment.</summary>
    private void Count(House house, FlowEvent seen)
    {
        lock (_counting)
        {
            _seen++;
            switch (seen.Kind)
            {
                case FlowEventKind.Refused:
                    _submitting--;
                    break;
                case FlowEventKind.Ready:
                    _submitting--;
                    _launching += Launches(seen);
                    break;
                case FlowEventKind.Woke:
                    house.IsArmed = false;
                    _launching += Launches(seen);
                    break;
                case FlowEventKind.Granted:
                    _launching++;
                    break;
                case FlowEventKind.Batch:
                    _launching--;
                    _running++;
                    break;
                case FlowEventKind.Rests:
                case FlowEventKind.Waits:
                    _launching--;
                    break;
                case FlowEventKind.Finished:
                    _running--;
                    _launching++;
                    house.Stopping.Remove(seen.Runner);
                    break;
                case FlowEventKind.Stopped:
                    house.Stopping.Add(seen.Runner);
                    break;
                case FlowEventKind.Armed:
                    house.IsArmed = seen.Number != Instant.Never.Ticks;
                    break;
            }
        }
    }

    private static int Launches(FlowEvent seen) => seen.Reason == nameof(Launch.Queue) ? 0 : 1;

    private bool IsAtRest()
    {
        var seen = Volatile.Read(ref _seen);
        if (!_devices.IsAtRest)
            return false;
        foreach (var house in Houses)
            house.Deployment.Look();
        lock (_counting)
        {
            return seen == _seen && _devices.IsAtRest && _submitting == 0 && _launching == 0
                && Houses.All(h => h.Stopping.Count == 0)
                && _time.TimersSet == Volatile.Read(ref _external) + Houses.Count(h => h.IsArmed) + _running;
        }
    }

    private string Unrest() =>
        $"the Engine did not come to rest: {_submitting} submitting, {_launching} launching, {_running} running, "
        + $"{_external} to come, {Houses.Count(h => h.IsArmed)} armed, {_time.TimersSet} timers, "
        + $"devices at rest: {_devices.IsAtRest}; last: "
        + string.Join(" | ", Houses.Select(h => string.Join("; ", h.Journal.Events.TakeLast(6))));

    /// <summary>One deployment and its door.</summary>
    internal sealed class House
    {
        private readonly SharedLiveRun _run;
        private readonly SharedScript _part;
        private readonly Door _door;
        private readonly Clock _clock;

        public House(
            SharedLiveRun run, string name, SharedScript part, BatchingOptions batching, DeadlineOptions deadlines,
            Clock clock, ManualTimeProvider time)
        {
            (_run, _part, _clock) = (run, part, clock);
            var profile = part.Profile with { Device = "one" };
            Model = new SimulatedRuntime(time).Load(new(name, "", profile), CancellationToken.None).Value;
            var device = Model.Traits.Devices[0];
            Runners = device.Parallelism;
            Journal.Saw = seen => run.Count(this, seen);
            var flow = new DeploymentFlow(batching, deadlines, Model.Traits.DeclaredCurve!, elementsPerRow: 1, Runners);
            var replicas = Enumerable.Range(0, Runners).Select(_ => (device, Model.CreateReplica(0).Value)).ToArray();
            Deployment = new(name, clock, flow, replicas, NullLogger.Instance, Journal);
            Deployment.Share(run._devices, part.Sharing);
            Route = new(new(name, "1"), name, RouteState.Ready, "", 256);
            _door = Door.Open(
                new(Route, new ModelOptions { Batching = batching, Deadline = deadlines }), Deployment,
                Model.Signature, Model.Traits, input: null, output: null).Value;
        }

        public FlowJournal Journal { get; } = new();

        public Deployment Deployment { get; }

        public ILoadedModel Model { get; }

        public Route Route { get; }

        public int Runners { get; }

        public bool IsArmed { get; set; }

        public HashSet<int> Stopping { get; } = [];

        public void Enter()
        {
            foreach (var request in _part.Script)
            {
                var work = request.ToWork(_door);
                _run.At(request.At, _clock.Now, () => _run.Submit(() => Come(work)));
                if (request.Leaves is { } leaves)
                    _run.At(leaves, _clock.Now, () => Deployment.Cancel(work, new(FaultKind.Cancelled, "left")));
            }
        }

        private void Come(Work work)
        {
            work.Flow.Begin(Route, stopping: false);
            if (work.Flow.Placed(Deployment.Place(work)).What is Do.Refuse)
                work.Answer.Complete(work.Flow.Placed(work.Placement).Fault);
            else
                Deployment.Ready(work);
        }
    }
}
