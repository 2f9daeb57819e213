using System.Text;

namespace Spillway.Runtimes.Simulated;

/// <summary>One simulated replica: waits, then hands out patterns of the input.</summary>
internal sealed class SimulatedReplica : IBatchReplica
{
    private static readonly byte[] s_label = Encoding.UTF8.GetBytes("simulated");

    private readonly SimulatedModel _model;
    private readonly SimulatedOptions _options;
    private readonly Random _random;
    private readonly TimeProvider _time;
    private readonly ManualResetEventSlim _over = new(initialState: false, spinCount: 0);
    private readonly ITimer _timer;
    private volatile bool _stopped;
    private volatile bool _disposed;
    private byte[] _scratch = [];

    public SimulatedReplica(SimulatedModel model, SimulatedOptions options, Random random, TimeProvider time)
    {
        (_model, _options, _random, _time) = (model, options, random, time);
        _timer = time.CreateTimer(static over => ((ManualResetEventSlim)over!).Set(), _over, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public Fault? Run(ReadOnlySpan<WorkItem> batch, RunControl control)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _stopped = false;
        _over.Reset();
        control.Mark(Stage.Batch);
        if (batch.IsEmpty)
            return null;
        var rows = 0;
        foreach (var item in batch)
            rows += item.Rows;
        var spread = 1 + (_options.Jitter * ((2 * _random.NextDouble()) - 1));
        var fails = _random.NextDouble() < _options.FaultRate;
        Wait(new((long)(BatchPoint.TicksAt(_model.Traits.DeclaredCurve!, rows) * spread)));
        control.Mark(Stage.Execute);
        if (_stopped)
            return new(FaultKind.Cancelled, $"The simulated run of model {_model.Name} was stopped.");
        if (fails)
            return new(FaultKind.RuntimeFailed, $"A simulated fault of model {_model.Name}, as declared by simulated.faultRate {_options.FaultRate}.");
        if (_options.FaultAboveRows > 0 && rows > _options.FaultAboveRows)
        {
            return new(
                FaultKind.RuntimeFailed,
                $"A simulated fault of model {_model.Name}: {rows} rows, and simulated.faultAboveRows is {_options.FaultAboveRows}.");
        }

        foreach (var item in batch)
            Answer(item);
        return null;
    }

    public void Stop()
    {
        _stopped = true;
        _over.Set();
    }

    public void Dispose()
    {
        _disposed = true;
        _timer.Dispose();
        _over.Dispose();
    }

    /// <summary>
    /// Takes that long on the clock. The system's timers count whole milliseconds, so the last one is spun: a simulated
    /// run of 0.2 ms must not take 1 ms. A manual clock is waited for.
    /// </summary>
    private void Wait(TimeSpan time)
    {
        var began = _time.GetTimestamp();
        if (_time != TimeProvider.System)
        {
            _timer.Change(time, Timeout.InfiniteTimeSpan);
            _over.Wait();
            // A stopped run's timer must not end the next one.
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        if (time.TotalMilliseconds >= 2)
            _over.Wait(TimeSpan.FromMilliseconds(Math.Floor(time.TotalMilliseconds) - 1));
        var spinner = new SpinWait();
        while (!_stopped && _time.GetElapsedTime(began) < time)
            spinner.SpinOnce(sleep1Threshold: -1);
    }

    private void Answer(WorkItem item)
    {
        ref readonly var input = ref item.Inputs[0];
        for (var port = 0; port < _model.Signature.Outputs.Count; port++)
        {
            var spec = _model.Signature.Outputs[port];
            var shape = Shape(spec, item);
            shape.TryCount(out var count);
            if (spec.Type is DataType.Bytes)
                item.Output(port, shape, Labels((int)count));
            else
                item.Output(port, shape, Pattern(input, (int)count * spec.Type.Size(), item.Rows));
        }
    }

    /// <summary>Variable dimensions: the first is the rows, others are 1.</summary>
    private Shape Shape(TensorSpec spec, WorkItem item)
    {
        var shape = spec.Shape;
        for (var i = 0; i < shape.Rank; i++)
        {
            if (shape[i] < 0)
                shape[i] = i == 0 && _model.Signature.Batched ? item.Rows : 1;
        }

        return shape;
    }

    /// <summary>Each row repeats the bytes of the input's row, so that an answer shows whose it is.</summary>
    private ReadOnlySpan<byte> Pattern(in Tensor input, int length, int rows)
    {
        var pattern = Scratch(length);
        pattern.Clear();
        var (from, to) = (input.Data.Length / rows, length / rows);
        for (var row = 0; row < rows && from > 0; row++)
        {
            var source = input.Data.Span.Slice(row * from, from);
            var target = pattern.Slice(row * to, to);
            for (var done = 0; done < to; done += from)
                source[..Math.Min(from, to - done)].CopyTo(target[done..]);
        }

        return pattern;
    }

    private ReadOnlySpan<byte> Labels(int count)
    {
        var size = sizeof(int) + s_label.Length;
        var labels = Scratch(count * size);
        for (var i = 0; i < count; i++)
        {
            BitConverter.TryWriteBytes(labels[(i * size)..], s_label.Length);
            s_label.CopyTo(labels[((i * size) + sizeof(int))..]);
        }

        return labels;
    }

    private Span<byte> Scratch(int length)
    {
        if (_scratch.Length < length)
            _scratch = new byte[length];
        return _scratch.AsSpan(0, length);
    }
}
