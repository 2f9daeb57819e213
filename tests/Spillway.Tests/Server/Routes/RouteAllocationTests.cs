namespace Spillway.Tests.Server.Routes;

/// <summary>
/// What a request to a route of one step costs the garbage collector, as <see cref="AllocationTests"/> counts it for a
/// plain model. Stated: at most <see cref="BytesMax"/> for a step that runs, and no more for a hit.
/// </summary>
public sealed class RouteAllocationTests
{
    /// <summary>A plain request's 2,500, and a trail with its list.</summary>
    private const int BytesMax = 3_500;

    [Theory]
    [InlineData("")]
    [InlineData("cache: { enabled: true }")]
    public async Task A_request_to_a_route_of_one_step_allocates_little(string cache)
    {
        using var folder = RoutedServer.Folder("[{ model: a }]", cache);
        await using var server = ChildProcess.Spillway(
            ["up", folder.PathOf("spillway.yaml")], ("DOTNET_TieredCompilation", "0"));
        var ready = await server.LineAsync("Ready");
        using var http = new HttpClient { BaseAddress = new(ready[ready.IndexOf("http", StringComparison.Ordinal)..]) };
        await AllocationTests.SendAsync(http, 4, 300, RoutedServer.Route);
        var before = await AllocationTests.AllocatedAsync(http);
        await AllocationTests.SendAsync(http, 4, 1_000, RoutedServer.Route);
        var each = (await AllocationTests.AllocatedAsync(http) - before) / 1_000;
        Assert.InRange(each, 1, BytesMax);
    }
}
