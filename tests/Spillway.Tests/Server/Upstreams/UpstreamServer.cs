using Spillway.Engine;
using Spillway.Engine.Upstreams;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Routes;

namespace Spillway.Tests.Server.Upstreams;

/// <summary>Servers with one route, r, over the upstream gpu, and two models.</summary>
internal static class UpstreamServer
{
    /// <summary>No second attempt, and nobody asks how a target is.</summary>
    public const string Once = "retry: { attemptsMax: 1 }\nhealthMs: 0";

    /// <summary>The upstream, then the model b.</summary>
    public const string ThenModel = "[{ model: gpu }, { model: b }]";

    /// <summary>The upstream, then a word.</summary>
    public const string ThenMessage = "[{ model: gpu }, { kind: message, message: busy }]";

    private static readonly string[] s_bounds = ["connectMs", "firstDeltaMs", "betweenDeltasMs", "totalMs"];

    public static ConfigFolder Folder(
        string steps, IReadOnlyList<string> urls, string options = Once, string route = "")
    {
        var targets = string.Concat(urls.Select((url, i) => $"      t{i}: {{ url: \"{url}\" }}\n"));
        var more = string.Concat(Patient(options).Split('\n').Select(line => $"    {line}\n"));
        return RoutedServer.Folder(steps, route, $"upstreams:\n  gpu:\n    targets:\n{targets}{more}");
    }

    /// <summary>An upstream's options with bounds that no pause of a busy machine reaches; those that a test names
    /// stand.</summary>
    public static string Patient(string options) => string.Join('\n', s_bounds
        .Where(bound => !options.Contains($"{bound}:", StringComparison.Ordinal)).Select(bound => $"{bound}: 600000")
        .Prepend(options));

    /// <summary>The same within braces.</summary>
    public static string PatientInline(string options = "") => string.Join(
        ", ", Patient(options).Split('\n', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Starts, and waits until the upstream's model is known.</summary>
    public static async Task<TestServer> StartAsync(
        string steps, IReadOnlyList<RogueServer> targets, string options = Once, string route = "", Clock? clock = null)
    {
        var server = await TestServer.StartAsync(Folder(steps, [.. targets.Select(t => t.Url)], options, route), clock);
        await server.KnownAsync();
        return server;
    }

    public static UpstreamGroup Group(this TestServer server) => server.Serving.Upstreams.All.Single();

    public static Task KnownAsync(this TestServer server) => TestServer.UntilAsync(async () =>
        server.Serving.Find("r") is { } door && (await server.GetAsync("/v2/models/r/ready")).Status == 200
            && door.Upstream is null && server.Group().Signature is not null
            && server.Serving.Find("r")!.Plan!.DoorOf(0)?.Signature is not null);

    /// <summary>Nothing is held: no request at a target, none in line, none in the server.</summary>
    public static async Task AssertNothingHeldAsync(this TestServer server)
    {
        await TestServer.UntilAsync(() => Task.FromResult(server.Serving.InFlight == 0));
        await TestServer.UntilAsync(() => Task.FromResult(server.Group().Look().All(t => t.InFlight == 0)));
        Assert.Equal(0, server.Group().Waiting);
    }
}
