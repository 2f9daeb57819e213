namespace Spillway;

/// <summary>
/// Every expected failure. A closed list: each table over it (status, log level, metric label) is a switch without a
/// default arm, so a new kind breaks every table that forgot it.
/// </summary>
public enum FaultKind
{
    /// <summary>The request's bytes are not what the protocol or the model asks for.</summary>
    InvalidInput,

    /// <summary>The body is larger than the server takes.</summary>
    InputTooLarge,

    /// <summary>The body did not arrive: the client was too slow or stopped sending.</summary>
    InputIncomplete,

    /// <summary>No such path.</summary>
    UnknownPath,

    /// <summary>The path exists, the method does not fit it.</summary>
    WrongMethod,

    /// <summary>No such model or version.</summary>
    UnknownModel,

    /// <summary>No recent request has that identifier.</summary>
    UnknownRequest,

    /// <summary>
    /// The caller may not do this: a role or a model that its key does not have, a foreign origin, or not a loopback
    /// host name where there are no keys.
    /// </summary>
    Forbidden,

    /// <summary>No valid key or token came with the request.</summary>
    Unauthenticated,

    /// <summary>Part of the protocol that this server does not offer.</summary>
    Unsupported,

    /// <summary>The model exists and cannot answer now: loading, or its load failed.</summary>
    ModelNotReady,

    /// <summary>The deployment's queue has no room.</summary>
    QueueFull,

    /// <summary>The server holds as many request bytes as it may.</summary>
    ServerFull,

    /// <summary>Refused at the door: the predicted wait cannot meet the deadline.</summary>
    PredictedLate,

    /// <summary>Dropped from the queue: a run started now would end after the deadline.</summary>
    DroppedLate,

    /// <summary>The deadline passed while the request waited or ran.</summary>
    DeadlineExceeded,

    /// <summary>The caller went away or cancelled.</summary>
    Cancelled,

    /// <summary>The server is stopping and takes no new work.</summary>
    ShuttingDown,

    /// <summary>An operator switched off what the request asks for.</summary>
    SwitchedOff,

    /// <summary>A rate limit of the caller, its tenant, the model or the route has nothing left now.</summary>
    RateLimited,

    /// <summary>A budget of money or the request's own cost limit has not enough left.</summary>
    BudgetExhausted,

    /// <summary>The store that must keep a trace of the request cannot be written, and refusing was declared.</summary>
    StoreFailed,

    /// <summary>The runtime failed while it ran the model.</summary>
    RuntimeFailed,

    /// <summary>The model could not be loaded.</summary>
    LoadFailed,

    /// <summary>No connection to the upstream came about.</summary>
    UpstreamUnreachable,

    /// <summary>The upstream broke: a status from 500 on, a success without an answer, or an end too early.</summary>
    UpstreamFailed,

    /// <summary>The upstream has enough to do (429, 503) and perhaps said when to come back.</summary>
    UpstreamThrottled,

    /// <summary>
    /// The upstream took too long: to connect, to its first delta, between two of them, or in all. The message says
    /// which.
    /// </summary>
    UpstreamTimeout,

    /// <summary>Every target of the route is left alone for a while, because it failed or asked for it.</summary>
    TargetsOpen,

    /// <summary>There is an answer, and it fails a check that the route declares.</summary>
    AnswerUnfit,

    /// <summary>Given up under overload in favour of requests that are more critical.</summary>
    Shed,

    /// <summary>A bug here. The log has the details.</summary>
    Internal,
}
