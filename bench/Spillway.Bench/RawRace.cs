using System.Runtime.InteropServices;
using Spillway.Engine;
using Spillway.Runtimes;

namespace Spillway.Bench;

/// <summary>What one raw run gave.</summary>
internal readonly record struct RawFigures(int Batch, double ItemsPerSecond, double CpuMicroseconds);

/// <summary>Callers that run one model side by side, each with a replica and a thread of its own.</summary>
internal sealed class RawRace : IDisposable
{
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(0.2);

    private readonly IBatchReplica[] _replicas;
    private readonly Shape _shape;
    private readonly IOutputStage? _stage;

    public RawRace(ILoadedModel model, Shape shape, IOutputStage? stage, int callers)
    {
        (_shape, _stage) = (shape, stage);
        _replicas = [.. Enumerable.Range(0, callers).Select(_ => Replica(model))];
    }

    /// <summary>Runs batches of that many rows for a while, after a short warm-up, on all callers at once.</summary>
    public RawFigures Run(int batch, TimeSpan duration)
    {
        var clock = TimeProvider.System;
        var items = 0L;
        var (began, cpu) = (0L, TimeSpan.Zero);
        using var line = new Barrier(_replicas.Length, _ =>
            (began, cpu) = (clock.GetTimestamp(), Environment.CpuUsage.TotalTime));
        var threads = _replicas.Select((replica, seed) => new Thread(() =>
        {
            RawItem[] rows =
                [.. Enumerable.Range(0, batch).Select(i => new RawItem(_shape, _stage, (seed * batch) + i))];
            For(s_warmUp, replica, rows);
            line.SignalAndWait();
            Interlocked.Add(ref items, For(duration, replica, rows));
        })).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
        var seconds = clock.GetElapsedTime(began).TotalSeconds;
        var spent = Environment.CpuUsage.TotalTime - cpu;
        return new(batch, items / seconds, spent.TotalMicroseconds / items);
    }

    public void Dispose() => Array.ForEach(_replicas, static replica => replica.Dispose());

    private static long For(TimeSpan duration, IBatchReplica replica, RawItem[] rows)
    {
        var (clock, items) = (TimeProvider.System, 0L);
        var began = clock.GetTimestamp();
        do
        {
            if (replica.Run(rows, Silent.Instance) is { } fault)
                throw new BenchException(fault.Message);
            items += rows.Length;
        }
        while (clock.GetElapsedTime(began) < duration);
        return items;
    }

    private static IBatchReplica Replica(ILoadedModel model) =>
        model.CreateReplica(0).TryGet(out var replica, out var fault)
            ? replica
            : throw new BenchException(fault.Message);

    /// <summary>One row of random numbers; its output is decoded to text, or left where it is.</summary>
    private sealed class RawItem : WorkItem
    {
        private readonly IOutputStage? _stage;
        private readonly TensorSet _outputs = new();

        public RawItem(in Shape shape, IOutputStage? stage, int seed)
        {
            _stage = stage;
            var random = new Random(seed);
            ref var tensor = ref Inputs.Add();
            (tensor.Type, tensor.Shape) = (DataType.Float32, shape);
            tensor.Shape.TryCount(out var count);
            var data = Inputs.Rent((int)count * sizeof(float));
            foreach (ref var value in MemoryMarshal.Cast<byte, float>(data.Span))
                value = random.NextSingle();
            tensor.Data = data;
        }

        public override TensorSet Inputs { get; } = new();

        public override int Rows => 1;

        public override void Output(int port, in Shape shape, ReadOnlySpan<byte> data)
        {
            _outputs.Reset();
            if (_stage?.Take(_outputs, port, shape, data) is { } fault)
                throw new BenchException(fault.Message);
        }
    }

    private sealed class Silent : RunControl
    {
        public static readonly Silent Instance = new();

        public override void Mark(Stage stage)
        {
        }
    }
}
