using Spillway.Policies.Batching;
using Spillway.Telemetry;

namespace Spillway.Flow;

/// <summary>What the interpreter is to do next for a request.</summary>
public enum Do
{
    /// <summary>Answer with the fault; nothing ran.</summary>
    Refuse,

    /// <summary>Wait until the model is loaded, then begin again.</summary>
    Load,

    /// <summary>Wait for its turn at the gate, then begin again.</summary>
    Wait,

    /// <summary>Ask the target deployment for room.</summary>
    Place,

    /// <summary>Decode what is left, then get ready and run.</summary>
    Run,

    /// <summary>Write the answer, or the fault that ended the attempt.</summary>
    Answer,
}

/// <summary>An effect of <see cref="RequestFlow"/>.</summary>
/// <param name="What">To do.</param>
/// <param name="Fault">The reason of a refusal or of a failed answer.</param>
public readonly record struct Effect(Do What, Fault? Fault = null);

/// <summary>What a request brings when it asks a deployment for room.</summary>
public readonly record struct Claim
{
    /// <summary>The request's first instant, from which its deadline counts.</summary>
    public required Instant Started { get; init; }

    /// <summary>The caller's own patience; null for the model's default.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>1 is the most urgent; 0 is the middle level.</summary>
    public int Priority { get; init; }

    /// <summary>Rows that it brings, at least 1.</summary>
    public required int Rows { get; init; }

    /// <summary>Input elements that it brings, all rows together, at least 1.</summary>
    public required long Elements { get; init; }

    /// <summary>The variable dimensions but the first and the padded length: only equal ones run together.</summary>
    public Shape Form { get; init; }

    /// <summary>The length that may be padded; 0 where the model declares none.</summary>
    public long Length { get; init; }

    /// <summary>Those of <see cref="Elements"/> that do not grow with the length.</summary>
    public long FixedElements { get; init; }

    /// <summary>Whose it is, where tenants share by weight; null where they do not.</summary>
    public string? Tenant { get; init; }

    /// <summary>How much it matters that it is answered; null is critical.</summary>
    public Criticality? Criticality { get; init; }

    /// <summary>
    /// A hash of who asks, where the less critical ones are shed: the same for all requests of a caller in an hour.
    /// </summary>
    public uint CallerHash { get; init; }

    /// <summary>The tenant's weight; 0 counts as 1.</summary>
    public double Weight { get; init; }
}

/// <summary>The answer to a <see cref="Claim"/>: a slot, or the reason why not, with the figures behind it.</summary>
public readonly record struct Placement
{
    /// <summary>The slot held, or -1.</summary>
    public int Slot { get; init; }

    /// <summary>Why not; null when placed.</summary>
    public FaultKind? Refused { get; init; }

    /// <summary>The deadline chosen.</summary>
    public Instant Deadline { get; init; }

    /// <summary>Where the deadline came from.</summary>
    public DeadlineSource DeadlineSource { get; init; }

    /// <summary>Predicted time until its run begins.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>Predicted time of its run.</summary>
    public TimeSpan Service { get; init; }

    /// <summary>Requests in the queue before it came.</summary>
    public int QueueLength { get; init; }

    /// <summary>
    /// The deployment takes no more work; nothing is decided. Its door leads elsewhere now: begin again.
    /// </summary>
    public bool Closed { get; init; }

    /// <summary>Places that its tenant may hold, when those were full; else 0.</summary>
    public int TenantPlaces { get; init; }

    /// <summary>The mean time in the queue that shed it; else zero.</summary>
    public TimeSpan Queued { get; init; }

    /// <summary>When room or time may be there again; only on a refusal.</summary>
    public TimeSpan RetryAfter { get; init; }
}

/// <summary>How a ready request gets going.</summary>
public enum Launch
{
    /// <summary>It waits; a runner will come for it.</summary>
    Queue,

    /// <summary>The arriving thread runs it at once on that runner.</summary>
    Inline,

    /// <summary>That idle runner is to be started; it will take the batch.</summary>
    Start,
}

/// <summary>The answer to a request that became ready.</summary>
/// <param name="How">What to do.</param>
/// <param name="Runner">Which runner, for Inline and Start.</param>
/// <param name="Long">The run is learned to be long: it belongs on the runner's own thread, not on a pool
/// thread.</param>
public readonly record struct Step(Launch How, int Runner = -1, bool Long = false);

/// <summary>A batch that a runner takes.</summary>
/// <param name="Count">Requests in it; 0 means that the runner is idle now.</param>
/// <param name="Rows">Rows in it.</param>
/// <param name="Why">Why it is not larger.</param>
/// <param name="Dropped">Requests dropped on the way; they no longer hold a slot.</param>
/// <param name="Long">The run is learned to be long: it belongs on the runner's own thread, not on a pool
/// thread.</param>
/// <param name="Waits">Others are due on the device: the runner is not idle, it is started again when its turn
/// comes.</param>
public readonly record struct Taken(
    int Count, int Rows, CutReason Why, int Dropped, bool Long = false, bool Waits = false)
{
    /// <summary>The length that every padded input has in the run; 0 where none is padded.</summary>
    public long Length { get; init; }

    /// <summary>The bucket whose times hold for the run; 0 where there are none.</summary>
    public int Bucket { get; init; }

    /// <summary>Input elements in the run, padding included.</summary>
    public long Elements { get; init; }

    /// <summary>Those of them that are padding.</summary>
    public long Padding { get; init; }
}

/// <summary>A request that will not run, or not be waited for.</summary>
/// <param name="Slot">Its slot. Free again, unless it is in a run.</param>
/// <param name="Reason">DroppedLate or DeadlineExceeded.</param>
/// <param name="StopRunner">The runner whose run nobody waits for any more, or -1.</param>
public readonly record struct Drop(int Slot, FaultKind Reason, int StopRunner = -1);
