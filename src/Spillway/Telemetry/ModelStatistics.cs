namespace Spillway.Telemetry;

/// <summary>
/// What the protocol's statistics extension tells of one served name and version since it was first loaded. One short
/// lock guards all of it, so that a count and its time always belong together, and a look never tears. Counting is 0 B.
/// </summary>
/// <remarks>
/// How stages become Triton's durations: success and fail span a request from its parsed body to the formed answer,
/// queue is the stage queue, compute_input gathers the batch, compute_infer is the run, compute_output hands over and
/// forms the answer. There is no cache yet, so its counts stay 0.
/// </remarks>
internal sealed class ModelStatistics
{
    private readonly Lock _lock = new();
    private BatchFigures[] _batches;
    private readonly long[] _failures = new long[TritonReasons.Count];
    private long _inferences;
    private long _executions;
    private long _lastInferenceMs;
    private StatisticDuration _success;
    private StatisticDuration _fail;
    private StatisticDuration _queue;
    private StatisticDuration _input;
    private StatisticDuration _infer;
    private StatisticDuration _output;

    /// <param name="rowsMax">
    /// The most rows of a batch at first, from 1. 48 bytes are taken for each; a larger batch, which the configuration
    /// bounds at 1024 rows, makes room for itself.
    /// </param>
    public ModelStatistics(int rowsMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsMax, 1);
        _batches = new BatchFigures[rowsMax + 1];
    }

    /// <summary>A request ended.</summary>
    /// <param name="timeline">Its stages.</param>
    /// <param name="outcome">The fault that ended it, or null.</param>
    /// <param name="rows">Rows answered.</param>
    /// <param name="startedUnixMs">Wall time of its first instant, in milliseconds since 1970-01-01 UTC.</param>
    public void Ended(in Timeline timeline, FaultKind? outcome, long rows, long startedUnixMs)
    {
        var inside = timeline.Total - timeline[Stage.Receive] - timeline[Stage.Write];
        lock (_lock)
        {
            if (outcome is { } kind)
            {
                _fail.Add(inside);
                _failures[(int)TritonReasons.Of(kind)]++;
                return;
            }

            _inferences += rows;
            _lastInferenceMs = Math.Max(_lastInferenceMs, startedUnixMs);
            _success.Add(inside);
            _queue.Add(timeline[Stage.Queue]);
            _input.Add(timeline[Stage.Batch]);
            _infer.Add(timeline[Stage.Execute]);
            _output.Add(timeline[Stage.Output]);
        }
    }

    /// <summary>A run that had requests of this name in it succeeded. Once a run, however many they were.</summary>
    public void Executed(int rows, TimeSpan input, TimeSpan infer, TimeSpan output)
    {
        lock (_lock)
        {
            _executions++;
            if (rows >= _batches.Length)
                Array.Resize(ref _batches, rows + 1);
            ref var batch = ref _batches[rows];
            batch.Input.Add(input);
            batch.Infer.Add(infer);
            batch.Output.Add(output);
        }
    }

    /// <summary>Everything at one moment.</summary>
    public StatisticsView Look()
    {
        lock (_lock)
        {
            return new()
            {
                InferenceCount = _inferences, ExecutionCount = _executions, LastInferenceUnixMs = _lastInferenceMs,
                Success = _success, Fail = _fail, Queue = _queue, ComputeInput = _input, ComputeInfer = _infer,
                ComputeOutput = _output, Failures = [.. _failures],
                Batches = [.. _batches.Select((b, rows) => new BatchStatistic(rows, b.Input, b.Infer, b.Output))
                    .Where(b => b.ComputeInfer.Count > 0)],
            };
        }
    }

    private struct BatchFigures
    {
        public StatisticDuration Input;
        public StatisticDuration Infer;
        public StatisticDuration Output;
    }
}

/// <summary>How often something happened, and how long that took in all.</summary>
internal struct StatisticDuration
{
    /// <summary>How often.</summary>
    public long Count { get; private set; }

    /// <summary>How long in all, in nanoseconds; the clock's resolution is 100.</summary>
    public long Nanoseconds { get; private set; }

    /// <summary>Once more; a negative time counts as 0.</summary>
    public void Add(TimeSpan time)
    {
        Count++;
        Nanoseconds += Math.Max(0, time.Ticks) * TimeSpan.NanosecondsPerTick;
    }
}

/// <summary>Runs of one batch size.</summary>
/// <param name="Rows">The batch size.</param>
/// <param name="ComputeInput">Gathering.</param>
/// <param name="ComputeInfer">The run.</param>
/// <param name="ComputeOutput">Handing the outputs over.</param>
internal readonly record struct BatchStatistic(
    int Rows, StatisticDuration ComputeInput, StatisticDuration ComputeInfer, StatisticDuration ComputeOutput);

/// <summary>The statistics of one served name at one moment.</summary>
internal sealed record StatisticsView
{
    /// <summary>Rows answered.</summary>
    public required long InferenceCount { get; init; }

    /// <summary>Runs that answered them; divided by this the rows are the mean batch.</summary>
    public required long ExecutionCount { get; init; }

    /// <summary>
    /// Beginning of the last answered request, in milliseconds since 1970-01-01 UTC; 0 before the first.
    /// </summary>
    public required long LastInferenceUnixMs { get; init; }

    /// <summary>Requests answered.</summary>
    public required StatisticDuration Success { get; init; }

    /// <summary>Requests refused or failed.</summary>
    public required StatisticDuration Fail { get; init; }

    /// <summary>Their time in the queue.</summary>
    public required StatisticDuration Queue { get; init; }

    /// <summary>Gathering their batches.</summary>
    public required StatisticDuration ComputeInput { get; init; }

    /// <summary>Their runs; a run counts for each request in it.</summary>
    public required StatisticDuration ComputeInfer { get; init; }

    /// <summary>Forming their answers.</summary>
    public required StatisticDuration ComputeOutput { get; init; }

    /// <summary>Failed requests by <see cref="TritonReason"/>.</summary>
    public required IReadOnlyList<long> Failures { get; init; }

    /// <summary>By batch size, ascending; only sizes that ran.</summary>
    public required IReadOnlyList<BatchStatistic> Batches { get; init; }
}
