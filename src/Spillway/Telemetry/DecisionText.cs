using System.Globalization;

namespace Spillway.Telemetry;

/// <summary>
/// Decisions as sentences, each with its reason. Pure. The tables are switches without a default arm: a new kind
/// breaks the build here until it has a name and a sentence.
/// </summary>
internal static class DecisionText
{
    /// <summary>The kind in snake_case, for machines.</summary>
    public static string Name(DecisionKind kind) => kind switch
    {
        DecisionKind.GatePassed => "gate_passed",
        DecisionKind.RefusedShuttingDown => "refused_shutting_down",
        DecisionKind.RefusedNotReady => "refused_not_ready",
        DecisionKind.RefusedUnrecorded => "refused_unrecorded",
        DecisionKind.RefusedServerFull => "refused_server_full",
        DecisionKind.RefusedInvalid => "refused_invalid",
        DecisionKind.Routed => "routed",
        DecisionKind.CacheBypassed => "cache_bypassed",
        DecisionKind.DeadlineExplicit => "deadline_explicit",
        DecisionKind.DeadlineCut => "deadline_cut",
        DecisionKind.DeadlineDerived => "deadline_derived",
        DecisionKind.DeadlineFloor => "deadline_floor",
        DecisionKind.DeadlineFixed => "deadline_fixed",
        DecisionKind.Placed => "placed",
        DecisionKind.RefusedQueueFull => "refused_queue_full",
        DecisionKind.RefusedPredictedLate => "refused_predicted_late",
        DecisionKind.RunInline => "run_inline",
        DecisionKind.RunStarted => "run_started",
        DecisionKind.Queued => "queued",
        DecisionKind.DroppedLate => "dropped_late",
        DecisionKind.ExpiredInQueue => "expired_in_queue",
        DecisionKind.ExpiredInRun => "expired_in_run",
        DecisionKind.CancelledInQueue => "cancelled_in_queue",
        DecisionKind.CancelledInRun => "cancelled_in_run",
        DecisionKind.Batched => "batched",
        DecisionKind.Padded => "padded",
        DecisionKind.InSequence => "in_sequence",
        DecisionKind.RefusedSequence => "refused_sequence",
        DecisionKind.Executed => "executed",
        DecisionKind.RunFailed => "run_failed",
        DecisionKind.RefusedStore => "refused_store",
        DecisionKind.Wasted => "wasted",
        DecisionKind.Settled => "settled",
        DecisionKind.Answered => "answered",
        DecisionKind.RefusedSwitchedOff => "refused_switched_off",
        DecisionKind.RefusedForbidden => "refused_forbidden",
        DecisionKind.RefusedRate => "refused_rate",
        DecisionKind.RefusedBudget => "refused_budget",
        DecisionKind.Reserved => "reserved",
        DecisionKind.WaitedAtGate => "waited_at_gate",
        DecisionKind.EndedBySwitch => "ended_by_switch",
        DecisionKind.CacheHit => "cache_hit",
        DecisionKind.CacheStale => "cache_stale",
        DecisionKind.CacheMissed => "cache_missed",
        DecisionKind.CacheJoined => "cache_joined",
        DecisionKind.CacheNotAsked => "cache_not_asked",
        DecisionKind.CachePassed => "cache_passed",
        DecisionKind.DeadlineOfRoute => "deadline_of_route",
        DecisionKind.StepAvoided => "step_avoided",
        DecisionKind.StepLeft => "step_left",
        DecisionKind.StepTaken => "step_taken",
        DecisionKind.UpstreamAsked => "upstream_asked",
        DecisionKind.RolledOut => "rolled_out",
        DecisionKind.Promoted => "promoted",
        DecisionKind.RefusedShed => "refused_shed",
        DecisionKind.TokensCapped => "tokens_capped",
        DecisionKind.TokensUsed => "tokens_used",
        DecisionKind.StreamBroken => "stream_broken",
        DecisionKind.TokensSettled => "tokens_settled",
        DecisionKind.ContentJudged => "content_judged",
    };

    /// <summary>The sentence of one decision of that record.</summary>
    public static string Render(in Decision decision, in RequestRecord record)
    {
        var (kind, a, b, c) = decision;
        return kind switch
        {
            DecisionKind.GatePassed => $"Gate passed: the server is open and model {record.Model} is ready.",
            DecisionKind.RefusedShuttingDown => "Refused: the server is shutting down and takes no new work.",
            DecisionKind.RefusedNotReady => $"Refused: model {record.Model} is not ready.",
            DecisionKind.RefusedUnrecorded =>
                "Refused: the audit log cannot be written, and refusing was declared (audit.onFailure).",
            DecisionKind.RefusedServerFull =>
                Text($"Refused: the server holds {a} of {b} request bytes, and this request brings {c}."),
            DecisionKind.RefusedInvalid => "Refused: the request is not what the protocol or the model asks for.",
            DecisionKind.Routed =>
                $"Routed: {record.Model} is served by deployment {record.Deployment}, version {record.Version}.",
            DecisionKind.CacheBypassed => "Cache bypassed: none is configured for this model.",
            DecisionKind.DeadlineExplicit => $"Deadline {Limit(a)}: the caller asked for it.",
            DecisionKind.DeadlineCut =>
                $"Deadline {Limit(b)}: the caller asked for {Limit(a)}, cut to the longest allowed.",
            DecisionKind.DeadlineDerived => $"Deadline {Ms(a)}: {Factor(c)} times the learned {Ms(b)} at this size.",
            DecisionKind.DeadlineFloor => DeadlineFloor(a, b, c),
            DecisionKind.DeadlineFixed => $"Deadline {Limit(a)}: fixed by the model's configuration.",
            DecisionKind.Placed => Placed(a, b, record),
            DecisionKind.RefusedQueueFull => Text($"Refused: the queue held {a} of {b}."),
            DecisionKind.RefusedPredictedLate =>
                $"Refused: predicted wait {Ms(a)} + run {Ms(b)} cannot meet the deadline in {Ms(c)}.",
            DecisionKind.RefusedShed =>
                $"Refused: {CriticalityWords.Of((Criticality)b)} requests are given up while the queue takes {Ms(a)}.",
            DecisionKind.RunInline => $"Dispatched inline: idle and learned time {Ms(a)} is under {Limit(b)}.",
            DecisionKind.RunStarted => RunStarted(a, b),
            DecisionKind.Queued => Queued(a, b),
            DecisionKind.DroppedLate =>
                $"Dropped after {Ms(a)} in the queue: a run of {Ms(b)} cannot meet the deadline in {Ms(c)}.",
            DecisionKind.ExpiredInQueue => $"Expired: the deadline passed after {Ms(a)} in the queue.",
            DecisionKind.ExpiredInRun => $"Expired: the deadline passed after {Ms(a)} of the run; {Stopped(b)}.",
            DecisionKind.CancelledInQueue => $"Cancelled: the client left after {Ms(a)} in the queue.",
            DecisionKind.CancelledInRun => $"Cancelled: the client left after {Ms(a)} of the run; {Stopped(b)}.",
            DecisionKind.Batched => Batched(record),
            DecisionKind.Padded => Padded(a, b, c),
            DecisionKind.InSequence => InSequence(a, b),
            DecisionKind.RefusedSequence => "Refused: its sequence did not admit it; the error says why.",
            DecisionKind.Executed => Executed(a, b, record),
            DecisionKind.RunFailed => Text($"Run failed on runner {record.Runner} ({record.Device}) after {Ms(a)}."),
            DecisionKind.Wasted =>
                $"Wasted: {new Money(a)} for {Count(b, "row")} that ran in vain; the model's cost, on nobody's bill.",
            DecisionKind.Settled => $"Settled: {new Money(a)} for {Count(b, "row")}.",
            DecisionKind.Answered => Text($"Answered: status {a}, {Count(b, "byte")}."),
            DecisionKind.RefusedSwitchedOff or DecisionKind.RefusedForbidden or DecisionKind.RefusedRate
                or DecisionKind.RefusedBudget or DecisionKind.RefusedStore or DecisionKind.Reserved
                or DecisionKind.WaitedAtGate or DecisionKind.EndedBySwitch => GuardText.Render(kind, a, b, c, record),
            DecisionKind.CacheHit or DecisionKind.CacheStale or DecisionKind.CacheMissed or DecisionKind.CacheJoined
                or DecisionKind.CacheNotAsked or DecisionKind.CachePassed or DecisionKind.StepAvoided
                or DecisionKind.StepLeft or DecisionKind.StepTaken or DecisionKind.UpstreamAsked
                or DecisionKind.DeadlineOfRoute => RouteText.Render(kind, a, b, record),
            DecisionKind.RolledOut or DecisionKind.Promoted => RouteText.Rollout(kind, a, b, c, record),
            DecisionKind.TokensCapped or DecisionKind.TokensUsed or DecisionKind.StreamBroken
                or DecisionKind.TokensSettled => ChatText.Render(kind, a, b, c),
            DecisionKind.ContentJudged => ChatText.Content(a, b, record),
        };
    }

    /// <summary>A measured or predicted time: three figures or so.</summary>
    internal static string Ms(long ticks)
    {
        var ms = (decimal)ticks / TimeSpan.TicksPerMillisecond;
        var format = Math.Abs(ms) switch { >= 100 => "0", >= 1 => "0.0", >= 0.1m => "0.00", _ => "0.0000" };
        return ms.ToString(format, CultureInfo.InvariantCulture) + " ms";
    }

    /// <summary>A configured or asked time: exactly, without trailing zeros.</summary>
    private static string Limit(long ticks) =>
        ((decimal)ticks / TimeSpan.TicksPerMillisecond).ToString("0.####", CultureInfo.InvariantCulture) + " ms";

    private static string Factor(long thousandths) =>
        (thousandths / 1000m).ToString("0.###", CultureInfo.InvariantCulture);

    private static string Count(long count, string noun) => Text($"{count} {noun}{(count == 1 ? "" : "s")}");

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private static string Stopped(long stopped) =>
        stopped != 0 ? "the run was stopped, nobody else was in it" : "the run went on for the others in it";

    private static string DeadlineFloor(long floor, long learned, long factor) => learned > 0
        ? $"Deadline {Limit(floor)}: the floor, longer than {Factor(factor)} times the learned {Ms(learned)}."
        : $"Deadline {Limit(floor)}: the floor, because no time has been learned yet.";

    private static string Placed(long held, long places, in RequestRecord record)
    {
        var head = Text($"Placed: queue held {held} of {places}; ");
        return record.PredictedRun > TimeSpan.Zero
            ? head + $"predicted wait {Ms(record.PredictedWait.Ticks)} + run {Ms(record.PredictedRun.Ticks)} "
                + $"inside the deadline of {Limit(record.Deadline.Ticks)}."
            : head + "no time has been learned yet, so nothing was predicted.";
    }

    private static string RunStarted(long learned, long limit) => learned > 0
        ? $"Started at once on an idle runner: learned time {Ms(learned)} is not under {Limit(limit)}, so not inline."
        : "Started at once on an idle runner: no time has been learned yet, so not inline.";

    private static string Queued(long ahead, long runs) =>
        $"Queued: {Count(runs, "run")} active, {Count(ahead, "request")} ahead.";

    private static string Batched(in RequestRecord record) =>
        $"Batch of {Count(record.BatchRequests, "request")}, {Count(record.BatchRows, "row")}, "
        + $"cut because {record.Cut.Words()} ({record.Cut.Label()}).";

    private static string InSequence(long began, long waited) =>
        (began == 1 ? "Began its sequence on a new state" : "Continued its sequence on the kept state")
        + (waited > 0 ? $", after {Ms(waited)} behind the requests before it." : ".");

    private static string Padded(long own, long length, long thousandths)
    {
        var waste = (thousandths / 10m).ToString("0.#", CultureInfo.InvariantCulture);
        return own == length
            ? Text($"Not padded: length {own}; {waste} % of the batch was padding.")
            : Text($"Padded from length {own} to {length}; {waste} % of the batch was padding.");
    }

    private static string Executed(long took, long predicted, in RequestRecord record)
    {
        var head = Text($"Executed on runner {record.Runner} ({record.Device}) in {Ms(took)}");
        return predicted > 0 ? $"{head}; predicted {Ms(predicted)}." : head + ".";
    }
}
