using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Spillway.Client;
using Spillway.Hosting;
using Spillway.Tests.Server;

namespace Spillway.Tests.Hosting;

public sealed class EmbeddedServerTests
{
    private static readonly InferenceInput[] s_row = [InferenceInput.Of<float>("x", [1, 4], [1, 2, 3, 4])];

    [Theory]
    [InlineData("", "")]
    [InlineData("/ai", "/ai")]
    [InlineData("/{tenant}/ai", "/acme/ai")]
    public async Task Endpoints_answer_below_a_prefix_and_the_application_keeps_its_own(string prefix, string path)
    {
        var seen = "";
        await using var app = await EmbeddedApp.StartAsync(
            o => o.Models.Add(EmbeddedApp.Model("echo")),
            map: app =>
            {
                app.Use(async (http, next) =>
                {
                    await next(http);
                    seen = http.Request.PathBase + http.Request.Path;
                });
                app.MapSpillway(prefix);
                app.MapGet("/own", () => "mine");
            });

        Assert.Equal(200, await app.StatusAsync($"{path}/v2/health/ready"));
        Assert.Equal($"{path}/v2/health/ready", seen);
        Assert.Equal(200, await app.StatusAsync($"{path}/v2"));
        Assert.Equal(200, await app.StatusAsync($"{path}/admin/v1/models"));
        Assert.Contains("spillway_", await app.Http.GetStringAsync($"{path}/metrics"), StringComparison.Ordinal);
        Assert.Equal("mine", await app.Http.GetStringAsync("/own"));
        Assert.Equal(404, await app.StatusAsync("/elsewhere/v2"));
        var remote = new HttpInferenceClient(new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(app.Http.BaseAddress!, $"{path}/"),
        });
        var reply = await remote.InferAsync("echo", s_row);
        Assert.Equal([1, 2, 3, 4], reply["y"].As<float>());
    }

    [Fact]
    public async Task Foreign_hosts_stay_outside_until_the_application_says_that_it_decides_itself()
    {
        await using (var app = await EmbeddedApp.StartAsync(o => o.Models.Add(EmbeddedApp.Model("echo"))))
            Assert.Equal(403, await app.StatusAsync("/v2/health/live", ("Host", "models.example")));

        await using var open = await EmbeddedApp.StartAsync(o =>
        {
            o.Models.Add(EmbeddedApp.Model("echo"));
            o.HostAuthenticatesCallers = true;
        });
        Assert.Equal(200, await open.StatusAsync("/v2/health/live", ("Host", "models.example")));
    }

    [Fact]
    public async Task What_the_applications_configuration_says_now_is_in_force_after_a_reload()
    {
        await using var app = await EmbeddedApp.StartAsync(configure: null, """
            { "Spillway": { "upstreams": { "u": { "kind": "simulated" } },
              "routes": { "chat": { "chain": { "steps": [{ "model": "u" }] } } } } }
            """);
        var server = app.App.Services.GetRequiredService<SpillwayServer>();
        app.App.Configuration["Spillway:routes:chat:deadlineMs"] = "60000";

        var answer = await server.ReloadAsync();

        Assert.True(answer.Applied, answer.Fault?.Message ?? string.Join('\n', answer.Errors));
        Assert.Equal(["routes.chat.deadlineMs"], answer.Changed);
        Assert.Equal(60_000, server.Snapshot.Routes["chat"].DeadlineMs);
        app.App.Configuration["Spillway:routes:chat:deadlineMs"] = "soon";
        Assert.False((await server.ReloadAsync()).Applied);
        Assert.Equal(60_000, server.Snapshot.Routes["chat"].DeadlineMs);
    }

    [Fact]
    public async Task Conventions_of_the_application_hold_for_all_endpoints()
    {
        await using var app = await EmbeddedApp.StartAsync(
            o => o.Models.Add(EmbeddedApp.Model("echo")), map: app => app.MapSpillway().RequireHost("inside.example"));

        foreach (var path in new[] { "/v2", "/metrics", "/admin/v1/models" })
            Assert.Equal(404, await app.StatusAsync(path));
    }

    [Fact]
    public async Task REST_is_answered_over_HTTP_2_too()
    {
        await using var app = await EmbeddedApp.StartAsync(
            o => o.Models.Add(EmbeddedApp.Model("echo")), protocols: HttpProtocols.Http2);

        Assert.Equal(200, await app.StatusAsync("/v2/health/ready"));
        Assert.Equal(404, await app.StatusAsync("/v2/models/nothing"));
    }

    [Fact]
    public async Task A_call_inside_the_application_is_recorded_as_any_request()
    {
        await using var app = await EmbeddedApp.StartAsync(o => o.Models.Add(EmbeddedApp.Model("echo")));

        var reply = await app.Client.InferAsync(new() { Model = "echo", Inputs = s_row, Id = "mine" });

        var record = JsonElement.Parse(await app.Http.GetStringAsync($"/admin/v1/requests/{reply.RequestId}"));
        Assert.Equal("echo", record.GetProperty("model").GetString());
        Assert.Contains("mine", record.GetRawText(), StringComparison.Ordinal);
        var metrics = await app.Http.GetStringAsync("/metrics");
        Assert.Contains("model=\"echo\"", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_accepted_is_answered_before_the_application_stops()
    {
        await using var app = await EmbeddedApp.StartAsync(
            o => o.Models.Add(EmbeddedApp.Model("slow", latencyMs: 400)));
        var client = app.Client;
        var server = app.App.Services.GetRequiredService<SpillwayServer>();

        var call = client.InferAsync("slow", s_row);
        // It may be over before anybody looks.
        await TestServer.UntilAsync(() => server.Serving.InFlight == 1 || call.IsCompleted);
        await app.App.StopAsync();

        var reply = await call.WaitAsync(TestServer.Patience);
        Assert.Equal([1, 2, 3, 4], reply["y"].As<float>());
        var refused = await Assert.ThrowsAsync<InferenceException>(() => client.InferAsync("slow", s_row));
        Assert.Equal(FaultKind.ShuttingDown, refused.Kind);
    }

    [Fact]
    public async Task Callers_of_one_batch_do_not_hold_each_other_up()
    {
        const int Callers = 4;
        await using var app = await EmbeddedApp.StartAsync(o => o.Models.Add(EmbeddedApp.Model("echo", latencyMs: 30)));
        var client = app.Client;
        using var all = new CountdownEvent(Callers);

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            await client.InferAsync("echo", s_row);
            all.Signal();
            // Blocks, as a careless caller may. On the server's thread, the others would never come.
            Assert.True(all.Wait(TestServer.Patience));
        })));
    }

    [Fact]
    public void Endpoints_without_a_server_are_a_mistake_that_is_named()
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        Assert.Contains("AddSpillway", Assert.Throws<InvalidOperationException>(() => app.MapSpillway()).Message);
    }

    [Fact]
    public void An_application_has_one_server()
    {
        var services = new ServiceCollection().AddSpillway();
        Assert.Throws<InvalidOperationException>(() => services.AddSpillway());
    }

    [Fact]
    public async Task A_container_that_is_disposed_synchronously_takes_the_models_along()
    {
        var app = EmbeddedApp.Build(o => o.Models.Add(EmbeddedApp.Model("echo")));
        await app.StartAsync();
        await app.StopAsync();
        ((IDisposable)app).Dispose();
    }
}
