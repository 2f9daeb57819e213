using Spillway.Flow;

namespace Spillway.Planner.Routes;

/// <summary>A step that a deployment of this server answers: a <see cref="World"/> of the route's calendar.</summary>
internal sealed class DeploymentStep : IStepWorld
{
    private readonly World _world;
    private readonly DeploymentFlow _flow;
    private readonly Calendar _calendar;
    private readonly Dictionary<string, Action<Fault?>> _asked = new(StringComparer.Ordinal);
    private int _number;
    private int _killed = -1;

    /// <summary>An idle one.</summary>
    /// <param name="flow">A fresh flow; the production object.</param>
    /// <param name="route">The model's served name; ready.</param>
    /// <param name="times">How long each run takes.</param>
    /// <param name="calendar">The route's.</param>
    public DeploymentStep(DeploymentFlow flow, Route route, IRunTimes times, Calendar calendar)
    {
        (_flow, _calendar) = (flow, calendar);
        _world = new(flow, route, new Times(this, times), calendar: calendar) { Ended = Tell, RunFault = FaultOf };
    }

    /// <summary>Whether every run of one replica fails: of the first that runs from then on.</summary>
    public bool HasKilledReplica { get; private set; }

    /// <summary>Requests that were sent to it.</summary>
    public long Calls => _number;

    /// <summary>A replica dies.</summary>
    public void KillReplica() => (HasKilledReplica, _killed) = (true, -1);

    /// <summary>It is there again.</summary>
    public void ReviveReplica() => HasKilledReplica = false;

    /// <inheritdoc/>
    public TimeSpan PredictWait(Instant now) => _flow.PredictWait(now);

    /// <inheritdoc/>
    public void Ask(in StepCall call, Action<Fault?> ended) => Ask(call, call.Elements, ended);

    /// <summary>
    /// Another served name over the same deployment, whose requests bring a part of the elements: half the width, half
    /// the time. They wait in the same queue and do not run together with the others.
    /// </summary>
    public IStepWorld Smaller(double part) => new Door(this, part);

    private void Ask(in StepCall call, long elements, Action<Fault?> ended)
    {
        // A route may ask twice for one request: for its answer, and beside it for the cache.
        var id = FormattableString.Invariant($"{call.Id}#{_number++}");
        _asked.Add(id, ended);
        _world.Arrive(id, _calendar.Now, new()
        {
            Started = call.Started, Timeout = call.Deadline - call.Started, Rows = call.Rows, Elements = elements,
            Form = new([elements / call.Rows]),
        });
    }

    private Fault? FaultOf(int runner) => HasKilledReplica && runner == _killed
        ? new(FaultKind.RuntimeFailed, $"Every run of replica {runner} fails.") : null;

    private bool Kills(int runner)
    {
        if (HasKilledReplica && _killed < 0)
            _killed = runner;
        return HasKilledReplica && runner == _killed;
    }

    /// <summary>Told in the middle of a step of the world: what follows comes after it, at the same instant.</summary>
    private void Tell(WorldAnswer answer)
    {
        if (_asked.Remove(answer.Id, out var ended))
            _calendar.Schedule(_calendar.Now, () => ended(answer.Fault));
    }

    /// <summary>A killed replica fails at once, as the live one does.</summary>
    private sealed class Times(DeploymentStep step, IRunTimes whole) : IRunTimes
    {
        private static readonly TimeSpan s_failing = TimeSpan.FromMilliseconds(0.05);

        public TimeSpan Next(int runner, int rows, long elements) =>
            step.Kills(runner) ? s_failing : whole.Next(runner, rows, elements);
    }

    private sealed class Door(DeploymentStep whole, double part) : IStepWorld
    {
        public TimeSpan PredictWait(Instant now) => whole.PredictWait(now);

        public void Ask(in StepCall call, Action<Fault?> ended) =>
            whole.Ask(call, Math.Max(call.Rows, (long)(call.Elements * part)), ended);
    }
}
