using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using Spillway.Config;
using Spillway.Flow;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// Everything that is served: doors by name, their deployments, the requests in flight. Loads in the background, so
/// that the server answers "still loading" at once; drains on a stop.
/// </summary>
public sealed class Serving : IAsyncDisposable
{
    private readonly FrozenDictionary<string, Door> _doors;
    private readonly IReadOnlyList<ModelLoad> _loads;
    private readonly DefaultObjectPool<Work> _pool;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogger _logger;
    private Task _loading = Task.CompletedTask;
    private Task _refining = Task.CompletedTask;
    private int _inFlight;
    private int _stopping;

    /// <summary>Makes the doors of a snapshot; nothing is loaded yet.</summary>
    /// <param name="snapshot">The configuration.</param>
    /// <param name="runtimes">By name; the snapshot was validated against the same ones.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Where loads and surprises go.</param>
    public Serving(Snapshot snapshot, IReadOnlyDictionary<string, IRuntime> runtimes, Clock clock, ILogger<Serving> logger)
    {
        (Clock, _logger, Pipeline) = (clock, logger, new(clock));
        _pool = new(new WorkPolicy(this), maximumRetained: 4096);
        var devices = new Devices(snapshot.Groups, clock);
        _loads =
        [
            .. snapshot.Models.Select(m => new ModelLoad(m, runtimes[m.Runtime], clock, logger)
            {
                Sharing = deployment => deployment.Share(devices, m.Sharing),
            }),
        ];
        _doors = _loads.SelectMany(l => l.Doors).ToFrozenDictionary(d => d.Route.Model.Name, StringComparer.Ordinal);
        Doors = [.. _loads.SelectMany(l => l.Doors)];
    }

    /// <summary>The clock.</summary>
    public Clock Clock { get; }

    /// <summary>What runs requests.</summary>
    public Pipeline Pipeline { get; }

    /// <summary>Every served name, in the order of the configuration.</summary>
    public IReadOnlyList<Door> Doors { get; }

    /// <summary>Requests between translation and record.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>The server takes no new work.</summary>
    public bool Stopping => Volatile.Read(ref _stopping) != 0;

    /// <summary>Every model answers, and the server is not stopping.</summary>
    public bool IsReady => !Stopping && Doors.All(d => d.Route.State is RouteState.Ready);

    /// <summary>Completes when every load has ended, well or badly.</summary>
    public Task Loaded => _loading;

    /// <summary>The door of a name; null when there is none.</summary>
    public Door? Find(ReadOnlySpan<char> name) =>
        _doors.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var door) ? door : null;

    /// <summary>Counts the batches and runs of every deployment to come. Call before <see cref="Start"/>.</summary>
    public void CountIn(Recorder recorder)
    {
        foreach (var load in _loads)
        {
            load.Opening = deployment =>
            {
                var instruments = recorder.Open(deployment);
                deployment.Batched = instruments.Took;
                var devices = deployment.Devices;
                int[] deviceOf =
                [
                    .. Enumerable.Range(0, deployment.RunnerCount)
                        .Select(r => devices.ToList().IndexOf(deployment.DeviceOf(r).Name)),
                ];
                deployment.Ran = (runner, time) => instruments.Ran(deviceOf[runner], time);
            };
        }
    }

    /// <summary>
    /// Begins to load every model, one after the other, off the caller's thread; then, while it serves already, looks
    /// longer at their batch curves.
    /// </summary>
    public void Start()
    {
        _loading = OnOwnThread(load => load.Load(_stop.Token), Task.CompletedTask);
        _refining = OnOwnThread(load => load.Refine(_stop.Token), _loading);
    }

    /// <summary>A fresh work for a request that begins now.</summary>
    public Work Rent(Instant now)
    {
        Interlocked.Increment(ref _inFlight);
        var work = _pool.Get();
        work.Begin(now);
        return work;
    }

    /// <summary>The reader is done with a work; returns it when no run still uses it.</summary>
    public void Return(Work work)
    {
        work.Release();
        if (Interlocked.Decrement(ref _inFlight) == 0 && Stopping)
            _drained.TrySetResult();
    }

    /// <summary>Takes no new work and waits for what is in flight, up to a limit; true when nothing was cut off.</summary>
    public async Task<bool> DrainAsync(TimeSpan most)
    {
        Volatile.Write(ref _stopping, 1);
        await _stop.CancelAsync().ConfigureAwait(false);
        if (InFlight == 0)
            return true;
        Log.Draining(_logger, InFlight, most.TotalMilliseconds);
        try
        {
            await _drained.Task.WaitAsync(most, Clock.Time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            Log.DrainOver(_logger, InFlight);
            return false;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _refining.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var load in _loads)
            load.Dispose();
        _stop.Dispose();
    }

    private Task OnOwnThread(Action<ModelLoad> step, Task after) => after.ContinueWith(
        _ =>
        {
            foreach (var load in _loads)
                step(load);
        },
        CancellationToken.None, TaskContinuationOptions.LongRunning, TaskScheduler.Default);

    private sealed class WorkPolicy(Serving owner) : PooledObjectPolicy<Work>
    {
        public override Work Create() => new(owner._pool.Return);

        public override bool Return(Work work)
        {
            work.Reset();
            return true;
        }
    }
}
