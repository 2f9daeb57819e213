using System.Text;
using Spillway.App.Simulate;
using Spillway.Runtimes.Simulated.Chat;
using Spillway.Tests.Config;
using Spillway.Tests.Server.Upstreams;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>Clients that nobody here wrote, against a running server: OpenAI's own.</summary>
public sealed class OpenAiClientTests
{
    private const int Scenarios = 23;

    [Fact]
    public async Task OpenAIs_client_for_Node_finds_everything_as_it_expects()
    {
        Assert.True(
            Directory.Exists(Repository.At("tests", "clients", "node_modules", "openai")),
            "tests/clients is not installed: run `npm ci` there, or build the tests where Node.js 20 or newer is.");
        await using var upstream = await SimulatedModelServer.StartAsync(ChatServer.Fast);
        await using var server = await StartAsync(upstream);
        await using var node = ChildProcess.Start(
            "node", [Repository.At("tests", "clients", "openai.mjs"), $"{server.Address}v1"]);

        var (code, output, errors) = await node.EndAsync();

        Assert.True(code == 0, output + errors);
        Assert.Equal(Scenarios, output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        // What was aborted and what ran out of time runs no more.
        await TestServer.UntilAsync(() => Task.FromResult(server.Serving.InFlight == 0 && upstream.Under == 0));
    }

    /// <summary>The route chat, and one of each misbehaviour's name.</summary>
    internal static Task<TestServer> StartAsync(SimulatedModelServer upstream)
    {
        var yaml = new StringBuilder("server: { port: 0 }\nupstreams:\n");
        foreach (var model in SimulatedChat.Models)
        {
            yaml.Append($"  u-{model}:\n    kind: openai\n    model: {model}\n"
                + string.Concat(UpstreamServer.Patient("retry: { attemptsMax: 1 }").Split('\n')
                    .Select(l => $"    {l}\n"))
                + $"    targets: {{ t: {{ url: \"{upstream.Address}v1\" }} }}\n");
        }

        yaml.Append("routes:\n");
        foreach (var model in SimulatedChat.Models)
        {
            var name = model == "simulated" ? "chat" : model;
            yaml.Append($"  {name}: {{ chain: {{ steps: [{{ model: u-{model} }}] }} }}\n");
        }

        return TestServer.StartAsync(new ConfigFolder().Write("spillway.yaml", yaml.ToString()));
    }
}
