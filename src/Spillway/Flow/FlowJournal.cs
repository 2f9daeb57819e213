using Spillway.Telemetry;

namespace Spillway.Flow;

/// <summary>What an interpreter did, in one word.</summary>
public enum FlowEventKind
{
    /// <summary>A request got room.</summary>
    Placed,

    /// <summary>A request got none; the reason is a <see cref="FaultKind"/>.</summary>
    Refused,

    /// <summary>A request became ready; the reason is a <see cref="Launch"/>.</summary>
    Ready,

    /// <summary>A request went into a run.</summary>
    Took,

    /// <summary>
    /// A run began; the number is its requests, the reason a <see cref="CutReason"/> and the length it is padded to.
    /// </summary>
    Batch,

    /// <summary>A runner found nothing to do.</summary>
    Rests,

    /// <summary>A runner waits for its turn on the device.</summary>
    Waits,

    /// <summary>A waiting runner has its turn.</summary>
    Granted,

    /// <summary>A request was given up; the reason is a <see cref="FaultKind"/>.</summary>
    Dropped,

    /// <summary>A request's caller left.</summary>
    Cancelled,

    /// <summary>A run was asked to stop: nobody waits for it.</summary>
    Stopped,

    /// <summary>A run ended.</summary>
    Finished,

    /// <summary>The timer was set; the number is the instant's ticks.</summary>
    Armed,

    /// <summary>The timer fired.</summary>
    Woke,
}

/// <summary>One decision that an interpreter carried out.</summary>
/// <param name="Kind">What.</param>
/// <param name="At">When.</param>
/// <param name="Request">Which request; empty where it concerns none.</param>
/// <param name="Runner">Which runner; -1 where it concerns none.</param>
/// <param name="Number">A count or an instant, by kind.</param>
/// <param name="Reason">Why, by kind.</param>
public readonly record struct FlowEvent(
    FlowEventKind Kind, Instant At, string Request, int Runner, long Number, string Reason);

/// <summary>
/// Every decision of a flow in order, as an interpreter carried it out: for tests that hold the live interpreter
/// against the one on virtual time, and for drills. Off the product's path: an interpreter without one records nothing.
/// </summary>
/// <param name="eventsMax">Events kept; later ones are only counted.</param>
public sealed class FlowJournal(int eventsMax = 1_000_000)
{
    private readonly List<FlowEvent> _events = [];
    private readonly Lock _lock = new();

    /// <summary>Called after each event is kept, by the thread that caused it, inside the interpreter's lock.</summary>
    public Action<FlowEvent>? Saw { get; set; }

    /// <summary>A copy of what was kept.</summary>
    public IReadOnlyList<FlowEvent> Events
    {
        get
        {
            lock (_lock)
                return [.. _events];
        }
    }

    /// <summary>A request asked for room.</summary>
    public void Placed(Instant now, string request, in Placement placement) => Add(placement.Refused is { } why
        ? new(FlowEventKind.Refused, now, request, -1, 0, why.ToString())
        : new(FlowEventKind.Placed, now, request, -1, placement.Deadline.Ticks, placement.DeadlineSource.ToString()));

    /// <summary>A request became ready.</summary>
    public void Ready(Instant now, string request, Step step) =>
        Add(new(FlowEventKind.Ready, now, request, step.Runner, 0, step.How.ToString()));

    /// <summary>A request went into a run.</summary>
    public void Took(Instant now, string request, int runner) => Add(new(FlowEventKind.Took, now, request, runner, 0, ""));

    /// <summary>A runner asked for a batch and got it, or rests.</summary>
    public void Batch(Instant now, int runner, in Taken taken) => Add(taken.Count == 0
        ? new(taken.Waits ? FlowEventKind.Waits : FlowEventKind.Rests, now, "", runner, 0, "")
        : new(FlowEventKind.Batch, now, "", runner, taken.Count, Reason(taken)));

    /// <summary>A waiting runner has its turn on the device.</summary>
    public void Granted(Instant now, int runner) => Add(new(FlowEventKind.Granted, now, "", runner, 0, ""));

    /// <summary>A request was given up.</summary>
    public void Dropped(Instant now, string request, in Drop drop)
    {
        Add(new(FlowEventKind.Dropped, now, request, -1, 0, drop.Reason.ToString()));
        if (drop.StopRunner >= 0)
            Add(new(FlowEventKind.Stopped, now, "", drop.StopRunner, 0, ""));
    }

    /// <summary>A caller left.</summary>
    public void Cancelled(Instant now, string request, int stopRunner)
    {
        Add(new(FlowEventKind.Cancelled, now, request, -1, 0, ""));
        if (stopRunner >= 0)
            Add(new(FlowEventKind.Stopped, now, "", stopRunner, 0, ""));
    }

    /// <summary>A run ended.</summary>
    public void Finished(Instant now, int runner, bool completed) =>
        Add(new(FlowEventKind.Finished, now, "", runner, completed ? 1 : 0, ""));

    /// <summary>A runner that ran on an arriving thread goes on, or rests.</summary>
    public void Released(Instant now, int runner, Step next)
    {
        if (next.How is Launch.Queue)
            Add(new(FlowEventKind.Rests, now, "", runner, 0, ""));
    }

    /// <summary>The timer was set.</summary>
    public void Armed(Instant now, Instant due) => Add(new(FlowEventKind.Armed, now, "", -1, due.Ticks, ""));

    /// <summary>The timer fired.</summary>
    public void Woke(Instant now, Step start) => Add(new(FlowEventKind.Woke, now, "", start.Runner, 0, start.How.ToString()));

    /// <summary>"Full", and with padding "Full, length 320".</summary>
    private static string Reason(in Taken taken) =>
        taken.Length == 0 ? taken.Why.ToString() : FormattableString.Invariant($"{taken.Why}, length {taken.Length}");

    private void Add(FlowEvent seen)
    {
        lock (_lock)
        {
            if (_events.Count < eventsMax)
                _events.Add(seen);
        }

        Saw?.Invoke(seen);
    }
}
