using System.Runtime.CompilerServices;
using Spillway.Flow;

namespace Spillway.Engine;

/// <summary>
/// The live interpreter of <see cref="RequestFlow"/>: the numbered steps of a request, with the awaits between them.
/// It decides nothing.
/// </summary>
/// <param name="clock">The clock of every stamp.</param>
public sealed class Pipeline(Clock clock)
{
    private static readonly Fault s_broken = new(FaultKind.Internal, "An internal error; the server's log has the details.");
    private static readonly Fault s_left = new(FaultKind.Cancelled, "The caller went away before the answer was there.");

    /// <summary>
    /// Runs a translated request to its end. Null when <see cref="Work.Answer"/> holds the answer; else the fault.
    /// The timeline's receive and parse stages are the caller's; on return everything up to the answer is marked.
    /// </summary>
    /// <param name="work">With its door and its inputs.</param>
    /// <param name="stopping">Whether the server takes no new work.</param>
    /// <param name="aborted">The caller is gone.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Fault?> RunAsync(Work work, bool stopping, CancellationToken aborted)
    {
        var effect = Admit(work, stopping);
        work.Timeline.Mark(Stage.Gate, clock.EndOf(Stage.Gate));
        work.Timeline.Mark(Stage.Cache, work.Timeline.Last);
        if (effect.What is Do.Refuse)
            return effect.Fault;

        // From here on the deployment holds the work, and a run may outlive the caller.
        var deployment = work.Door.Deployment!;
        var broken = Decode(work);
        if (work.Door.Decodes)
        {
            var admitted = work.Timeline.Last;
            work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
            work.DecodeTime = work.Timeline.Last - admitted;
        }

        if (broken is null)
            deployment.Ready(work);
        else
            deployment.Cancel(work, broken);

        var answer = work.Answer.WaitAsync();
        if (answer.IsCompleted)
            return RequestFlow.Ended(await answer ? null : work.Answer.Fault).Fault;
        // Only who must wait can leave. The registration ends before the work does, so it never meets another request.
        var leaving = aborted.UnsafeRegister(Leave, work);
        var answered = await answer.ConfigureAwait(false);
        await leaving.DisposeAsync().ConfigureAwait(false);
        return RequestFlow.Ended(answered ? null : work.Answer.Fault).Fault;
    }

    private static Effect Admit(Work work, bool stopping)
    {
        var effect = work.Flow.Begin(work.Door.Route, stopping);
        if (effect.What is Do.Refuse)
            return effect;
        if (!work.Door.Measure(work).TryGet(out var claim, out var fault))
            return new(Do.Refuse, fault);
        work.Claim = claim;
        return work.Flow.Placed(work.Door.Deployment!.Place(work));
    }

    /// <summary>A surprise in it must not keep the room that was given.</summary>
    private static Fault? Decode(Work work)
    {
        try
        {
            return work.Door.Decode(work);
        }
#pragma warning disable CA1031 // Told to the log by the front, after the room is given back.
        catch (Exception)
#pragma warning restore CA1031
        {
            work.Door.Deployment!.Cancel(work, s_broken);
            throw;
        }
    }

    private static void Leave(object? work)
    {
        var left = (Work)work!;
        left.Door.Deployment!.Cancel(left, s_left);
    }
}
