namespace Spillway.Telemetry;

/// <summary>
/// Every metric that this server exposes: name, kind, unit, labels, meaning. The only place where they are written
/// down; the exposition, the checks at registration and docs/reference/metrics.md follow from it. Label values are
/// fixed when a model or deployment is created, so no request can add a series.
/// </summary>
/// <remarks>
/// The recording types (<see cref="Counter"/>, <see cref="Histogram"/>) are our own: System.Diagnostics.Metrics hands
/// each measurement through callbacks and a dictionary of tags, on the order of 100 ns. One request makes about ten;
/// here each is one or two atomic additions on a field that is found without a look-up.
/// This file is long because the list of everything that can be watched is read as one.
/// </remarks>
internal static partial class Instruments
{
    // Requests: one set of series per served name and version.
    public static readonly InstrumentSpec Requests = new(
        "spillway_requests_total", InstrumentKind.Counter, "requests",
        "Requests that ended, by outcome: ok or the fault that ended them.", "model", "version", "outcome");

    public static readonly InstrumentSpec RequestDuration = new(
        "spillway_request_duration_seconds", InstrumentKind.Histogram, "seconds",
        "Time from a request's first instant to its last byte handed to the connection; result is ok or fault.",
        "model", "version", "result");

    public static readonly InstrumentSpec StageDuration = new(
        "spillway_stage_duration_seconds", InstrumentKind.Histogram, "seconds",
        "Time of one stage of a request; stages that a request did not reach are not counted.",
        "model", "version", "stage");

    public static readonly InstrumentSpec RequestRows = new(
        "spillway_request_rows_total", InstrumentKind.Counter, "rows",
        "Rows of the requests that were answered.", "model", "version");

    public static readonly InstrumentSpec RequestBytes = new(
        "spillway_request_body_bytes_total", InstrumentKind.Counter, "bytes",
        "Bytes of request bodies received.", "model", "version");

    public static readonly InstrumentSpec ResponseBytes = new(
        "spillway_response_body_bytes_total", InstrumentKind.Counter, "bytes",
        "Bytes of response bodies written.", "model", "version");

    public static readonly InstrumentSpec PictureDecodes = new(
        "spillway_picture_decodes_total", InstrumentKind.Counter, "pictures",
        "Pictures decoded at the door of a served name.", "model", "version");

    public static readonly InstrumentSpec Simulated = new(
        "spillway_simulated", InstrumentKind.Gauge, "1",
        "1 when a simulated runtime answers for this name, so that nothing real runs; else 0.", "model", "version");

    public static readonly InstrumentSpec Ready = new(
        "spillway_model_ready", InstrumentKind.Gauge, "1",
        "1 while this name answers; 0 while its model loads, after its load failed, or while it is away.",
        "model", "version");

    public static readonly InstrumentSpec LoadFailed = new(
        "spillway_model_load_failed", InstrumentKind.Gauge, "1",
        "1 when the load of this name's model failed, so that it will not answer by itself; else 0.",
        "model", "version");

    public static readonly InstrumentSpec Unrouted = new(
        "spillway_unrouted_requests_total", InstrumentKind.Counter, "requests",
        "Requests that ended before a model was known, by the fault that ended them.", "outcome");

    // Access: there where callers show who they are.
    public static readonly InstrumentSpec AccessRefused = new(
        "spillway_access_refused_total", InstrumentKind.Counter, "requests",
        "Requests refused for who asked, by reason: missing, malformed, unknown, expired, revoked, token, role, model, "
        + "origin.", "reason");

    public static readonly InstrumentSpec AccessKeys = new(
        "spillway_access_keys", InstrumentKind.Gauge, "keys",
        "Keys of the server by state: live, expired, revoked.", "state");

    public static readonly InstrumentSpec AccessStoreFailures = new(
        "spillway_access_store_failures_total", InstrumentKind.Counter, "writes",
        "Writes to the database of keys that failed.");

    public static readonly InstrumentSpec AccessJwksReads = new(
        "spillway_access_jwks_reads_total", InstrumentKind.Counter, "reads",
        "Reads of the identity provider's key set, by result: ok or failed.", "result");

    // Deployments: one set of series per deployment and version.
    public static readonly InstrumentSpec QueueDepth = new(
        "spillway_queue_depth", InstrumentKind.Gauge, "requests",
        "Requests that hold a place in the queue, being decoded or waiting.", "deployment", "version");

    public static readonly InstrumentSpec ModelMemory = new(
        "spillway_model_memory_bytes", InstrumentKind.Gauge, "bytes",
        "Memory that a loaded model takes, as its runtime measures it; NaN where it cannot tell or is away.",
        "deployment", "version");

    public static readonly InstrumentSpec MemoryBudget = new(
        "spillway_memory_budget_bytes", InstrumentKind.Gauge, "bytes",
        "Memory that models may take on a device: residency.memoryBytesMax.", "device");

    public static readonly InstrumentSpec MemoryUsed = new(
        "spillway_memory_used_bytes", InstrumentKind.Gauge, "bytes",
        "Memory that the loaded models of a device with a budget take, those being loaded by their estimate.",
        "device");

    public static readonly InstrumentSpec QueueLengthMax = new(
        "spillway_queue_length_max", InstrumentKind.Gauge, "requests",
        "Places that the queue has: batching.queueLengthMax.", "deployment", "version");

    public static readonly InstrumentSpec InFlight = new(
        "spillway_in_flight", InstrumentKind.Gauge, "requests",
        "Requests inside a run.", "deployment", "version");

    public static readonly InstrumentSpec PredictedWait = new(
        "spillway_predicted_wait_seconds", InstrumentKind.Gauge, "seconds",
        "Wait that admission would predict for a request of typical size now.", "deployment", "version");

    public static readonly InstrumentSpec ServiceTime = new(
        "spillway_service_time_seconds", InstrumentKind.Gauge, "seconds",
        "Learned time of a run by its rows, at the typical shape.", "deployment", "version", "rows");

    public static readonly InstrumentSpec BatchRows = new(
        "spillway_batch_rows", InstrumentKind.Histogram, "rows",
        "Rows of each batch that was run.", "deployment", "version");

    public static readonly InstrumentSpec BatchRequests = new(
        "spillway_batched_requests_total", InstrumentKind.Counter, "requests",
        "Requests that were run; divided by the number of batches it is the mean batch.", "deployment", "version");

    public static readonly InstrumentSpec Cuts = new(
        "spillway_batch_cuts_total", InstrumentKind.Counter, "batches",
        "Batches by why they did not take more: full, wait, idle (queue empty), deadline, shape.",
        "deployment", "version", "reason");

    public static readonly InstrumentSpec BatchElements = new(
        "spillway_batch_elements_total", InstrumentKind.Counter, "elements",
        "Input elements of the batches that were run: real, and padding. Padding over the sum of both is the waste.",
        "deployment", "version", "kind");

    public static readonly InstrumentSpec BucketRows = new(
        "spillway_bucket_rows_total", InstrumentKind.Counter, "rows",
        "Rows that were run by the length they were padded to: a bucket (at most 64), or own for unpadded lengths.",
        "deployment", "version", "length");

    public static readonly InstrumentSpec Sequences = new(
        "spillway_sequences", InstrumentKind.Gauge, "sequences",
        "Sequences whose state is kept; only for models with state.", "deployment", "version");

    public static readonly InstrumentSpec SequencesExpired = new(
        "spillway_sequences_expired_total", InstrumentKind.Counter, "sequences",
        "Sequences that were forgotten because nothing came for idleMs.", "deployment", "version");

    public static readonly InstrumentSpec SequencesRefused = new(
        "spillway_sequences_refused_total", InstrumentKind.Counter, "requests",
        "Requests that the rules of sequences refused: no id, no start, expired, conflict, or a limit.", "deployment",
        "version");

    public static readonly InstrumentSpec Drops = new(
        "spillway_drops_total", InstrumentKind.Counter, "requests",
        "Requests refused or dropped instead of run, by the fault that says why.", "deployment", "version", "reason");

    public static readonly InstrumentSpec RunnerBusy = new(
        "spillway_runner_busy_seconds_total", InstrumentKind.Counter, "seconds",
        "Time that runners spent inside runs, summed over the runners of a device.", "deployment", "version", "device");

    public static readonly InstrumentSpec Runners = new(
        "spillway_runners", InstrumentKind.Gauge, "runners",
        "Runners that the deployment has.", "deployment", "version");

    // Limits, budgets, switches: one set of series per name in the configuration.
    public static readonly InstrumentSpec RateRefused = new(
        "spillway_rate_refused_total", InstrumentKind.Counter, "requests",
        "Requests that a rate limit refused, over all who share its name.", "limit");

    // Routes: one set of series per name in the configuration.
    public static readonly InstrumentSpec RouteAnswered = new(
        "spillway_route_answered_total", InstrumentKind.Counter, "requests",
        "Requests to a route that a step of its chain answered.", "route", "step");

    public static readonly InstrumentSpec RouteLeft = new(
        "spillway_route_left_total", InstrumentKind.Counter, "requests",
        "Requests to a route that a step of its chain did not answer.", "route", "step");

    public static readonly InstrumentSpec RouteAvoided = new(
        "spillway_route_avoided_total", InstrumentKind.Counter, "requests",
        "Requests to a route whose first step was passed over for its predicted wait.", "route");

    public static readonly InstrumentSpec CacheLookUps = new(
        "spillway_cache_lookups_total", InstrumentKind.Counter, "requests",
        "Requests to a route by what its cache said: hit, stale, miss, join, refresh, bypass.", "route", "result");

    public static readonly InstrumentSpec CacheEvictions = new(
        "spillway_cache_evictions_total", InstrumentKind.Counter, "answers",
        "Remembered answers that went to make room.", "route");

    public static readonly InstrumentSpec CacheEntries = new(
        "spillway_cache_entries", InstrumentKind.Gauge, "answers", "Remembered answers.", "route");

    public static readonly InstrumentSpec CacheBytes = new(
        "spillway_cache_bytes", InstrumentKind.Gauge, "bytes",
        "Memory of remembered answers, with their questions and what it takes to keep them.", "route");

    public static readonly InstrumentSpec UpstreamAnswered = new(
        "spillway_upstream_answered_total", InstrumentKind.Counter, "requests",
        "Calls to a target that it answered.", "upstream", "target");

    public static readonly InstrumentSpec UpstreamFailed = new(
        "spillway_upstream_failed_total", InstrumentKind.Counter, "requests",
        "Calls to a target that ended without an answer.", "upstream", "target");

    public static readonly InstrumentSpec UpstreamRetries = new(
        "spillway_upstream_retries_total", InstrumentKind.Counter, "requests",
        "Attempts beyond the first of a request.", "upstream");

    public static readonly InstrumentSpec UpstreamHedges = new(
        "spillway_upstream_hedges_total", InstrumentKind.Counter, "requests",
        "Second copies of slow requests.", "upstream");

    public static readonly InstrumentSpec UpstreamWaiting = new(
        "spillway_upstream_waiting", InstrumentKind.Gauge, "requests",
        "Requests that wait for a target with room.", "upstream");

    public static readonly InstrumentSpec UpstreamOpen = new(
        "spillway_upstream_open", InstrumentKind.Gauge, "1",
        "1 while a target is left alone after failures.", "upstream", "target");

    public static readonly InstrumentSpec UpstreamInFlight = new(
        "spillway_upstream_in_flight", InstrumentKind.Gauge, "requests",
        "Requests at a target.", "upstream", "target");

    public static readonly InstrumentSpec UpstreamLimit = new(
        "spillway_upstream_limit", InstrumentKind.Gauge, "requests",
        "Requests that a target gets at once, as learned.", "upstream", "target");

    // Rollouts: one set of series per route that declares one.
    public static readonly InstrumentSpec RolloutRequests = new(
        "spillway_rollout_requests_total", InstrumentKind.Counter, "requests",
        "Requests that a side (champion, challenger) ended while a rollout was under way; neither cached answers nor "
        + "faults of callers.", "route", "side");

    public static readonly InstrumentSpec RolloutFailures = new(
        "spillway_rollout_failures_total", InstrumentKind.Counter, "requests", "Those of them that failed.",
        "route", "side");

    public static readonly InstrumentSpec RolloutShare = new(
        "spillway_rollout_share", InstrumentKind.Gauge, "1",
        "The challenger's share of the route's callers; 0 without a rollout under way.", "route");

    public static readonly InstrumentSpec RolloutAgreement = new(
        "spillway_rollout_agreement_ratio", InstrumentKind.Gauge, "1",
        "Copies whose answers agreed with the champion's, of those compared since the rollout or the process began; "
        + "NaN before the first.", "route");

    public static readonly InstrumentSpec RolloutShadowLatency = new(
        "spillway_rollout_shadow_latency_ratio", InstrumentKind.Gauge, "1",
        "Time of a copy in the challenger over that of the same request in the champion, the geometric mean; NaN "
        + "before the first.", "route");

    public static readonly InstrumentSpec RolloutShadowDropped = new(
        "spillway_rollout_shadow_dropped_total", InstrumentKind.Counter, "copies",
        "Copies that were not made, because the challenger had work to do or the server was stopping.", "route");

    public static readonly InstrumentSpec RolloutState = new(
        "spillway_rollout_state", InstrumentKind.Gauge, "1",
        "1 for the phase of the route's last rollout (running, ready, promoted, aborted, rolled_back), else 0.",
        "route", "phase");

    public static readonly InstrumentSpec BudgetRefused = new(
        "spillway_budget_refused_total", InstrumentKind.Counter, "requests",
        "Requests that a budget refused, or that it could not write down.", "budget");

    public static readonly InstrumentSpec BudgetWarnings = new(
        "spillway_budget_warnings_total", InstrumentKind.Counter, "events",
        "Soft thresholds (budgets.<name>.warnAt) that were passed.", "budget");

    public static readonly InstrumentSpec BudgetOverruns = new(
        "spillway_budget_overruns_total", InstrumentKind.Counter, "requests",
        "Requests that cost more than was reserved for them; charged all the same.", "budget");

    public static readonly InstrumentSpec BudgetUnsaved = new(
        "spillway_budget_unsaved_total", InstrumentKind.Counter, "slices",
        "Slices that were used though they could not be written (onStoreTrouble: serve); a crash forgets them.",
        "budget");

    public static readonly InstrumentSpec BudgetUsed = new(
        "spillway_budget_used_ratio", InstrumentKind.Gauge, "1",
        "Part of the limit that is spent or reserved, of the fullest of those that have one of their own.", "budget");

    public static readonly InstrumentSpec BudgetReserved = new(
        "spillway_budget_reserved_units", InstrumentKind.Gauge, "units",
        "Reserved for requests in flight, in units of the currency; 0 when nothing is in flight.", "budget");

    public static readonly InstrumentSpec BudgetLost = new(
        "spillway_budget_lost_units", InstrumentKind.Gauge, "units",
        "Counted as spent in the present window because a crash left it uncertain.", "budget");

    public static readonly InstrumentSpec BudgetWrites = new(
        "spillway_budget_writes_total", InstrumentKind.Counter, "writes",
        "Transactions that made slices of budgets durable, or tried to.");

    public static readonly InstrumentSpec BudgetWriteFailures = new(
        "spillway_budget_write_failures_total", InstrumentKind.Counter, "writes",
        "Those of them that failed.");

    public static readonly InstrumentSpec ClockJumps = new(
        "spillway_clock_jumps_total", InstrumentKind.Counter, "events",
        "Times that the machine's clock was seen to be set by 30 s or more; only with budgets.");

    public static readonly InstrumentSpec SwitchesOff = new(
        "spillway_switches_off", InstrumentKind.Gauge, "switches",
        "Kill switches that are off: everything, models, routes, tenants.");

    public static readonly InstrumentSpec SwitchAborted = new(
        "spillway_switch_aborted_total", InstrumentKind.Counter, "requests",
        "Requests in flight that a kill switch ended.");
    // Costs: only where prices are configured; the ledger's only where there is one.
    public static readonly InstrumentSpec Cost = new(
        "spillway_cost_total", InstrumentKind.Counter, "units",
        "Costs in units of prices.currency: bill (answers), waste (ran in vain) and idle (hardware that stood by).",
        "deployment", "owner", "kind");

    public static readonly InstrumentSpec CostSpent = new(
        "spillway_cost_spent", InstrumentKind.Gauge, "units",
        "Costs of the present hour or day (UTC) that a threshold of prices.alerts counts.", "alert", "window");

    public static readonly InstrumentSpec CostThreshold = new(
        "spillway_cost_threshold", InstrumentKind.Gauge, "units",
        "The threshold itself: perHour or perDay.", "alert", "window");

    public static readonly InstrumentSpec LedgerQueue = new(
        "spillway_ledger_queue", InstrumentKind.Gauge, "entries", "Ledger entries that wait to be written.");

    public static readonly InstrumentSpec LedgerQueueMax = new(
        "spillway_ledger_queue_max", InstrumentKind.Gauge, "entries",
        "Entries that may wait: ledger.queueLengthMax, rounded up to a power of two.");

    public static readonly InstrumentSpec LedgerWritten = new(
        "spillway_ledger_written_total", InstrumentKind.Counter, "entries", "Ledger entries written to the disk.");

    public static readonly InstrumentSpec LedgerLost = new(
        "spillway_ledger_lost_total", InstrumentKind.Counter, "entries",
        "Ledger entries lost: queue_full (found no room), or ended (the process before this one did not write them).",
        "reason");

    public static readonly InstrumentSpec LedgerFailures = new(
        "spillway_ledger_write_failures_total", InstrumentKind.Counter, "transactions",
        "Ledger transactions that failed; their entries wait for the next.");

    public static readonly InstrumentSpec LedgerWriteTime = new(
        "spillway_ledger_write_seconds_total", InstrumentKind.Counter, "seconds",
        "Time that the ledger's writer spent in transactions.");

    // The server and its process.
    public static readonly InstrumentSpec Records = new(
        "spillway_request_records_total", InstrumentKind.Counter, "records",
        "Request records written to the ring of recent requests.");

    public static readonly InstrumentSpec RecordsOverwritten = new(
        "spillway_request_records_overwritten_total", InstrumentKind.Counter, "records",
        "Request records that gave way to newer ones.");

    public static readonly InstrumentSpec OtlpTraces = new(
        "spillway_otlp_traces_total", InstrumentKind.Counter, "requests",
        "Sampled requests by what became of their spans: sent, refused, unreachable, or queue_full (dropped at once).",
        "result");

    public static readonly InstrumentSpec OtlpExports = new(
        "spillway_otlp_exports_total", InstrumentKind.Counter, "exports",
        "Exports to the OTLP endpoint by signal (traces, metrics) and result.", "signal", "result");

    public static readonly InstrumentSpec AuditRecords = new(
        "spillway_audit_records_total", InstrumentKind.Counter, "records",
        "Records in the audit log, those of earlier processes too.");

    public static readonly InstrumentSpec AuditLost = new(
        "spillway_audit_lost_total", InstrumentKind.Counter, "records",
        "Records and inputs that found no room because the writer was behind or the disk said no; the log says it "
            + "too.");

    public static readonly InstrumentSpec AuditWaiting = new(
        "spillway_audit_waiting", InstrumentKind.Gauge, "records",
        "Records that wait for the writer of the audit log.");

    public static readonly InstrumentSpec AuditSigned = new(
        "spillway_audit_signed", InstrumentKind.Gauge, "records",
        "Records under the last signed head of the audit log.");

    public static readonly InstrumentSpec AuditFailing = new(
        "spillway_audit_failing", InstrumentKind.Gauge, "1",
        "1 while the audit log cannot be written; else 0.");

    public static readonly InstrumentSpec AuditUnpublished = new(
        "spillway_audit_publish_failures_total", InstrumentKind.Counter, "heads",
        "Signed heads of the audit log that could not be written to audit.publish.");

    public static readonly InstrumentSpec ConfigInfo = new(
        "spillway_config_info", InstrumentKind.Gauge, "1",
        "Always 1; the label tells the digest of the configuration in force.", "digest");

    public static readonly InstrumentSpec ConfigReloads = new(
        "spillway_config_reloads_total", InstrumentKind.Counter, "reloads",
        "Configurations that were read again while the server runs: applied, or refused for what is wrong with them.",
        "outcome");

    public static readonly InstrumentSpec BuildInfo = new(
        "spillway_build_info", InstrumentKind.Gauge, "1",
        "Always 1; the labels tell the version of Spillway and of .NET.", "version", "dotnet_version");

    public static readonly InstrumentSpec ProcessCpu = new(
        "process_cpu_seconds_total", InstrumentKind.Counter, "seconds",
        "User and system CPU time of the process.");

    public static readonly InstrumentSpec ProcessMemory = new(
        "process_resident_memory_bytes", InstrumentKind.Gauge, "bytes",
        "Resident memory of the process.");

    public static readonly InstrumentSpec ProcessStart = new(
        "process_start_time_seconds", InstrumentKind.Gauge, "seconds",
        "Start of the process, in seconds since 1970-01-01 UTC.");

    public static readonly InstrumentSpec GcCollections = new(
        "dotnet_gc_collections_total", InstrumentKind.Counter, "collections",
        "Garbage collections by the oldest generation they collected.", "generation");

    public static readonly InstrumentSpec GcHeap = new(
        "dotnet_gc_heap_size_bytes", InstrumentKind.Gauge, "bytes",
        "Managed heap in use, including fragmentation not yet reclaimed.");

    public static readonly InstrumentSpec GcAllocated = new(
        "dotnet_gc_allocated_bytes_total", InstrumentKind.Counter, "bytes",
        "Bytes allocated on the managed heap since the start.");

    public static readonly InstrumentSpec GcPause = new(
        "dotnet_gc_pause_seconds_total", InstrumentKind.Counter, "seconds",
        "Time that the process stood still for garbage collections.");

    public static readonly InstrumentSpec PoolQueue = new(
        "dotnet_thread_pool_queue_length", InstrumentKind.Gauge, "items",
        "Work items waiting for a thread of the pool; a number that stays up means starvation.");

    // Triton's names for the statistics of a served name, for dashboards that know them; server.tritonMetricNames.
    public static readonly InstrumentSpec TritonSuccess = Triton(
        "nv_inference_request_success", InstrumentKind.Counter, "requests", "Requests that were answered.");

    public static readonly InstrumentSpec TritonFailure = Triton(
        "nv_inference_request_failure", InstrumentKind.Counter, "requests",
        "Requests that were not answered, by Triton's reason: REJECTED, CANCELED, BACKEND or OTHER.", "reason");

    public static readonly InstrumentSpec TritonInferences = Triton(
        "nv_inference_count", InstrumentKind.Counter, "rows", "Rows of the requests that were answered.");

    public static readonly InstrumentSpec TritonExecutions = Triton(
        "nv_inference_exec_count", InstrumentKind.Counter, "runs", "Runs that answered them.");

    public static readonly InstrumentSpec TritonRequestTime = Triton(
        "nv_inference_request_duration_us", InstrumentKind.Counter, "microseconds",
        "Time of the answered requests from the parsed body to the formed answer.");

    public static readonly InstrumentSpec TritonQueueTime = Triton(
        "nv_inference_queue_duration_us", InstrumentKind.Counter, "microseconds",
        "Their time in the queue.");

    public static readonly InstrumentSpec TritonInputTime = Triton(
        "nv_inference_compute_input_duration_us", InstrumentKind.Counter, "microseconds",
        "Their time while batches were gathered.");

    public static readonly InstrumentSpec TritonInferTime = Triton(
        "nv_inference_compute_infer_duration_us", InstrumentKind.Counter, "microseconds",
        "Their time inside runs.");

    public static readonly InstrumentSpec TritonOutputTime = Triton(
        "nv_inference_compute_output_duration_us", InstrumentKind.Counter, "microseconds",
        "Their time while answers were formed.");

    public static readonly InstrumentSpec TritonPending = Triton(
        "nv_inference_pending_request_count", InstrumentKind.Gauge, "requests",
        "Requests that wait in the queue of the deployment behind the name.");

    /// <summary>Every family, in the order of the exposition and of the reference page.</summary>
    public static IReadOnlyList<InstrumentSpec> All => field ??=
    [
        Requests, RequestDuration, StageDuration, RequestRows, RequestBytes, ResponseBytes, PictureDecodes, Simulated,
        Ready, LoadFailed, ModelMemory, MemoryBudget, MemoryUsed, Unrouted, AccessRefused, AccessKeys,
        AccessStoreFailures, AccessJwksReads, QueueDepth, QueueLengthMax, InFlight, PredictedWait, ServiceTime,
        BatchRows, BatchRequests, Cuts, BatchElements, BucketRows, Sequences, SequencesExpired, SequencesRefused, Drops,
        RunnerBusy, RouteAnswered, RouteLeft, RouteAvoided, CacheLookUps, CacheEvictions, CacheEntries, CacheBytes,
        UpstreamAnswered, UpstreamFailed, UpstreamRetries, UpstreamHedges, UpstreamWaiting, UpstreamOpen,
        UpstreamInFlight, UpstreamLimit, .. OfChats(),
        RolloutRequests, RolloutFailures, RolloutShare, RolloutAgreement, RolloutShadowLatency, RolloutShadowDropped,
        RolloutState, DrillInstruments.Begun, DrillInstruments.Active,
        RateRefused, BudgetRefused, BudgetWarnings, BudgetOverruns, BudgetUnsaved, BudgetUsed,
        BudgetReserved, BudgetLost, BudgetWrites, BudgetWriteFailures, ClockJumps, SwitchesOff, SwitchAborted,
        Runners, Cost, CostSpent, CostThreshold, LedgerQueue, LedgerQueueMax, LedgerWritten, LedgerLost, LedgerFailures,
        LedgerWriteTime, Records, RecordsOverwritten, OtlpTraces, OtlpExports, AuditRecords, AuditLost,
        AuditWaiting, AuditSigned, AuditFailing, AuditUnpublished, ConfigInfo, ConfigReloads, BuildInfo, ProcessCpu,
        ProcessMemory, ProcessStart, GcCollections, GcHeap, GcAllocated, GcPause, PoolQueue, TritonSuccess,
        TritonFailure, TritonInferences, TritonExecutions, TritonRequestTime, TritonQueueTime, TritonInputTime,
        TritonInferTime, TritonOutputTime, TritonPending,
    ];

    private static InstrumentSpec Triton(
        string name, InstrumentKind kind, string unit, string help, params string[] more) =>
        new(name, kind, unit, help, ["model", "version", .. more]);
}
