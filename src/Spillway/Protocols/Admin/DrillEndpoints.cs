using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Engine.Drills;
using Spillway.Policies.Drills;
using Spillway.Protocols.Access;
using Spillway.Store.Drills;

namespace Spillway.Protocols.Admin;

/// <summary>
/// /admin/v1/drills: which drills there are and what each would break, the one that runs, and what earlier ones
/// showed; start, renew, stop, and keep what one showed. Who begins and ends one stands in the audit log.
/// </summary>
internal sealed class DrillEndpoints(ServerContext server)
{
    /// <summary>Every path, for whoever asked for another one.</summary>
    public const string PathsInWords =
        "drills, drills/<id>, drills/start, drills/renew, drills/stop, drills/keep";

    private const string Root = "drills";
    private const double TtlMs = 3000;
    private const int WordMax = 40;
    private const int NameMax = 256;

    private readonly DrillDesk _desk = server.Drills
        ?? new DrillDesk(server.Serving, allowed: false, [], NullLogger.Instance);

    /// <summary>Whether a path of the protocol is one of these.</summary>
    public static bool Owns(string rest) => rest.Split('/') is [Root] or [Root, _];

    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext http, string rest)
    {
        var verb = rest.Length > Root.Length ? Uri.UnescapeDataString(rest[(Root.Length + 1)..]) : "";
        var isChange = verb is "start" or "renew" or "stop" or "keep";
        Outcome<Action<Utf8JsonWriter>> outcome;
        if (isChange ? !HttpMethods.IsPost(http.Request.Method) : !HttpMethods.IsGet(http.Request.Method))
        {
            http.Response.Headers.Allow = isChange ? "POST" : "GET";
            outcome = new Fault(FaultKind.WrongMethod,
                $"Method Not Allowed: this path is {(isChange ? "changed with POST" : "read with GET")}.");
        }
        else
        {
            outcome = verb switch
            {
                "" => (Action<Utf8JsonWriter>)(json => DrillJson.Write(json, _desk, server.Snapshot.StateFolder)),
                "start" => Start(http.Request.Query),
                "renew" => Renew(http.Request.Query),
                "stop" => Stop(http.Request.Query),
                "keep" => await KeepAsync(http).ConfigureAwait(false),
                _ => Kept(verb),
            };
        }

        if (outcome.TryGet(out var answer, out var fault))
            await AdminEndpoints.AnswerAsync(http, answer).ConfigureAwait(false);
        else
            await ErrorAnswer.WriteAsync(http, fault).ConfigureAwait(false);
    }

    private static string Who => Administrator.Present is { Key.Length: > 0 } caller
        ? caller.Key : Administrator.Present.Tenant;

    private Outcome<Action<Utf8JsonWriter>> Start(IQueryCollection query)
    {
        if (!Ask(query).TryGet(out var asked, out var fault))
            return fault;
        // Written down first: what is not may not be broken.
        if (server.Audit.Refusal is { } unrecorded)
            return unrecorded;
        var (ask, ttl) = asked;
        var begun = _desk.Begin(ask, Who, ttl);
        server.Audit.Administration(
            Administrator.Present, "drill.start", ask.Served, begun.Fault?.Kind,
            begun.TryGet(out var run, out _) ? $"{run.Id}: {run.Order.Text}" : DrillWords.Of(ask.Kind));
        return begun.TryGet(out run, out fault)
            ? (Action<Utf8JsonWriter>)(json => DrillJson.Write(json, run, _desk)) : fault;
    }

    private Outcome<Action<Utf8JsonWriter>> Renew(IQueryCollection query) =>
        _desk.Renew(query["id"].ToString()).TryGet(out var run, out var fault)
            ? (Action<Utf8JsonWriter>)(json => DrillJson.Write(json, run, _desk)) : fault;

    /// <summary>Putting back is always possible, also when it cannot be written down.</summary>
    private Outcome<Action<Utf8JsonWriter>> Stop(IQueryCollection query)
    {
        var id = query["id"].ToString();
        var run = _desk.Stop(id.Length > 0 ? id : null, $"stopped by {Who}");
        if (run is not null)
            server.Audit.Administration(Administrator.Present, "drill.stop", run.Order.Served, null, run.Id);
        return (Action<Utf8JsonWriter>)(json =>
        {
            json.WriteStartObject();
            json.WriteString("stopped", run?.Id);
            json.WriteEndObject();
        });
    }

    private async ValueTask<Outcome<Action<Utf8JsonWriter>>> KeepAsync(HttpContext http)
    {
        var id = http.Request.Query["id"].ToString();
        if (_desk.Refusal is { } refused)
            return refused;
        if (!DrillFiles.IsId(id))
            return Fault.Invalid("The query's id is the identifier of a drill: small letters, digits and '-'.");
        var read = await SmallBody.ReadAsync(http, DrillFiles.BytesMax).ConfigureAwait(false);
        if (!read.TryGet(out var body, out var fault))
            return fault;
        if (!DrillJson.IsEvidence(body))
            return Fault.Invalid("The body is what a drill showed: a JSON object.");
        if (!server.TakeState().TryGet(out var folder, out fault))
            return fault;
        if (DrillFiles.Write(folder.Path, id, body) is { } failed)
            return failed;
        return (Action<Utf8JsonWriter>)(json =>
        {
            json.WriteStartObject();
            json.WriteString("kept", id);
            json.WriteEndObject();
        });
    }

    private Outcome<Action<Utf8JsonWriter>> Kept(string id)
    {
        if (!DrillFiles.IsId(id))
        {
            return new Fault(FaultKind.UnknownRequest,
                "That is no identifier of a drill. See which are kept: spillway drill list.");
        }

        return DrillFiles.Read(server.Snapshot.StateFolder, id).TryGet(out var kept, out var fault)
            ? (Action<Utf8JsonWriter>)(json => json.WriteRawValue(kept)) : fault;
    }

    private static Outcome<(DrillAsk Ask, TimeSpan Ttl)> Ask(IQueryCollection query)
    {
        var word = query["drill"].ToString();
        if (DrillWords.Parse(word) is not { } kind)
        {
            var shown = Config.ErrorList.Clean(word[..Math.Min(word.Length, WordMax)]);
            return Fault.Invalid($"There is no drill '{shown}'. There are: {string.Join(", ", DrillWords.All)}.");
        }

        var served = query["served"].ToString();
        var ask = new DrillAsk(kind, served) { Target = query["target"].ToString() };
        if (served.Length > NameMax || ask.Target.Length > NameMax)
            return Fault.Invalid($"A name has at most {NameMax} characters.");
        if (Number(query, "steps", 1) is not { } steps || Number(query, "delay_ms", 300) is not { } delay
            || Number(query, "retry_after_ms", 1000) is not { } after || Number(query, "ttl_ms", TtlMs) is not { } ttl)
            return Fault.Invalid("steps, delay_ms, retry_after_ms and ttl_ms are numbers from 0 to 3600000.");
        ask = ask with
        {
            Steps = (int)steps, Delay = TimeSpan.FromMilliseconds(delay), RetryAfter = TimeSpan.FromMilliseconds(after),
        };
        return (ask, TimeSpan.FromMilliseconds(ttl));
    }

    private static double? Number(IQueryCollection query, string name, double otherwise) =>
        query[name].ToString() is not { Length: > 0 } text ? otherwise
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number is >= 0 and <= 3_600_000 ? number : null;
}
