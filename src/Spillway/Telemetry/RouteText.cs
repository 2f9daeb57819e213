using System.Globalization;

namespace Spillway.Telemetry;

/// <summary>Decisions of a route's cache and chain as sentences.</summary>
internal static class RouteText
{
    /// <summary>The sentence of one of them.</summary>
    public static string Render(DecisionKind kind, long a, long b, in RequestRecord record) => kind switch
    {
        DecisionKind.CacheHit => $"Cache hit: the answer was remembered {Ago(a)}.",
        DecisionKind.CacheStale when b == 1 =>
            $"Stale answer from the cache, remembered {Ago(a)}: no step could answer.",
        DecisionKind.CacheStale =>
            $"Stale answer from the cache, remembered {Ago(a)}: one request asks the model anew meanwhile.",
        DecisionKind.CacheMissed when a == 1 => "Cache missed: what was remembered had expired.",
        DecisionKind.CacheMissed => "Cache missed: nobody asked this before.",
        DecisionKind.CacheJoined when a == 1 =>
            "Joined another request that asked the same at that moment, and was given its answer.",
        DecisionKind.CacheJoined =>
            "Joined another request that asked the same at that moment, which was not answered.",
        DecisionKind.CacheNotAsked when a == 1 =>
            "Cache not read: the caller asked for a new answer; it is remembered.",
        DecisionKind.CacheNotAsked => "Cache neither read nor written: the caller asked for that.",
        DecisionKind.CachePassed => $"Cache passed over: {Why(a)}.",
        DecisionKind.DeadlineOfRoute => $"Deadline {DecisionText.Ms(a)}: the route's, for all of its steps.",
        DecisionKind.StepAvoided =>
            $"Step {Name(record, 0)} passed over: the predicted wait there was {DecisionText.Ms(a)}, "
            + $"its bound for such a request is {DecisionText.Ms(b)}.",
        DecisionKind.StepLeft => $"Step {Name(record, a)} did not answer: {FaultLabels.Of((FaultKind)b)}.",
        DecisionKind.StepTaken => string.Create(
            CultureInfo.InvariantCulture, $"Step {Name(record, a)} taken, {a + 1} of {b} of the chain."),
        DecisionKind.UpstreamAsked when record.Notes.Count > 0 => $"Upstream {string.Join(" Then ", record.Notes)}",
        DecisionKind.UpstreamAsked => "Upstream asked.",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No decision of a route."),
    };

    /// <summary>The sentence of a rollout's decision.</summary>
    public static string Rollout(DecisionKind kind, long a, long b, long c, in RequestRecord record)
    {
        if (kind is DecisionKind.Promoted)
            return $"Routed to {Name(record, 0)}: a rollout put it in the place of the declared model.";
        var bucket = (c < 0 ? -1 - c : c) / 100m;
        return string.Create(CultureInfo.InvariantCulture,
            $"Routed to {(a == 1 ? "challenger" : "champion")} {Name(record, 0)}: canary {b / 100m:0.##} %, ")
            + string.Create(CultureInfo.InvariantCulture, $"bucket {bucket:0.##}")
            + (c < 0 ? "; the challenger was to have a copy." : ".");
    }

    private static string Name(in RequestRecord record, long step) =>
        step < record.Steps.Count ? record.Steps[(int)step] : step.ToString(CultureInfo.InvariantCulture);

    private static string Ago(long ticks) => $"{DecisionText.Ms(ticks)} ago";

    private static string Why(long reason) => reason switch
    {
        1 => "the question alone is larger than cache.entryBytesMax",
        2 => "questions that are being asked take all of its memory",
        3 => "as many as may (cache.joinersMax) wait already for the same answer",
        _ => "its answer depends on more than its inputs",
    };
}
