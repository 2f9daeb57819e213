using System.Net;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols.Access;

/// <summary>
/// Until keys exist only programs on this machine may call, and no web page may make a browser call for it: the Host
/// must be a loopback name (a page that rebinds its own name to 127.0.0.1 keeps its name there), an Origin must be a
/// loopback one, and a browser's own word that the request crosses sites is taken.
/// </summary>
internal static class LoopbackGate
{
    /// <summary>Null when the request may come in.</summary>
    public static Fault? Check(HttpRequest request)
    {
        var host = request.Host.Value ?? "";
        if (!IsLoopbackHost(host))
        {
            return new(FaultKind.Forbidden, $"The Host header '{Short(host)}' is not a loopback name. Without keys only "
                + "programs on this machine are served: call http://127.0.0.1 or http://localhost.");
        }

        var headers = request.Headers;
        if (headers.Origin.Count > 0 && !headers.Origin.All(IsLoopbackOrigin))
        {
            return new(FaultKind.Forbidden, $"The Origin '{Short(headers.Origin.ToString())}' is foreign. Web pages from "
                + "elsewhere may not call this server.");
        }

        return headers.TryGetValue("Sec-Fetch-Site", out var site) && site == "cross-site"
            ? new(FaultKind.Forbidden, "The browser says that this request comes from another site (Sec-Fetch-Site: cross-site); it is not served.")
            : null;
    }

    private static bool IsLoopbackOrigin(string? origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
        && IsLoopbackHost(uri.Authority);

    private static bool IsLoopbackHost(ReadOnlySpan<char> host)
    {
        if (host.StartsWith('['))
        {
            var end = host.IndexOf(']');
            return end > 0 && IPAddress.TryParse(host[1..end], out var six) && IPAddress.IsLoopback(six)
                && IsPortOrNothing(host[(end + 1)..]);
        }

        var colon = host.IndexOf(':');
        var name = colon < 0 ? host : host[..colon];
        if (colon >= 0 && !IsPortOrNothing(host[colon..]))
            return false;
        return name is "127.0.0.1" || name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IsLoopbackNumber(name);
    }

    /// <summary>
    /// Four dotted numbers only: "127.1" and "2130706433" are addresses to a resolver, and no honest client's Host.
    /// </summary>
    private static bool IsLoopbackNumber(ReadOnlySpan<char> name) =>
        name.StartsWith("127.", StringComparison.Ordinal) && name.Count('.') == 3
        && IPAddress.TryParse(name, out var four) && IPAddress.IsLoopback(four);

    private static bool IsPortOrNothing(ReadOnlySpan<char> rest) =>
        rest.IsEmpty || (rest.Length is > 1 and <= 6 && rest[0] == ':' && !rest[1..].ContainsAnyExceptInRange('0', '9'));

    private static string Short(string text) => text.Length > 100 ? text[..100] + "…" : text;
}
