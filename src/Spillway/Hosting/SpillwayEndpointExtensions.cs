using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Spillway.Hosting;

/// <summary>Spillway's REST endpoints among an application's own.</summary>
public static class SpillwayEndpointExtensions
{
    /// <summary>
    /// Maps /v2/** (the Open Inference Protocol), /v1/** (OpenAI's protocol), /metrics and /admin/v1/**. gRPC is not
    /// among them: it has a port of
    /// its own, in the stand-alone server. Requires AddSpillway.
    /// </summary>
    /// <param name="routes">The application, or a group of its routes.</param>
    /// <param name="prefix">A path before them, such as "/ai"; none by default.</param>
    /// <returns>All of them, for conventions: RequireAuthorization, RequireHost, RequireRateLimiting …</returns>
    public static IEndpointConventionBuilder MapSpillway(this IEndpointRouteBuilder routes, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(routes);
        if (routes.ServiceProvider.GetService<IServiceProviderIsService>()?.IsService(typeof(SpillwayServer)) != true)
            throw new InvalidOperationException("MapSpillway needs services.AddSpillway(…), called before Build.");
        var group = routes.MapGroup(prefix);
        group.Map("/v2/{**rest}", http => HandleAsync(http, own: 2)).WithDisplayName("Spillway inference");
        group.Map("/v1/{**rest}", http => HandleAsync(http, own: 2)).WithDisplayName("Spillway OpenAI");
        group.Map("/admin/v1/{**rest}", http => HandleAsync(http, own: 3)).WithDisplayName("Spillway admin");
        group.Map("/metrics", http => HandleAsync(http, own: 1)).WithDisplayName("Spillway metrics");
        return group;
    }

    /// <summary>Answers one request.</summary>
    /// <param name="http">The request.</param>
    /// <param name="own">Segments of our own pattern; what stands before them is the application's.</param>
    private static Task HandleAsync(HttpContext http, int own)
    {
        var services = http.RequestServices;
        var server = services.GetRequiredService<SpillwayServer>();
        var isTrusted = services.GetRequiredService<SpillwayHostOptions>().HostAuthenticatesCallers;
        // The front's own limit (server.bodyBytesMax) holds, and its error says what to do.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        var before = ((RouteEndpoint)http.GetEndpoint()!).RoutePattern.PathSegments.Count - own;
        return before == 0
            ? server.Front.HandleRestAsync(http, isTrusted)
            : BelowAsync(http, before, server, isTrusted);
    }

    private static async Task BelowAsync(HttpContext http, int segments, SpillwayServer server, bool isTrusted)
    {
        var (request, path, root) = (http.Request, http.Request.Path, http.Request.PathBase);
        var (text, at) = (path.Value!, 0);
        for (; segments > 0; segments--)
            at = text.IndexOf('/', at + 1);
        try
        {
            request.PathBase = root.Add(text[..at]);
            request.Path = text[at..];
            await server.Front.HandleRestAsync(http, isTrusted).ConfigureAwait(false);
        }
        finally
        {
            // Whoever logs the request behind us sees it as it came.
            (request.Path, request.PathBase) = (path, root);
        }
    }
}
