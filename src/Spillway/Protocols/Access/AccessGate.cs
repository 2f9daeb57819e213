using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Spillway.Engine.Access;
using Spillway.Policies.Identity;
using Spillway.Protocols.Grpc;

namespace Spillway.Protocols.Access;

/// <summary>
/// Step 2 of a request where callers show who they are: a key or a token in <c>Authorization: Bearer</c> or
/// <c>x-api-key</c>, or the certificate of the connection. Which web pages may call is decided here too. What was
/// presented is never part of a message, a log or an answer. Thread-safe.
/// </summary>
internal sealed class AccessGate(AccessOptions options, KeyRing keys, AccessCounts counts)
{
    private const string Scheme = "Bearer ";
    private const string KeyHeader = "x-api-key";

    /// <summary>What clients of Azure OpenAI send.</summary>
    private const string AzureKeyHeader = "api-key";

    /// <summary>Nobody: who asks for something open.</summary>
    private static readonly Caller s_nobody = new() { Tenant = "", Roles = Roles.None };

    private static readonly Fault s_missing = new(
        FaultKind.Unauthenticated,
        "This server answers to keys: send the header Authorization: Bearer <key>, or x-api-key: <key>. Its operator "
        + "makes them with `spillway keys create`.");

    private static readonly Fault s_several = new(
        FaultKind.Unauthenticated,
        "The request shows several keys: send one, in Authorization: Bearer or in x-api-key.");

    private static readonly Fault s_scheme = new(
        FaultKind.Unauthenticated, "The header Authorization is not of the form Bearer <key>.");

    private static readonly Fault s_noTokens = new(
        FaultKind.Unauthenticated,
        "What the request shows is no key: a key begins with sw_. Tokens are not taken by this server.");

    private readonly HashSet<string> _origins = [.. options.Origins];

    /// <summary>Tokens of an identity provider; null when none are taken.</summary>
    public TokenRing? Tokens { get; init; }

    /// <summary>Holders of client certificates; null when none are asked for.</summary>
    public ClientRing? Clients { get; init; }

    /// <summary>The keys.</summary>
    public KeyRing Keys => keys;

    /// <summary>What is counted.</summary>
    public AccessCounts Counts => counts;

    /// <summary>Whether /metrics needs no key.</summary>
    public bool MetricsOpen => options.MetricsOpen;

    /// <summary>Whether the request may come in, and who asks. Null, or why not.</summary>
    public Fault? Enter(HttpContext http, bool isGrpc, out Caller caller)
    {
        caller = s_nobody;
        if (CheckOrigin(http) is { } foreign)
        {
            counts.Refused(Refusal.Origin);
            return foreign;
        }

        if (IsOpen(http.Request.Path.Value, isGrpc))
            return null;
        if (Identify(http, out var why).TryGet(out var found, out var fault))
        {
            caller = found;
            return null;
        }

        // RFC 6750, 3.1: who showed nothing is told of no error.
        http.Response.Headers.WWWAuthenticate = why is Refusal.Missing
            ? "Bearer realm=\"spillway\"" : "Bearer realm=\"spillway\", error=\"invalid_token\"";
        return fault;
    }

    /// <summary>Who asks, told from the headers and the connection. Counts a refusal.</summary>
    public Outcome<Caller> Identify(HttpContext http, out Refusal why)
    {
        var found = Find(http, out why);
        if (found.Fault is not null)
            counts.Refused(why);
        return found;
    }

    /// <summary>
    /// Whether a browser asks beforehand if its page may call, which it does without a key; then it is answered.
    /// </summary>
    public bool AnswersPreflight(HttpContext http)
    {
        var (request, headers) = (http.Request, http.Response.Headers);
        if (!HttpMethods.IsOptions(request.Method) || !IsListed(request.Headers.Origin)
            || request.Headers.AccessControlRequestMethod.Count == 0)
            return false;
        Permit(http);
        headers.AccessControlAllowMethods = "GET, POST";
        headers.AccessControlAllowHeaders = PageHeaders.Allowed(request.Headers.AccessControlRequestHeaders);
        headers.AccessControlMaxAge = "600";
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    private Outcome<Caller> Find(HttpContext http, out Refusal why)
    {
        var headers = http.Request.Headers;
        var own = headers.TryGetValue(KeyHeader, out var given) ? given
            : headers.TryGetValue(AzureKeyHeader, out given) ? given : default;
        why = Refusal.Malformed;
        if (Read(headers.Authorization, own, out var text, out var isThere) is { } wrong)
            return wrong;
        if (isThere)
            return Known(text, out why);
        if (Clients is not null && http.Connection.ClientCertificate is { } certificate)
            return Clients.Identify(certificate, out why);
        why = Refusal.Missing;
        return s_missing;
    }

    /// <summary>The text that two headers show; one of them may have another purpose, but not another key.</summary>
    private static Fault? Read(
        StringValues authorization, StringValues own, out ReadOnlySpan<char> text, out bool isThere)
    {
        isThere = own.Count == 1;
        text = isThere ? own[0].AsSpan().Trim(' ') : default;
        if (authorization.Count > 1 || own.Count > 1)
            return s_several;
        if (authorization.Count == 0)
            return null;
        var value = authorization[0].AsSpan();
        if (!value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return isThere ? null : s_scheme;
        var bearer = value[Scheme.Length..].Trim(' ');
        if (isThere && !bearer.SequenceEqual(text))
            return s_several;
        text = bearer;
        isThere = true;
        return null;
    }

    private Outcome<Caller> Known(ReadOnlySpan<char> text, out Refusal why)
    {
        why = Refusal.Malformed;
        if (KeyText.IsMeant(text) || text.IsEmpty)
            return keys.Identify(text, out why);
        return Tokens is null ? s_noTokens : Tokens.Identify(text, out why);
    }

    /// <summary>Health is for whoever watches over the server, and says nothing of its callers.</summary>
    private bool IsOpen(string? path, bool isGrpc)
    {
        if (path is null)
            return false;
        if (isGrpc)
        {
            return path.StartsWith("/grpc.health.v1.Health/", StringComparison.Ordinal)
                || path is $"/{GrpcEndpoints.Service}/ServerLive" or $"/{GrpcEndpoints.Service}/ServerReady";
        }

        return path is "/v2/health/live" or "/v2/health/ready" || (path is "/metrics" && options.MetricsOpen);
    }

    /// <summary>A page that is listed may read what it gets; any other page may not even ask.</summary>
    private Fault? CheckOrigin(HttpContext http)
    {
        var headers = http.Request.Headers;
        if (headers.Origin.Count == 0)
        {
            return headers.TryGetValue("Sec-Fetch-Site", out var site) && site == "cross-site"
                ? new(FaultKind.Forbidden, "The browser says that this request comes from another site "
                    + "(Sec-Fetch-Site: "
                    + "cross-site), without an Origin; it is not served.")
                : null;
        }

        if (!IsListed(headers.Origin))
        {
            return new(FaultKind.Forbidden, "Web pages of the request's Origin may not call this server. Its operator "
                + "lists those that may in access.origins.");
        }

        Permit(http);
        return null;
    }

    private bool IsListed(StringValues origin) => origin.Count == 1 && origin[0] is { } one && _origins.Contains(one);

    /// <summary>The origin is one of the configuration, so that nothing a caller made up stands in an answer.</summary>
    private static void Permit(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.AccessControlAllowOrigin = http.Request.Headers.Origin;
        headers.AccessControlExposeHeaders = PageHeaders.Exposed;
        headers.Append("Vary", "Origin");
    }
}
