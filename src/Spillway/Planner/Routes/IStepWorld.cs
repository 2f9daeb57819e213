namespace Spillway.Planner.Routes;

/// <summary>What a step of a simulated route is asked.</summary>
/// <param name="Id">The request's name.</param>
/// <param name="Started">The request's first instant.</param>
/// <param name="Deadline">When this step must have answered.</param>
/// <param name="Rows">Rows that it brings, at least 1.</param>
/// <param name="Elements">Input elements of all rows.</param>
/// <param name="Criticality">How much it matters.</param>
/// <param name="HasNext">Whether another step answers when nobody may be asked here.</param>
/// <param name="IsBeside">Nobody waits for it: it is asked for those that come later.</param>
internal readonly record struct StepCall(
    string Id, Instant Started, Instant Deadline, int Rows, long Elements, Criticality Criticality,
    bool HasNext = false, bool IsBeside = false);

/// <summary>
/// What answers a step of a simulated route: a deployment here, or an upstream. Lives on its route's calendar.
/// </summary>
internal interface IStepWorld
{
    /// <summary>The predicted wait of a newcomer; zero where nothing waits.</summary>
    TimeSpan PredictWait(Instant now);

    /// <summary>
    /// Asks. The end is told exactly once and never before this returns: null for an answer, else why there is none.
    /// </summary>
    void Ask(in StepCall call, Action<Fault?> ended);
}
