using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Routes;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Runtimes;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Config;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Simulation;

/// <summary>
/// What became of one request of a route, in either interpreter: the choices that were made for it.
/// This file is long because one run of the live route is driven and written down in it.
/// </summary>
/// <param name="Id">Its name.</param>
/// <param name="Choices">Steps passed over and left, with why; where it ended, and how.</param>
internal sealed record RouteChoices(string Id, string Choices)
{
    public static RouteChoices Of(
        string id, FaultKind? fault, int step, bool avoided, IReadOnlyList<(int Step, FaultKind Why)> left) => new(
        id, $"{(avoided ? "avoided 0; " : "")}{string.Concat(left.Select(l => $"left {l.Step}: {l.Why}; "))}at {step}: "
        + $"{fault?.ToString() ?? "answered"}");
}

/// <summary>One request of a script.</summary>
/// <param name="Id">Its name.</param>
/// <param name="At">When it comes.</param>
/// <param name="Timeout">Its patience; null for the route's.</param>
internal sealed record RouteScripted(string Id, Instant At, TimeSpan? Timeout)
{
    /// <summary>Random arrivals, some in a hurry.</summary>
    public static List<RouteScripted> Random(int seed, int spacing, int count)
    {
        var (random, at) = (new Random(seed), 1_000L);
        List<RouteScripted> script = [];
        for (var i = 0; i < count; i++)
        {
            at += 1 + random.Next(0, 2 * spacing);
            script.Add(new(
                $"r{i:D3}", new(at),
                random.Next(3) == 0 ? TimeSpan.FromTicks(random.Next(60_000, 700_000)) : null));
        }

        return script;
    }
}

/// <summary>
/// Plays a script through the live Engine's route: pipeline, chain and two deployments with their threads and timers,
/// on a manual clock. After each timer the driver waits until everything has come to rest: whoever is inside stands in
/// a queue or a run, and each run waits on the clock. Those that one event sends to their next step go there one by
/// one, in the order in which the deployment let them go, each when all has come to rest behind the one before it:
/// whoever is not to go yet is held where it looks at the clock, which is before it does anything.
/// </summary>
internal sealed class RouteLiveRun : IDisposable
{
    private static readonly TimeSpan s_patience = TestServer.Patience;

    private readonly ManualTimeProvider _time = new(TimeSpan.TicksPerSecond);
    private readonly Clock _clock;
    private readonly ConfigFolder _folder = new();
    private readonly Serving _serving;
    private readonly Door _door;
    private readonly List<RouteLiveModel> _models;
    private readonly List<ITimer> _script = [];
    private readonly List<Task<RouteChoices>> _asked = [];
    private readonly int _timers;
    private readonly RouteWhereabouts _inside = new();
    private int _external;

    public RouteLiveRun(
        RouteOptions route, IReadOnlyList<(string Name, SimulatedOptions Profile)> models, BatchingOptions batching,
        DeadlineOptions deadlines)
    {
        var turns = new TurnTimeProvider(_time, _inside);
        _clock = new(turns);
        _folder.Write("echo/model.yaml", ConfigFolder.Echo).Write("spillway.yaml", "models: [echo]\n");
        var snapshot = Snapshot.From(_folder.Load(), number: 1, DateTimeOffset.UnixEpoch);
        _serving = new(
            snapshot, new Dictionary<string, IRuntime> { ["simulated"] = new SimulatedRuntime(_time) }, _clock,
            NullLogger<Serving>.Instance);
        _models = [.. models.Select(m => new RouteLiveModel(
            m.Name, m.Profile, batching, deadlines, _time, _clock, _inside))];
        Memory = new("r", route, _clock);
        var doors = route.Chain.Steps
            .Select(s => _models.Find(m => m.Name == s.Model)?.Door).ToArray();
        _door = Door.Over(new(Memory, doors, doors[0]!), doors[0]!);
        _timers = _time.TimersSet;
    }

    public RouteMemory Memory { get; }

    public IReadOnlyList<RouteLiveModel> Models => _models;

    /// <summary>Plays to the end.</summary>
    public IReadOnlyList<RouteChoices> Play(IReadOnlyList<RouteScripted> script)
    {
        foreach (var request in script)
            At(request);
        while (_time.AdvanceToNextTimer())
        {
            do
                Assert.True(SpinWait.SpinUntil(IsAtRest, s_patience), Unrest());
            while (_inside.LetNextGo());
        }

        var all = Task.WhenAll(_asked);
        Assert.True(all.Wait(s_patience), Unrest());
        return all.Result;
    }

    public void Dispose()
    {
        Memory.Dispose();
        foreach (var model in _models)
            model.Dispose();
        _serving.DisposeAsync().AsTask().Wait(s_patience);
        _folder.Dispose();
    }

    private void At(RouteScripted request)
    {
        Interlocked.Increment(ref _external);
        _script.Add(_time.CreateTimer(
            _ =>
            {
                _inside.Moves(request.Id);
                Interlocked.Decrement(ref _external);
                _asked.Add(Task.Factory.StartNew(
                    () => AskAsync(request), CancellationToken.None, TaskCreationOptions.LongRunning,
                    TaskScheduler.Default).Unwrap());
            },
            null, request.At - _clock.Now, Timeout.InfiniteTimeSpan));
    }

    private async Task<RouteChoices> AskAsync(RouteScripted request)
    {
        RouteWhereabouts.Mine = request.Id;
        var work = _serving.Rent(_clock.Now);
        try
        {
            (work.Door, work.Request.Id, work.Request.Timeout) = (_door, request.Id, request.Timeout);
            ref var input = ref work.Request.Inputs.Add();
            (input.Type, input.Shape, input.Data) = (DataType.Float32, new([1, 1]), new byte[sizeof(float)]);
            var fault = await _serving.Pipeline.RunAsync(work, stopping: false, CancellationToken.None);
            var trail = work.Trail!;
            return RouteChoices.Of(request.Id, fault?.Kind, trail.Step, trail.Avoided is not null, trail.Left);
        }
        finally
        {
            _serving.Return(work);
            _inside.Leaves(request.Id);
        }
    }

    private bool IsAtRest()
    {
        // Decisions are journalled inside each deployment's lock before they are carried out: looking waits for that,
        // and none may have been added since.
        var seen = _models.Sum(m => m.Seen);
        return _models.TrueForAll(m => m.IsAtRest) && _inside.IsAtRest
            && _time.TimersSet == _timers + Volatile.Read(ref _external) + _models.Sum(m => m.Timers)
            && seen == _models.Sum(m => m.Seen);
    }

    private string Unrest() => $"the Engine did not come to rest: {_inside}, {_external} to come, "
        + $"{_time.TimersSet} timers, {_timers} of them from the start; {string.Join("; ", _models)}";
}

/// <summary>One model of a live route: its deployment, and what is under way in it.</summary>
internal sealed class RouteLiveModel : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<int> _stopping = [];
    private readonly Dictionary<int, List<string>> _runs = [];
    private readonly RouteWhereabouts _inside;
    private readonly Deployment _deployment;
    private int _deciding;
    private int _launching;
    private int _running;
    private bool _armed;
    private long _seen;

    public RouteLiveModel(
        string name, SimulatedOptions profile, BatchingOptions batching, DeadlineOptions deadlines,
        ManualTimeProvider time, Clock clock, RouteWhereabouts inside)
    {
        (Name, _inside) = (name, inside);
        Loaded = new SimulatedRuntime(time).Load(new(name, "", profile), CancellationToken.None).Value;
        List<(Device Device, int Index)> runners = [.. Loaded.Traits.Devices
            .SelectMany((d, i) => Enumerable.Repeat((Device: d, Index: i), d.Parallelism))];
        Runners = runners.Count;
        Journal.Saw = Count;
        var flow = LiveRun.MakeFlow(batching, deadlines, Loaded.Traits.DeclaredCurve!, Runners, buckets: null);
        _deployment = new(
            name, clock, flow, [.. runners.Select(r => (r.Device, Loaded.CreateReplica(r.Index).Value))],
            NullLogger.Instance, Journal);
        Door = Door.Open(
            new(RouteOf(name), new ModelOptions { Name = name, Batching = batching, Deadline = deadlines }),
            _deployment,
            Loaded.Signature, Loaded.Traits, input: null, output: null).Value;
    }

    public string Name { get; }

    public ILoadedModel Loaded { get; }

    public int Runners { get; }

    public FlowJournal Journal { get; } = new();

    public Door Door { get; }

    /// <summary>Decisions until now.</summary>
    public long Seen => Volatile.Read(ref _seen);

    /// <summary>Nobody is about to decide anything.</summary>
    public bool IsAtRest
    {
        get
        {
            _deployment.Look();
            lock (_lock)
                return _deciding == 0 && _launching == 0 && _stopping.Count == 0;
        }
    }

    /// <summary>Timers that it has set.</summary>
    public int Timers
    {
        get
        {
            lock (_lock)
                return _running + (_armed ? 1 : 0);
        }
    }

    public static Route RouteOf(string name) => new(new(name, "1"), name, RouteState.Ready, "", 256);

    public void Dispose()
    {
        _deployment.Dispose();
        Loaded.Dispose();
    }

    public override string ToString() => $"{Name}: {_deciding} deciding, {_launching} launching, {_stopping.Count} "
        + $"stopping, {_running} running, armed {_armed}";

    /// <summary>Under the deployment's lock, for every decision.</summary>
    private void Count(FlowEvent seen)
    {
        lock (_lock)
        {
            _seen++;
            Follow(seen);
            switch (seen.Kind)
            {
                case FlowEventKind.Placed:
                    _deciding++;
                    break;
                case FlowEventKind.Ready:
                    _deciding--;
                    _launching += seen.Reason == nameof(Launch.Queue) ? 0 : 1;
                    break;
                case FlowEventKind.Woke:
                    _armed = false;
                    _launching += seen.Reason == nameof(Launch.Start) ? 1 : 0;
                    break;
                case FlowEventKind.Batch:
                    (_launching, _running) = (_launching - 1, _running + 1);
                    break;
                case FlowEventKind.Rests:
                    _launching--;
                    break;
                case FlowEventKind.Finished:
                    (_launching, _running) = (_launching + 1, _running - 1);
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

    /// <summary>Who is with it, and whose run or wait is over.</summary>
    private void Follow(FlowEvent seen)
    {
        switch (seen.Kind)
        {
            case FlowEventKind.Ready:
                _inside.Waits(seen.Request, Name);
                break;
            case FlowEventKind.Took:
                if (!_runs.TryGetValue(seen.Runner, out var run))
                    _runs.Add(seen.Runner, run = []);
                run.Add(seen.Request);
                break;
            case FlowEventKind.Dropped:
                _inside.Moves(seen.Request, from: Name);
                break;
            case FlowEventKind.Finished when _runs.Remove(seen.Runner, out var over):
                foreach (var request in over)
                    _inside.Moves(request, from: Name);
                break;
        }
    }
}
