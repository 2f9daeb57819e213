using Spillway.Flow;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// One replica and the thread that runs it: the arriving one, a pool thread, or, for runs of a millisecond and more,
/// its own. It contains no rule; the deployment's flow says what to take and when to rest.
/// </summary>
internal sealed class Runner : RunControl, IThreadPoolWorkItem, IDisposable
{
    private static readonly TimeSpan s_stopPatience = TimeSpan.FromSeconds(5);

    private readonly Deployment _deployment;
    private readonly Clock _clock;
    private readonly IBatchReplica _replica;
    private readonly Lock _stopLock = new();
    private readonly SemaphoreSlim _go = new(0, 1);
    private Thread? _thread;
    private volatile bool _disposed;
    private long _stopRun = -1;
    private bool _inReplica;
    private bool _resumeTaken;

    public Runner(Deployment deployment, int number, Device device, IBatchReplica replica, int batchMax, int capacity)
    {
        (_deployment, _clock, _replica) = (deployment, deployment.Clock, replica);
        (Number, Device, DeviceIndex) = (number, device, deployment.Devices.ToList().IndexOf(device.Name));
        (Slots, Items, Drops) = (new int[batchMax], new Work[batchMax], new Drop[capacity]);
    }

    public int Number { get; }

    public Device Device { get; }

    /// <summary>Into the names of its deployment's devices.</summary>
    public int DeviceIndex { get; }

    /// <summary>Filled under the deployment's lock, read outside it by the one thread that runs this runner.</summary>
    public int[] Slots { get; }

    public Work[] Items { get; }

    public Drop[] Drops { get; }

    public Taken Taken { get; set; }

    /// <summary>Counts runs, so that a stop meant for one never hits the next.</summary>
    public long RunId { get; private set; }

    /// <inheritdoc/>
    public override RunPadding? Padding => _deployment.Lengths.Plan is { } plan ? new(plan, Taken.Length) : null;

    public Instant TakenAt { get; private set; }

    public Instant GatheredAt { get; private set; }

    public Instant ExecutedAt { get; private set; }

    /// <summary>Under the deployment's lock: a run begins with what was taken.</summary>
    public void Began(Instant now)
    {
        TakenAt = now;
        RunId++;
    }

    /// <summary>Gets going: on its own thread for long runs, else on the pool.</summary>
    public void Start(bool ownThread)
    {
        if (ownThread)
            StartOwnThread();
        else
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>A pool thread came: drain, until the queue is empty or a run is too long for the pool.</summary>
    void IThreadPoolWorkItem.Execute() => Drain(onPool: true, taken: false);

    /// <summary>Runs what was taken, and everything after it.</summary>
    public void Drain(bool onPool, bool taken)
    {
        while (taken || _deployment.Take(this))
        {
            if (onPool && Taken.Long)
            {
                _resumeTaken = true;
                StartOwnThread();
                return;
            }

            taken = false;
            Run();
        }
    }

    /// <summary>Runs the items taken, once.</summary>
    public void Run()
    {
        (GatheredAt, ExecutedAt) = (TakenAt, TakenAt);
        var fault = Enter() ? RunReplica() : new(FaultKind.Cancelled, "Stopped: nobody waits for the answer any more.");
        lock (_stopLock)
            _inReplica = false;
        _deployment.Finish(this, fault);
    }

    /// <summary>Asks one run to end; nothing happens when that run is already over.</summary>
    public void Stop(long runId)
    {
        lock (_stopLock)
        {
            if (runId != RunId)
                return;
            _stopRun = runId;
            if (_inReplica)
                _replica.Stop();
        }
    }

    /// <inheritdoc/>
    public override void Mark(Stage stage)
    {
        if (stage is Stage.Batch)
        {
            GatheredAt = ExecutedAt = _clock.EndOf(stage);
            // A stop that came before the replica was ready to hear it is told again.
            lock (_stopLock)
            {
                if (_stopRun == RunId)
                    _replica.Stop();
            }
        }
        else if (stage is Stage.Execute)
            ExecutedAt = _clock.EndOf(stage);
    }

    /// <summary>
    /// Ends the thread; a run that is still under way is stopped, and left alone when it does not listen.
    /// </summary>
    public void Dispose()
    {
        _disposed = true;
        Stop(RunId);
        if (_thread is not null)
        {
            if (_go.CurrentCount == 0)
                _go.Release();
            if (!_thread.Join(s_stopPatience))
                return;
        }

        _replica.Dispose();
        _go.Dispose();
    }


    private bool Enter()
    {
        lock (_stopLock)
            return _inReplica = _stopRun != RunId;
    }

    private Fault? RunReplica()
    {
        if (_deployment.Drills?.OfRunner(_deployment.Name, Number) is { } killed)
            return killed;
        try
        {
            return _replica.Run(Items.AsSpan(0, Taken.Count), this);
        }
#pragma warning disable CA1031 // The one border where a library's surprise becomes a fault.
        catch (Exception surprise)
#pragma warning restore CA1031
        {
            Log.ReplicaThrew(_deployment.Logger, _deployment.Name, surprise);
            return new(FaultKind.RuntimeFailed, $"The runtime of model {_deployment.Name} failed unexpectedly; the server's log has the details.");
        }
    }

    private void StartOwnThread()
    {
        if (_thread is null)
        {
            _thread = new Thread(Loop) { IsBackground = true, Name = $"spillway {_deployment.Name} {Number}" };
            _thread.Start();
        }

        _go.Release();
    }

    private void Loop()
    {
        while (true)
        {
            _go.Wait();
            if (_disposed)
                return;
            var taken = _resumeTaken;
            _resumeTaken = false;
            Drain(onPool: false, taken);
        }
    }
}
