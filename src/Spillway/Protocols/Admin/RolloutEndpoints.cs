using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Engine.Rollout;
using Spillway.Flow;
using Spillway.Policies.Rollout;
using Spillway.Protocols.Access;

namespace Spillway.Protocols.Admin;

/// <summary>
/// /admin/v1/rollouts: what is under way with its evidence, and start, promote, abort and rollback. Every change is
/// written down with who made it and why.
/// </summary>
internal sealed class RolloutEndpoints(ServerContext server)
{
    /// <summary>Every path, for whoever asked for another one.</summary>
    public const string PathsInWords = "rollouts, rollouts/<route>, rollouts/<route>/start, rollouts/<route>/promote, "
        + "rollouts/<route>/abort, rollouts/<route>/rollback";

    private const string Root = "rollouts";
    private const int NameMax = 256;
    private const int WhyMax = 200;

    private readonly Rollouts _rollouts = server.Serving.Rollouts;

    /// <summary>Whether a path of the protocol is one of these.</summary>
    public static bool Owns(string rest) => rest.Split('/') is [Root] or [Root, _]
        or [Root, _, "start" or "promote" or "abort" or "rollback"];

    /// <summary>The answer to a request, or why there is none.</summary>
    public Outcome<Action<Utf8JsonWriter>> Answer(HttpContext http, string rest)
    {
        var parts = rest.Split('/');
        var isChange = parts.Length == 3;
        var fits = isChange ? HttpMethods.IsPost(http.Request.Method) : HttpMethods.IsGet(http.Request.Method);
        if (!fits)
        {
            http.Response.Headers.Allow = isChange ? "POST" : "GET";
            return new Fault(FaultKind.WrongMethod,
                $"Method Not Allowed: this path is {(isChange ? "changed with POST" : "read with GET")}.");
        }

        if (parts.Length == 1)
            return (Action<Utf8JsonWriter>)WriteAll;
        if (!Find(Uri.UnescapeDataString(parts[1])).TryGet(out var declared, out var fault))
            return fault;
        if (!isChange)
            return (Action<Utf8JsonWriter>)(json => RolloutJson.Write(json, declared, _rollouts.Desk));
        return Change(http.Request.Query, parts[2], declared).TryGet(out var done, out fault)
            ? (Action<Utf8JsonWriter>)(json => RolloutJson.Write(json, declared, _rollouts.Desk, done)) : fault;
    }

    private Outcome<RolloutDone> Change(IQueryCollection query, string verb, DeclaredRollout declared)
    {
        var why = query.TryGetValue("why", out var given) ? given.ToString() : "";
        if (why.Length > WhyMax || why.Any(char.IsControl))
            return Fault.Invalid($"the reason (why) has at most {WhyMax} characters and no control characters");
        if (server.Audit.Refusal is { } unrecorded)
            return unrecorded;
        var caller = Administrator.Present;
        var who = caller.Key.Length > 0 ? caller.Key : caller.Tenant;
        var desk = _rollouts.Desk;
        var outcome = verb switch
        {
            "start" => Start(declared, query, who, why),
            "promote" => IsThere(declared, desk.Find(declared.Route)?.State.Challenger) is { } absent
                ? absent : desk.Promote(declared.Route, who, why),
            "abort" => desk.Abort(declared.Route, who, why),
            _ => Rollback(declared, who, why),
        };
        var detail = outcome.TryGet(out var done, out var fault)
            ? $"champion {done.Change.State.Champion}, challenger {done.Change.State.Challenger}"
                + (why.Length > 0 ? $": {why}" : "")
            : why;
        server.Audit.Administration(caller, $"rollout.{verb}", declared.Route, fault?.Kind, detail);
        return outcome;
    }

    /// <summary>Back to a model that is away nobody would be answered; one that runs is aborted, whatever is
    /// there.</summary>
    private Outcome<RolloutDone> Rollback(DeclaredRollout declared, string who, string why)
    {
        var desk = _rollouts.Desk;
        return desk.Find(declared.Route)?.State is { Phase: RolloutPhase.Promoted } state
            && IsThere(declared, state.Challenger) is { } gone
                ? gone with { Message = $"Nothing was changed: {gone.Message}" }
                : desk.Rollback(declared.Route, who, why);
    }

    private Outcome<RolloutDone> Start(DeclaredRollout declared, IQueryCollection query, string who, string why)
    {
        var challenger = query.TryGetValue("challenger", out var named) && named.ToString() is { Length: > 0 } one
            ? one : declared.Options.Challenger;
        if (challenger.Length is 0 or > NameMax)
        {
            return Fault.Invalid($"Say what is to take over: the query's challenger (--challenger), or "
                + $"routes.{declared.Route}.rollout.challenger, of 1 to {NameMax} characters.");
        }

        return IsThere(declared, challenger) is { } absent
            ? absent : _rollouts.Desk.Start(declared.Route, declared.Model, challenger, who, why);
    }

    /// <summary>Why a model cannot answer for a route now; null when it can, and when there is none.</summary>
    private Fault? IsThere(DeclaredRollout declared, string? model)
    {
        if (model is null)
            return null;
        if (server.Serving.Find(declared.Route)?.Plan is not { } plan)
        {
            return new(FaultKind.ModelNotReady, $"The route {declared.Route} has no model yet. Ask again when "
                + "one of its steps is loaded.");
        }

        var door = plan.VersionOf(model).Door;
        if (door is { Route.State: RouteState.Ready or RouteState.Absent })
            return null;
        return door is null
            ? Fault.Invalid($"{model} cannot take the place of {declared.Model} in {declared.Route}: no model or "
                + "upstream of that name takes and gives what the route does. See `spillway models`.")
            : new(FaultKind.ModelNotReady, $"{model} does not answer now ({door.Route.State}"
                + $"{(door.Route.Why.Length > 0 ? ": " + door.Route.Why : "")}). Ask again when it is ready.");
    }

    private Outcome<DeclaredRollout> Find(string route)
    {
        if (_rollouts.Find(route) is { } declared)
            return declared;
        var known = string.Join(", ", _rollouts.All.Select(d => d.Route).Take(20));
        return new Fault(FaultKind.UnknownModel, "No route of that name declares a rollout. "
            + (known.Length > 0 ? $"Those that do: {known}." : "Give one a section: routes.<name>.rollout."));
    }

    private void WriteAll(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("rollouts");
        foreach (var declared in _rollouts.All)
            RolloutJson.Write(json, declared, _rollouts.Desk);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
