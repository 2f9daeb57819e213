using Spillway.Protocols.Access;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Engine.Guards;
using Spillway.Flow.Guards;
using Spillway.Policies.Switching;

namespace Spillway.Protocols.Admin;

/// <summary>
/// /admin/v1/switches, switches/off, switches/on, limits and budgets: what is off, what is left, and the kill switch.
/// </summary>
internal sealed class GuardEndpoints(ServerContext server)
{
    private const int NameMax = 256;
    private const int WhyMax = 200;

    private readonly Guarding _guards = server.Serving.Guards;

    /// <summary>Whether a path of the protocol is one of these.</summary>
    public static bool Owns(string rest) =>
        rest is "switches" or "switches/off" or "switches/on" or "limits" or "budgets";

    /// <summary>The answer to a request, or why there is none.</summary>
    public Outcome<Action<Utf8JsonWriter>> Answer(HttpContext http, string rest)
    {
        var isFlip = rest.StartsWith("switches/", StringComparison.Ordinal);
        var fits = isFlip ? HttpMethods.IsPost(http.Request.Method) : HttpMethods.IsGet(http.Request.Method);
        if (!fits)
        {
            http.Response.Headers.Allow = isFlip ? "POST" : "GET";
            return new Fault(FaultKind.WrongMethod,
                $"Method Not Allowed: this path is {(isFlip ? "changed with POST" : "read with GET")}.");
        }

        return rest switch
        {
            "limits" => (Action<Utf8JsonWriter>)WriteLimits,
            "budgets" => (Action<Utf8JsonWriter>)WriteBudgets,
            "switches" => (Action<Utf8JsonWriter>)(json => WriteSwitches(json, flip: null)),
            _ => Flip(http.Request.Query, isOff: rest == "switches/off"),
        };
    }

    private Outcome<Action<Utf8JsonWriter>> Flip(IQueryCollection query, bool isOff)
    {
        if (!Target(query).TryGet(out var target, out var fault))
            return fault;
        var why = query.TryGetValue("why", out var given) ? given.ToString() : "";
        if (why.Length > WhyMax || why.Any(char.IsControl))
            return Fault.Invalid($"the reason (why) has at most {WhyMax} characters and no control characters");
        var aborts = query.TryGetValue("abort", out var abort) && abort == "true";
        server.Audit.Administration(
            Administrator.Present, isOff ? "switch.off" : "switch.on", target.ToString(), detail: why);
        var flip = isOff ? _guards.Switches.TurnOff(target, why, aborts) : _guards.Switches.TurnOn(target);
        return (Action<Utf8JsonWriter>)(json => WriteSwitches(json, flip));
    }

    /// <summary>A name that nothing is served under is refused: a switch that switches nothing is no help.</summary>
    private Outcome<SwitchTarget> Target(IQueryCollection query)
    {
        var targets = new List<SwitchTarget>(1);
        foreach (var (name, kind) in new[]
            { ("model", SwitchKind.Model), ("route", SwitchKind.Route), ("tenant", SwitchKind.Tenant) })
        {
            if (query.TryGetValue(name, out var value))
                targets.Add(new(kind, value.ToString()));
        }

        if (targets.Count == 0)
            return new SwitchTarget(SwitchKind.Everything, "");
        if (targets.Count > 1)
            return Fault.Invalid("Give one of model, route and tenant, or none of them for everything.");
        var target = targets[0];
        if (target.Name.Length is 0 or > NameMax)
            return Fault.Invalid($"A name has 1 to {NameMax} characters.");
        var isKnown = target.Kind switch
        {
            SwitchKind.Model or SwitchKind.Route => Known(target.Kind).Contains(target.Name),
            // Without a list of tenants callers bring any name.
            SwitchKind.Tenant => server.Snapshot.Tenants.Count == 0 || server.Snapshot.Tenants.ContainsKey(target.Name)
                || target.Name == Caller.Local.Tenant,
            SwitchKind.Everything => true,
        };
        return isKnown || _guards.Switches.Now.Off.Any(o => o.Target == target)
            ? target
            : new Fault(FaultKind.UnknownModel, $"There is no {target} to switch. Known: "
                + string.Join(", ", Known(target.Kind).Distinct().Take(20)) + ".");
    }

    private IEnumerable<string> Known(SwitchKind kind) => kind is SwitchKind.Tenant
        ? server.Snapshot.Tenants.Keys.Order(StringComparer.Ordinal)
        : server.Serving.Doors.Select(d => kind is SwitchKind.Model ? d.Route.Deployment : d.Route.Model.Name)
            .Concat(kind is SwitchKind.Model ? server.Serving.Gateway.Upstreams.Select(u => u.Name)
                .Concat(server.Serving.Upstreams.All.Select(u => u.Name))
                : server.Serving.ChatNames);

    private void WriteSwitches(Utf8JsonWriter json, SwitchFlip? flip)
    {
        json.WriteStartObject();
        json.WriteStartArray("off");
        foreach (var off in _guards.Switches.Now.Off)
        {
            json.WriteStartObject();
            json.WriteString("what", off.Target.Kind.ToString().ToLowerInvariant());
            json.WriteString("name", off.Target.Name);
            json.WriteString("since", off.Since.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                CultureInfo.InvariantCulture));
            json.WriteString("why", off.Why);
            json.WriteBoolean("by_file", off.ByFile);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (flip is { } flipped)
        {
            json.WriteBoolean("survives_restart", flipped.NotKept is null);
            if (flipped.NotKept is { } why)
                json.WriteString("why_not", why.Message);
            json.WriteNumber("ended_in_flight", flipped.Ended);
        }

        json.WriteEndObject();
    }

    private void WriteLimits(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteBoolean("fair_shares", _guards.FairShares);
        json.WriteStartArray("limits");
        foreach (var held in _guards.Desk?.States.Rates() ?? [])
        {
            json.WriteStartObject();
            json.WriteString("name", held.State.Name);
            json.WriteString("scope", held.State.Scope);
            json.WriteNumber("inside", held.State.State.Inside);
            json.WriteNumber("waiting", held.Line.Count);
            json.WriteNumber("refused", held.Counts.Refused.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteBudgets(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("budgets");
        foreach (var budget in _guards.Desk?.Budgets() ?? [])
            Write(json, budget);
        json.WriteEndArray();
        if (_guards.Desk is { } desk)
        {
            json.WriteNumber("tickets_borrowed", desk.Borrowed);
            json.WriteNumber("tickets_settled", desk.Settled);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, in BudgetView budget)
    {
        var options = budget.Account.State.Options;
        var left = options.LimitMoney - budget.State.Spent - budget.State.Reserved;
        json.WriteStartObject();
        json.WriteString("name", budget.Account.Name);
        json.WriteString("scope", budget.Account.Scope);
        json.WriteString("window", $"{options.Kind} {options.Window}".ToLowerInvariant());
        json.WriteString("limit", GuardRefusals.Text(options.LimitMoney));
        json.WriteString("spent", GuardRefusals.Text(budget.State.Spent));
        json.WriteString("reserved", GuardRefusals.Text(budget.State.Reserved));
        json.WriteString("left", GuardRefusals.Text(left));
        json.WriteString("drawn", GuardRefusals.Text(budget.State.Drawn));
        json.WriteString("slice", GuardRefusals.Text(options.SliceMoney));
        json.WriteString("lost", GuardRefusals.Text(budget.State.Lost));
        json.WriteString("ends", new DateTime(budget.State.Cell.End, DateTimeKind.Utc).ToString(
            "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        json.WriteString("trouble", budget.Trouble ?? "");
        json.WriteEndObject();
    }
}
