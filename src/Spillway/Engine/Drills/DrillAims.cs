using Spillway.Engine.Routes;
using Spillway.Engine.Upstreams;
using Spillway.Policies.Chains;
using Spillway.Policies.Drills;

namespace Spillway.Engine.Drills;

/// <summary>Finds what a drill is to break, or says what is missing for it. Keeps no state; thread-safe.</summary>
/// <param name="serving">What is there.</param>
/// <param name="disks">What is written to the disk while requests are served, in words.</param>
internal sealed class DrillAims(Serving serving, IReadOnlyList<string> disks)
{
    private static readonly TimeSpan s_delayMax = TimeSpan.FromMinutes(1);

    /// <summary>The order, with every name resolved; a fault says what is needed.</summary>
    public Outcome<DrillOrder> Find(DrillAsk ask)
    {
        if (ask.Served.Length > 0)
            return Find(ask, ask.Served);
        Outcome<DrillOrder>? first = null;
        foreach (var name in Names())
        {
            var found = Find(ask, name);
            if (found.Fault is null)
                return found;
            first ??= found;
        }

        return first ?? new Fault(FaultKind.ModelNotReady, "Nothing is served yet: wait until a model is loaded.");
    }

    private IEnumerable<string> Names() => serving.Models.Routes.All.Select(r => r.Name)
        .Concat(serving.Doors.Where(d => d.Plan is null).Select(d => d.Route.Model.Name)).Distinct();

    private Outcome<DrillOrder> Find(DrillAsk ask, string name)
    {
        if (serving.Find(name) is not { } door)
        {
            return new Fault(FaultKind.UnknownModel, $"Nothing is served as '{name}'. What is: "
                + $"{string.Join(", ", Names().Take(20))}.");
        }

        if (serving.Rollouts.Desk.Find(name) is { State.IsOpen: true } rollout)
        {
            return Fault.Invalid($"A rollout of {rollout.State.Challenger} is under way on {name}, and a drill would "
                + "spoil what it has seen. Promote or abort it first.");
        }

        var route = door.Plan?.Memory;
        return ask.Kind switch
        {
            DrillKind.Steps => Steps(ask, name, route),
            DrillKind.TargetDead or DrillKind.TargetSlow or DrillKind.TargetThrottled => Target(ask, name, route),
            DrillKind.Replica => Replica(ask, name, door),
            DrillKind.Spike => new DrillOrder(ask.Kind, name),
            DrillKind.Cache => route?.Cache is not null ? new DrillOrder(ask.Kind, name)
                : Fault.Invalid($"{name} remembers no answers. Needed: a route with cache: {{ enabled: true }}."),
            DrillKind.Disk => disks.Count > 0 ? new DrillOrder(ask.Kind, name)
                : Fault.Invalid("This server writes nothing while it serves. Needed: prices with a ledger, or audit."),
        };
    }

    private static Outcome<DrillOrder> Steps(DrillAsk ask, string name, RouteMemory? route)
    {
        if (route is null)
            return Fault.Invalid($"{name} is a model and no route. Needed: a route with two steps or more.");
        if (route.Count < 2)
        {
            return Fault.Invalid($"The route {name} has one step: without it nothing is left to answer. Needed: a "
                + "second one, as a smaller model or a message.");
        }

        return ask.Steps < 1 || ask.Steps >= route.Count
            ? Fault.Invalid($"{ask.Steps} steps of {name} cannot fail: it has {route.Count}, and one must be left. "
                + $"Give 1 to {route.Count - 1}.")
            : new DrillOrder(ask.Kind, name)
            {
                Steps = (1UL << ask.Steps) - 1, StepNames = [.. route.Names.Take(ask.Steps)],
                StepsMax = route.Count - 1,
            };
    }

    private Outcome<DrillOrder> Target(DrillAsk ask, string name, RouteMemory? route)
    {
        var upstreams = route is null ? [] : Enumerable.Range(0, route.Count)
            .Where(step => route[step].Kind is ChainStepKind.Model)
            .Select(step => serving.Upstreams.Find(route[step].Model)).OfType<UpstreamGroup>().ToList();
        if (upstreams.Count == 0)
            return Fault.Invalid($"No step of {name} is an upstream. Needed: a route with a step over upstreams.");
        if (!IsWait(ask.Delay) || !IsWait(ask.RetryAfter))
            return Fault.Invalid($"A delay is 0 to {s_delayMax.TotalMilliseconds:0} ms.");
        if (Pick(upstreams, ask.Target) is var (upstream, target))
        {
            return new DrillOrder(ask.Kind, name)
            {
                Upstream = upstream, Target = target, Delay = ask.Delay, RetryAfter = ask.RetryAfter,
            };
        }

        var all = upstreams.SelectMany(u => u.Look().Select(t => $"{u.Name}/{t.Name}"));
        return Fault.Invalid(
            $"{name} has no target '{ask.Target}'. Its targets: {string.Join(", ", all)}; or all.");
    }

    private static bool IsWait(TimeSpan time) => time >= TimeSpan.Zero && time <= s_delayMax;

    /// <summary>The upstream, and its target or nothing for all of them; null for a name that is none.</summary>
    private static (string Upstream, string Target)? Pick(List<UpstreamGroup> upstreams, string named)
    {
        var slash = named.IndexOf('/', StringComparison.Ordinal);
        var upstream = slash < 0 ? upstreams[0] : upstreams.Find(u => u.Name == named[..slash]);
        if (upstream is null)
            return null;
        var (target, known) = (named[(slash + 1)..], upstream.Look());
        if (target is "all")
            return (upstream.Name, "");
        return target.Length == 0 ? (upstream.Name, known[0].Name)
            : known.Any(t => t.Name == target) ? (upstream.Name, target) : null;
    }

    private static Outcome<DrillOrder> Replica(DrillAsk ask, string name, Door door)
    {
        var deployment = door.Plan is not { } plan ? door.Deployment
            : Enumerable.Range(0, plan.Count).Select(step => plan.DoorOf(step)?.Deployment).OfType<Deployment>()
                .FirstOrDefault();
        return deployment is null
            ? Fault.Invalid($"No replica of {name} runs here. Needed: a loaded model on this server behind it.")
            : new DrillOrder(ask.Kind, name) { Deployment = deployment.Name };
    }
}
