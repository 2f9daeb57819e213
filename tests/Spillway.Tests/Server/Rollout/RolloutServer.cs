using System.Text;
using System.Text.Json;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server.Rollout;

/// <summary>A server whose route `r` leads to the model `old`, beside which `new` stands, and how to ask.</summary>
internal static class RolloutServer
{
    /// <summary>The configuration.</summary>
    /// <param name="rollout">The section's keys in braces.</param>
    /// <param name="old">More of the model `old`.</param>
    /// <param name="latest">The model `new`.</param>
    /// <param name="route">More of the route.</param>
    /// <param name="steps">Steps behind the first.</param>
    /// <param name="more">More of the root.</param>
    public static ConfigFolder Folder(
        string rollout, string old = "", string? latest = null, string route = "", string steps = "", string more = "")
    {
        var folder = TestServer.Folder(
            "", ("old", TestServer.Simulated(more: old)), ("new", latest ?? TestServer.Simulated()),
            ("other", TestServer.Simulated(inputs: "w: \"BYTES [-1]\"", outputs: "label: \"BYTES [-1]\"")),
            ("spare", TestServer.Simulated()));
        return folder.Write("spillway.yaml", $$"""
            {{File.ReadAllText(folder.PathOf("spillway.yaml"))}}
            routes:
              r:
                chain: { steps: [{ model: old }{{steps}}] }
                rollout: {{rollout}}
                {{route}}
            {{more}}
            """);
    }

    public static Task<Reply> AskAsync(
        this TestServer server, string session, params (string Name, string Value)[] headers) =>
        server.InferAsync("r", Encoding.UTF8.GetBytes(TestServer.Row()), session.Length > 0
            ? [("X-Spillway-Session", session), .. headers] : headers);

    /// <summary>A change that is made.</summary>
    public static async Task<JsonElement> ChangeAsync(this TestServer server, string change)
    {
        var reply = await server.SendAsync(new(HttpMethod.Post, $"/admin/v1/rollouts/r/{change}"));
        Assert.True(reply.Status == 200, reply.Text);
        Assert.True(reply.Json.GetProperty("survives_restart").GetBoolean());
        return reply.Json;
    }

    public static async Task<JsonElement> RolloutAsync(this TestServer server) =>
        (await server.GetAsync("/admin/v1/rollouts/r")).Json;

    /// <summary>A session on that side of the rollout that is under way.</summary>
    public static async Task<string> SessionAsync(this TestServer server, string side)
    {
        for (var i = 0; ; i++)
        {
            Assert.True(i < 2000, $"No session is on the side of the {side}.");
            if ((await server.AskAsync($"session-{i}")).Header("X-Spillway-Rollout") == side)
                return $"session-{i}";
        }
    }

    public static string Text(this JsonElement from, string name) => from.GetProperty(name).GetString()!;

    public static int Number(this JsonElement from, string name) => from.GetProperty(name).GetInt32();
}
