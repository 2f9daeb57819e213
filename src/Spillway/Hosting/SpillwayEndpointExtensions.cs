using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Spillway.Protocols.Grpc;

namespace Spillway.Hosting;

/// <summary>Spillway's endpoints among an application's own.</summary>
public static class SpillwayEndpointExtensions
{
    /// <summary>
    /// Maps /v2/** (the Open Inference Protocol), /v1/** (OpenAI's protocol), /metrics and /admin/v1/**, and with
    /// <see cref="SpillwayHostOptions.MapGrpc"/> the gRPC services. Requires AddSpillway.
    /// </summary>
    /// <param name="routes">The application, or a group of its routes.</param>
    /// <param name="prefix">
    /// A path before them, such as "/ai"; none by default. Most gRPC clients know none, so the prefix is not for them;
    /// a group's own path is.
    /// </param>
    /// <returns>All of them, for conventions: RequireAuthorization, RequireHost, RequireRateLimiting …</returns>
    public static IEndpointConventionBuilder MapSpillway(this IEndpointRouteBuilder routes, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(routes);
        if (routes.ServiceProvider.GetService<IServiceProviderIsService>()?.IsService(typeof(SpillwayServer)) != true)
            throw new InvalidOperationException("MapSpillway needs services.AddSpillway(…), called before Build.");
        // One group over both, so that conventions hold for all of them.
        var all = routes.MapGroup("");
        if (routes.ServiceProvider.GetRequiredService<SpillwayHostOptions>().MapGrpc)
            MapGrpc(all);
        var group = all.MapGroup(prefix);
        group.Map("/v2/{**rest}", http => HandleAsync(http, own: 2)).WithDisplayName("Spillway inference");
        group.Map("/v1/{**rest}", http => HandleAsync(http, own: 2)).WithDisplayName("Spillway OpenAI");
        group.Map("/admin/v1/{**rest}", http => HandleAsync(http, own: 3)).WithDisplayName("Spillway admin");
        group.Map("/metrics", http => HandleAsync(http, own: 1)).WithDisplayName("Spillway metrics");
        return all;
    }

    private static void MapGrpc(RouteGroupBuilder routes)
    {
        routes.Map($"/{GrpcEndpoints.Service}/{{method}}", GrpcAsync).WithDisplayName("Spillway gRPC inference");
        routes.Map($"/{GrpcEndpoints.HealthService}/{{method}}", GrpcAsync).WithDisplayName("Spillway gRPC health");
    }

    private static Task GrpcAsync(HttpContext http) =>
        OwnAsync(http, own: 2, static (server, http, isTrusted) => server.Front.HandleGrpcAsync(http, isTrusted));

    private static (SpillwayServer Server, bool IsTrusted) Prepare(HttpContext http)
    {
        var services = http.RequestServices;
        // The front's own limit (server.bodyBytesMax) holds, and its error says what to do.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = null;
        return (services.GetRequiredService<SpillwayServer>(),
            services.GetRequiredService<SpillwayHostOptions>().HostAuthenticatesCallers);
    }

    /// <summary>Answers one request.</summary>
    /// <param name="http">The request.</param>
    /// <param name="own">Segments of our own pattern; what stands before them is the application's.</param>
    private static Task HandleAsync(HttpContext http, int own) =>
        OwnAsync(http, own, static (server, http, isTrusted) => server.Front.HandleRestAsync(http, isTrusted));

    private static Task OwnAsync(HttpContext http, int own, Func<SpillwayServer, HttpContext, bool, Task> answer)
    {
        var (server, isTrusted) = Prepare(http);
        var before = ((RouteEndpoint)http.GetEndpoint()!).RoutePattern.PathSegments.Count - own;
        return before == 0
            ? answer(server, http, isTrusted)
            : BelowAsync(http, before, () => answer(server, http, isTrusted));
    }

    private static async Task BelowAsync(HttpContext http, int segments, Func<Task> answer)
    {
        var (request, path, root) = (http.Request, http.Request.Path, http.Request.PathBase);
        var (text, at) = (path.Value!, 0);
        for (; segments > 0; segments--)
            at = text.IndexOf('/', at + 1);
        try
        {
            request.PathBase = root.Add(text[..at]);
            request.Path = text[at..];
            await answer().ConfigureAwait(false);
        }
        finally
        {
            // Whoever logs the request behind us sees it as it came.
            (request.Path, request.PathBase) = (path, root);
        }
    }
}
