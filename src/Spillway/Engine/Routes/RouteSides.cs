using System.Globalization;
using Spillway.Engine.Rollout;
using Spillway.Policies.Chains;
using Spillway.Policies.Rollout;

namespace Spillway.Engine.Routes;

/// <summary>
/// Rollouts at a route's first step: gives a request its side, tells how that ended, and sends copies to the
/// challenger. Thread-safe.
/// </summary>
/// <param name="serving">Where works come from.</param>
internal sealed class RouteSides(Serving serving)
{
    /// <summary>Copies at once over all routes; each holds the memory of its request.</summary>
    private const int CopiesMax = 4;

    /// <summary>What concerns the version that was asked, and not who asked it: what a chain moves on for.</summary>
    private static readonly ChainCauses s_own = ChainCauses.Usual;

    private ulong _requests;
    private int _copies;

    /// <summary>Before the cache is asked, because each side has answers of its own.</summary>
    public void Choose(Work work, RoutePlan plan)
    {
        if (plan.Pinned is { } pinned)
        {
            // Somebody asked for this side by its name: that is no part of the rollout's count.
            work.Trail!.Version = plan.VersionOf(pinned);
            return;
        }

        if (serving.Rollouts.Find(plan.Name) is not { } declared)
            return;
        var number = Interlocked.Increment(ref _requests);
        Span<char> text = stackalloc char[20];
        scoped var key = KeyOf(work);
        if (key.IsEmpty)
        {
            number.TryFormat(text, out var length, provider: CultureInfo.InvariantCulture);
            key = text[..length];
        }

        if (serving.Rollouts.Decide(declared, key, number) is not { } route)
            return;
        work.Trail!.Rollout = route;
        work.Trail.Version = plan.VersionOf(route.Version);
    }

    /// <summary>The first step's door for a request; null where none fits.</summary>
    public static Door? DoorOf(Work work, RoutePlan plan) =>
        work.Trail?.Version is { } version ? version.Door : plan.DoorOf(0);

    /// <summary>The first step's attempt ended.</summary>
    /// <param name="work">The request.</param>
    /// <param name="attempt">With its stages and its part of the run; null when there was no model to ask.</param>
    /// <param name="fault">How it failed; null when it did not.</param>
    public void Ended(Work work, Work? attempt, Fault? fault)
    {
        if (work.Trail!.Rollout is not { Decision.Percent: > 0 } route || (fault is not null && !s_own.Has(fault.Kind)))
            return;
        var isChallenger = route.Decision.Side is RolloutSide.Challenger;
        serving.Rollouts.Find(work.Door.Plan!.Name)!.Counts.Ended(isChallenger, fault is null);
        var latency = attempt is null ? default : LatencyOf(attempt);
        var cost = attempt is null ? default : Flow.RequestFlow.Price(attempt.Used, attempt.Share).Total;
        serving.Rollouts.Desk.Observe(route, fault is null, latency, cost);
    }

    /// <summary>
    /// Sends a copy to the challenger, when the request is one of those that are copied and the challenger has nothing
    /// else to do. The champion's answer is there and is not waited with; whoever takes it may change it, so the
    /// comparison has one of its own.
    /// </summary>
    public void Copy(Work work, RoutePlan plan, TimeSpan took)
    {
        if (work.Trail!.Rollout is not { CopyTo: { } challenger } route)
            return;
        var counts = serving.Rollouts.Find(plan.Name)!.Counts;
        var door = plan.VersionOf(challenger).Door;
        if (door is null || serving.Stopping || IsBusy(door) || !TryCount())
            counts.Dropped.Add();
        else
            _ = serving.WatchAsync(plan.Name, CopyAsync(work, door, route, counts, took));
    }

    private bool TryCount()
    {
        if (Interlocked.Increment(ref _copies) <= CopiesMax)
            return true;
        Interlocked.Decrement(ref _copies);
        return false;
    }

    /// <summary>It counts as in flight, so a stop waits for it; nobody is billed for it.</summary>
    private async Task CopyAsync(
        Work work, Door door, RolloutRoute route, Telemetry.RolloutInstruments counts, TimeSpan took)
    {
        var (attempt, expected) = (serving.Rent(serving.Clock.Now), new TensorSet());
        try
        {
            Keep(work.Outputs, expected);
            attempt.Begin(work, door);
            attempt.IsBeside = true;
            if (door.Signature is { } signature)
                work.Door.Plan!.Memory.AskForChecked(0, signature, attempt.Request.Outputs);
            attempt.Request.Timeout = serving.Clock.Now - work.Timeline.Started + work.Request.Timeout;
            await Task.Yield();
            var fault = door.Upstream is { } upstream
                ? await RouteRunner.AskAsync(serving, attempt, upstream, hasNext: true, CancellationToken.None)
                    .ConfigureAwait(false)
                : await serving.Pipeline.RunAsync(attempt, serving.Stopping, CancellationToken.None)
                    .ConfigureAwait(false);
            // One that found no room after all, or met a stop, says nothing of the answers.
            if (fault is not null && (!s_own.Has(fault.Kind) || ChainCauses.GroupOf(fault.Kind) is CauseGroup.Overload))
            {
                counts.Dropped.Add();
                return;
            }

            if (fault is null)
                counts.Compared(took, LatencyOf(attempt));
            serving.Rollouts.Desk.Observe(route, fault is null && Agreement.Of(expected, attempt.Outputs));
        }
        finally
        {
            expected.Reset();
            Interlocked.Decrement(ref _copies);
            RouteWaste.Settle(serving, attempt, answered: false);
            serving.Return(attempt);
        }
    }

    /// <summary>The time that is the version's own: what came before it was asked is not.</summary>
    public static TimeSpan LatencyOf(Work attempt) =>
        attempt.Timeline[Stage.Queue] + attempt.Timeline[Stage.Batch] + attempt.Timeline[Stage.Execute];

    /// <summary>A session that the caller names, else its key or tenant; nothing where callers are not told apart.
    /// </summary>
    private static ReadOnlySpan<char> KeyOf(Work work) =>
        work.Session.Length > 0 ? work.Session
        : work.Caller.Key.Length > 0 ? work.Caller.Key
        : ReferenceEquals(work.Caller, Caller.Local) ? "" : work.Caller.Tenant;

    private static bool IsBusy(Door door) => door.Upstream is { } upstream
        ? upstream.Waiting > 0
        : door.Deployment is not { } deployment || deployment.Look().PredictedWait > TimeSpan.Zero;

    private static void Keep(TensorSet from, TensorSet into)
    {
        foreach (ref readonly var tensor in from.Span)
        {
            var data = into.Rent(tensor.Data.Length);
            tensor.Data.CopyTo(data);
            ref var kept = ref into.Add();
            kept = tensor;
            kept.Data = data;
        }
    }
}
