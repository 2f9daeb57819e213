namespace Spillway.Telemetry;

/// <summary>
/// Every decision that can be taken over a request, in about the order of its life. What A, B and C of a
/// <see cref="Decision"/> mean stands beside each kind; times are ticks of 100 ns.
/// Sentences: <see cref="DecisionText"/>.
/// </summary>
internal enum DecisionKind : byte
{
    /// <summary>The gate let it in.</summary>
    GatePassed,

    /// <summary>Refused: the server is stopping.</summary>
    RefusedShuttingDown,

    /// <summary>Refused: the model is not ready.</summary>
    RefusedNotReady,

    /// <summary>Refused: it could not be written down, and refusing was declared.</summary>
    RefusedUnrecorded,

    /// <summary>Refused: too many request bytes. A bytes held, B limit, C bytes of this request.</summary>
    RefusedServerFull,

    /// <summary>Refused: the request itself is wrong; the record's message says how.</summary>
    RefusedInvalid,

    /// <summary>The served name led to the record's deployment.</summary>
    Routed,

    /// <summary>No cache was asked, because none is configured.</summary>
    CacheBypassed,

    /// <summary>The caller's own deadline. A deadline.</summary>
    DeadlineExplicit,

    /// <summary>The caller's deadline was longer than allowed. A asked, B the maximum.</summary>
    DeadlineCut,

    /// <summary>A multiple of the learned time. A deadline, B learned time, C the factor in thousandths.</summary>
    DeadlineDerived,

    /// <summary>
    /// The multiple would be too short. A the floor, B learned time (0: none yet), C the factor in thousandths.
    /// </summary>
    DeadlineFloor,

    /// <summary>The configured one. A deadline.</summary>
    DeadlineFixed,

    /// <summary>
    /// Took a place in the queue. A places held before, B places. Prediction and deadline are in the record.
    /// </summary>
    Placed,

    /// <summary>Refused: no place. A places held, B places.</summary>
    RefusedQueueFull,

    /// <summary>Refused: it would be late. A predicted wait, B predicted run, C time left.</summary>
    RefusedPredictedLate,

    /// <summary>The arriving thread runs it. A learned time, B the limit for that.</summary>
    RunInline,

    /// <summary>
    /// An idle runner was started for it. A learned time (0: none yet), B the limit for running inline.
    /// </summary>
    RunStarted,

    /// <summary>It waits. A requests ahead of it, B active runs.</summary>
    Queued,

    /// <summary>Taken out of the queue: too late to start. A waited, B predicted run, C time left.</summary>
    DroppedLate,

    /// <summary>The deadline passed in the queue. A waited.</summary>
    ExpiredInQueue,

    /// <summary>The deadline passed in the run. A ran so far, B 1 when the run was stopped.</summary>
    ExpiredInRun,

    /// <summary>The client left while it waited. A waited.</summary>
    CancelledInQueue,

    /// <summary>The client left while it ran. A ran so far, B 1 when the run was stopped.</summary>
    CancelledInRun,

    /// <summary>In a batch; its size and cut are in the record.</summary>
    Batched,

    /// <summary>
    /// The model declares padding. A own length, B length in the run, C padding of the whole batch in thousandths.
    /// </summary>
    Padded,

    /// <summary>
    /// Of a sequence whose state is kept. A 1 when it began the sequence, B waited for those before it.
    /// </summary>
    InSequence,

    /// <summary>Refused by the rules of sequences; the fault says which.</summary>
    RefusedSequence,

    /// <summary>The run succeeded on the record's runner and device. A took, B was predicted (0: nothing).</summary>
    Executed,

    /// <summary>The run failed on the record's runner and device; the message says how. A took.</summary>
    RunFailed,

    /// <summary>
    /// Refused: a store that must keep a trace cannot be written; where it is a budget's, the record names the budget.
    /// </summary>
    RefusedStore,

    /// <summary>It ran and got no answer. A nano-units, B rows.</summary>
    Wasted,

    /// <summary>Priced. A nano-units, B rows.</summary>
    Settled,

    /// <summary>Answered. A status, B bytes.</summary>
    Answered,

    /// <summary>Refused: an operator switched it off; the message says what.</summary>
    RefusedSwitchedOff,

    /// <summary>Refused: the caller's key does not have the model.</summary>
    RefusedForbidden,

    /// <summary>Refused by a rate limit, named in the record. A left, B limit, C unit.</summary>
    RefusedRate,

    /// <summary>Refused by a budget, named in the record. A left in nano-units, B what the request may cost.</summary>
    RefusedBudget,

    /// <summary>
    /// Money was set aside. A its upper bound in nano-units, B left before it in the tightest budget, which the record
    /// names.
    /// </summary>
    Reserved,

    /// <summary>It waited for its turn at the gate. A waited.</summary>
    WaitedAtGate,

    /// <summary>An operator switched it off in flight. A ran or waited so far, B 1 when in a run.</summary>
    EndedBySwitch,

    /// <summary>Answered with a remembered answer. A its age.</summary>
    CacheHit,

    /// <summary>
    /// Answered with a remembered answer that was old. A its age, B 1 because the model could not answer, else because
    /// one request asks anew.
    /// </summary>
    CacheStale,

    /// <summary>No answer was remembered. A 1 when there was one that had expired.</summary>
    CacheMissed,

    /// <summary>Waited for another request that asked the same. A 1 when it was given its answer.</summary>
    CacheJoined,

    /// <summary>Its caller asked not to read the cache. A 1 when the answer is remembered all the same.</summary>
    CacheNotAsked,

    /// <summary>The cache could not take it. A 1 too large, 2 no room, 3 too many wait already, 0 otherwise.</summary>
    CachePassed,

    /// <summary>Its route's deadline, which all steps share. A deadline.</summary>
    DeadlineOfRoute,

    /// <summary>The first step of its route was passed over before anything failed. A predicted wait.</summary>
    StepAvoided,

    /// <summary>A step of its route did not answer. A its index, B the kind of fault.</summary>
    StepLeft,

    /// <summary>A step of its route was taken. A its index, B how many there are.</summary>
    StepTaken,

    /// <summary>An upstream was asked. A calls; the record's notes say how they went.</summary>
    UpstreamAsked,

    /// <summary>
    /// Its side in a rollout. A 1 for the challenger, B the challenger's share in hundredths of a percent, C the
    /// caller's bucket of 10,000, negative less one when the challenger was to have a copy.
    /// </summary>
    RolledOut,

    /// <summary>A rollout put another model in the place of the declared one.</summary>
    Promoted,

    /// <summary>Given up for more critical ones. A mean time in the queue, B its class.</summary>
    RefusedShed,

    /// <summary>The route's cap was put into the request, which had none. A tokens.</summary>
    TokensCapped,

    /// <summary>What its answer used. A tokens of the prompt, B of the answer, C 1 when the upstream said so.</summary>
    TokensUsed,

    /// <summary>Its answer broke off when its caller had a part of it. A tokens that it has.</summary>
    StreamBroken,

    /// <summary>Its tokens were priced. A nano-units.</summary>
    TokensSettled,

    /// <summary>A rule over content found something. A which of the record's, B how often.</summary>
    ContentJudged,
}

/// <summary>One decision with the numbers it was taken on; rendered to a sentence only when somebody asks.</summary>
/// <param name="Kind">Which.</param>
/// <param name="A">See <see cref="DecisionKind"/>.</param>
/// <param name="B">See <see cref="DecisionKind"/>.</param>
/// <param name="C">See <see cref="DecisionKind"/>.</param>
internal readonly record struct Decision(DecisionKind Kind, long A = 0, long B = 0, long C = 0);
