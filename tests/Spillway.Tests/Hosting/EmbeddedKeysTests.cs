using Microsoft.Extensions.DependencyInjection;
using Spillway.Client;
using Spillway.Hosting;
using Spillway.Tests.Config;

namespace Spillway.Tests.Hosting;

/// <summary>Keys of a server inside an application, and a client that sends one.</summary>
public sealed class EmbeddedKeysTests
{
    [Fact]
    public async Task Mapped_endpoints_ask_for_keys_even_where_the_application_lets_a_caller_in()
    {
        using var folder = new ConfigFolder();
        await using var app = await EmbeddedApp.StartAsync(o => Configure(o, folder, hostAuthenticates: true));
        Assert.Equal(200, await app.StatusAsync("/v2/health/live"));
        Assert.Equal(401, await app.StatusAsync("/v2/models"));
        var server = app.App.Services.GetRequiredService<SpillwayServer>();
        var key = server.CreateKey("team-a", Roles.Caller).Value;
        Assert.Equal(200, await app.StatusAsync("/v2/models", ("x-api-key", key)));
        Assert.Equal(403, await app.StatusAsync("/metrics", ("x-api-key", key)));
        // The client inside needs none.
        Assert.Equal("echo", (await AskAsync(app.Client)).Model);
    }

    [Fact]
    public async Task A_client_of_a_server_elsewhere_sends_its_key()
    {
        using var folder = new ConfigFolder();
        await using var app = await EmbeddedApp.StartAsync(o => Configure(o, folder, hostAuthenticates: false));
        var key = app.App.Services.GetRequiredService<SpillwayServer>().CreateKey("team-a", Roles.Caller).Value;
        var services = new ServiceCollection();
        services.AddSpillwayClient("with", app.Http.BaseAddress!).UseSpillwayKey(_ => key);
        services.AddSpillwayClient("without", app.Http.BaseAddress!);
        await using var provider = services.BuildServiceProvider();
        var reply = await AskAsync(provider.GetRequiredKeyedService<IInferenceClient>("with"));
        Assert.Equal([1f, 2, 3, 4], reply["y"].As<float>());
        var refused = await Assert.ThrowsAsync<InferenceException>(
            () => AskAsync(provider.GetRequiredKeyedService<IInferenceClient>("without")));
        Assert.Equal(FaultKind.Unauthenticated, refused.Kind);
    }

    [Fact]
    public async Task Two_servers_cannot_have_one_state_folder()
    {
        using var folder = new ConfigFolder();
        await using var app = await EmbeddedApp.StartAsync(o => Configure(o, folder, hostAuthenticates: false));
        var refused = await Assert.ThrowsAsync<SpillwayStartException>(
            () => EmbeddedApp.StartAsync(o => Configure(o, folder, hostAuthenticates: false)));
        Assert.Contains("One server at a time", refused.Message, StringComparison.Ordinal);
    }

    private static void Configure(SpillwayHostOptions options, ConfigFolder folder, bool hostAuthenticates)
    {
        options.HostAuthenticatesCallers = hostAuthenticates;
        options.Models.Add(EmbeddedApp.Model("echo"));
        options.Settings = new()
        {
            Access = new() { Keys = Spillway.Policies.Identity.KeysMode.Required },
            Server = new() { StateFolder = folder.PathOf("state") },
        };
    }

    private static Task<InferenceReply> AskAsync(IInferenceClient client) =>
        client.InferAsync("echo", [InferenceInput.Of<float>("x", [1, 4], [1, 2, 3, 4])]);
}
