using Spillway.Client;
using Spillway.Config;
using Spillway.Hosting;
using Spillway.Runtimes;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Server;

namespace Spillway.Tests.Hosting;

public sealed class EmbeddedConfigTests
{
    private const string Prices = """
        {
          "Spillway": {
            "Server": { "Name": "my-app", "TritonMetricNames": true },
            "Models": [
              {
                "Name": "prices", "Version": 7, "Runtime": "simulated", "Deadline": { "FixedMs": 60000 },
                "Batching": { "QueueLengthMax": 5 },
                "Simulated": {
                  "Inputs": { "x": "FP32 [-1,4]" }, "Outputs": { "y": "FP32 [-1,4]" },
                  "LatencyMs": { "1": 0.05, "10": 1.5 }
                }
              }
            ]
          }
        }
        """;

    [Fact]
    public async Task Models_of_appsettings_are_served_whatever_the_case_of_their_keys()
    {
        await using var app = await EmbeddedApp.StartAsync(null, Prices);

        var reply = await app.Client.InferAsync("prices", [InferenceInput.Of<float>("x", [1, 4], [1, 2, 3, 4])]);

        Assert.Equal("7", reply.Version);
        Assert.Equal([1, 2, 3, 4], reply["y"].As<float>());
        var snapshot = ((SpillwayServer)app.App.Services.GetService(typeof(SpillwayServer))!).Snapshot;
        Assert.Equal(("my-app", true), (snapshot.Server.Name, snapshot.Server.TritonMetricNames));
        Assert.Equal(5, snapshot.Models.Single().Batching.QueueLengthMax);
    }

    [Fact]
    public async Task Models_of_code_and_of_appsettings_stand_side_by_side_and_code_wins_over_settings()
    {
        await using var app = await EmbeddedApp.StartAsync(
            options =>
            {
                options.Models.Add(EmbeddedApp.Model("echo"));
                options.Settings = new() { Server = new() { Name = "from-code" } };
            },
            Prices);

        Assert.Contains("from-code", await app.Http.GetStringAsync("/v2"), StringComparison.Ordinal);
        Assert.Equal(200, await app.StatusAsync("/v2/models/echo/ready"));
        Assert.Equal(200, await app.StatusAsync("/v2/models/prices/ready"));
    }

    [Fact]
    public async Task Every_mistake_in_appsettings_is_named_at_start_by_its_key_and_its_place()
    {
        const string Wrong = """
            {
              "Spillway": {
                "Server": { "BodyBytesMax": "big", "Nmae": "x" },
                "Models": [
                  { "Name": "a", "Runtime": "simulated", "Batching": { "QueueLengthMax": 0 },
                    "Simulated": { "FaultRate": 2 } },
                  { "Runtime": "nothing" },
                  "no-such-folder"
                ]
              }
            }
            """;

        var errors = await RefusedAsync(null, Wrong);

        Assert.Contains(errors, e => e is { Key: "server.bodyBytesMax", File: "Spillway:Server:BodyBytesMax" });
        Assert.Contains(errors, e => e is { Key: "server.Nmae", Suggestion: "name" });
        Assert.Contains(errors, e => e.Key == "models[0].batching.queueLengthMax"
            && e.File == "Spillway:Models:0:Batching:QueueLengthMax");
        Assert.Contains(errors, e => e.Key == "models[0].simulated.faultRate");
        Assert.Contains(errors, e => e.Key == "models[0].simulated.inputs" && e.Problem.Contains("missing"));
        Assert.Contains(errors, e => e.Key == "models[1].name");
        Assert.Contains(errors, e => e.Key == "models[1].runtime");
        Assert.Contains(errors, e => e.Key == "models[2]" && e.File == "Spillway:Models:2");
    }

    [Fact]
    public async Task Models_of_code_meet_the_same_checks_as_files()
    {
        var broken = EmbeddedApp.Model("a/b") with { Batching = new() { QueueLengthMax = -1 }, Version = 0 };
        var strange = EmbeddedApp.Model("c") with { RuntimeOptions = new SimulatedOptions { FaultRate = double.NaN } };

        var errors = await RefusedAsync(options =>
        {
            options.Models.Add(broken);
            options.Models.Add(strange);
            options.Models.Add(EmbeddedApp.Model("c"));
        });

        Assert.Contains(errors, e => e.Key == "models[0].name");
        Assert.Contains(errors, e => e.Key == "models[0].version");
        Assert.Contains(errors, e => e is { Key: "models[0].batching.queueLengthMax", File: "Models[0] in code" });
        Assert.Contains(errors, e => e.Key == "models[1].simulated.faultRate");
        Assert.Contains(errors, e => e.Key == "models[1].simulated.latencyMs");
        Assert.Contains(errors, e => e.Key.StartsWith("models[2]", StringComparison.Ordinal)
            && e.Problem.Contains("same name"));
    }

    [Fact]
    public async Task An_application_that_serves_nothing_does_not_start() =>
        Assert.Contains(await RefusedAsync(null), e => e.Key == "models");

    [Fact]
    public async Task A_file_is_read_as_the_server_reads_it_and_stands_alone()
    {
        using var folder = TestServer.Folder("name: from-file", ("echo", TestServer.Simulated()));
        await using (var app = await EmbeddedApp.StartAsync(o => o.ConfigFile = folder.PathOf("spillway.yaml")))
            Assert.Contains("from-file", await app.Http.GetStringAsync("/v2"), StringComparison.Ordinal);

        var errors = await RefusedAsync(o =>
        {
            o.ConfigFile = folder.PathOf("spillway.yaml");
            o.Models.Add(EmbeddedApp.Model("more"));
        });
        Assert.Contains(errors, e => e.Key == "ConfigFile");
    }

    [Fact]
    public void A_runtime_is_added_once() =>
        Assert.Throws<ArgumentException>(() => new RuntimeSet().Add(new SimulatedRuntime(TimeProvider.System)));

    private static async Task<IReadOnlyList<ConfigError>> RefusedAsync(
        Action<SpillwayHostOptions>? configure, string settings = "{}")
    {
        await using var app = EmbeddedApp.Build(configure, settings);
        var refused = await Assert.ThrowsAsync<SpillwayConfigurationException>(() => app.StartAsync());
        Assert.All(refused.Errors, e => Assert.Contains(e.Key, refused.Message, StringComparison.Ordinal));
        return refused.Errors;
    }
}
