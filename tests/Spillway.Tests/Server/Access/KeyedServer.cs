using System.Text;
using System.Text.Json;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Hosting;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server.Access;

/// <summary>A server that asks for keys, and an operator's key, made beside it before it started.</summary>
internal sealed class KeyedServer : IAsyncDisposable
{
    private KeyedServer(TestServer server, string operatorKey) => (Server, Operator) = (server, operatorKey);

    public TestServer Server { get; }

    /// <summary>An operator's key.</summary>
    public string Operator { get; }

    /// <summary>Two models that echo, and that section access in place of just keys: required.</summary>
    public static ConfigFolder Folder(string access = "{ keys: required }", string more = "", string server = "")
    {
        var folder = TestServer.Folder(server, ("echo", TestServer.Simulated()), ("other", TestServer.Simulated()));
        File.AppendAllText(folder.PathOf("spillway.yaml"), $"access: {access}\n{more}");
        return folder;
    }

    public static async Task<KeyedServer> StartAsync(ConfigFolder? folder = null, Clock? clock = null)
    {
        folder ??= Folder();
        var key = await OfflineAsync(folder, """{"tenant":"ops","roles":["operator"]}""");
        return new(await TestServer.StartAsync(folder, clock), key);
    }

    /// <summary>Makes a key beside a stopped server; its text.</summary>
    public static async Task<string> OfflineAsync(ConfigFolder folder, string order)
    {
        var variables = new Dictionary<string, string> { ["SPILLWAY__SERVER__PORT"] = "0" };
        var loaded = ConfigLoader.Load(folder.PathOf("spillway.yaml"), Composition.RuntimeOptions, variables);
        Assert.True(loaded.Valid, ConfigErrorText.Format(loaded.Errors));
        var snapshot = Snapshot.From(loaded, number: 1, DateTimeOffset.UnixEpoch);
        await using var keys = (await OfflineKeys.OpenAsync(snapshot, TimeProvider.System)).Value;
        var answer = JsonElement.Parse(keys.Ask("keys", isRead: false, Encoding.UTF8.GetBytes(order)).Value);
        return answer.GetProperty("key").GetString()!;
    }

    /// <summary>Makes a key over the wire.</summary>
    public async Task<(string Text, string Id)> KeyAsync(string order)
    {
        var reply = await SendAsync("POST", "/admin/v1/keys", Operator, order);
        Assert.True(reply.Status == 201, reply.Text);
        Assert.Equal("no-store", reply.Header("Cache-Control"));
        return (reply.Json.GetProperty("key").GetString()!, reply.Json.GetProperty("id").GetString()!);
    }

    public Task<Reply> GetAsync(string path, string? key, params (string Name, string Value)[] headers) =>
        SendAsync("GET", path, key, body: null, headers);

    public Task<Reply> SendAsync(
        string method, string path, string? key, string? body = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(new(method), path);
        if (body is not null)
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        foreach (var (name, value) in headers)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return Server.SendAsync(request);
    }

    /// <summary>One row to a model.</summary>
    public Task<Reply> InferAsync(string model, string? key, params (string Name, string Value)[] headers) =>
        SendAsync("POST", $"/v2/models/{model}/infer", key, TestServer.Row(), headers);

    /// <summary>What /metrics says of refusals for a reason.</summary>
    public async Task<int> RefusedAsync(string reason)
    {
        var line = $"spillway_access_refused_total{{reason=\"{reason}\"}} ";
        var metrics = (await GetAsync("/metrics", Operator)).Text;
        return int.Parse(metrics.Split('\n').Single(l => l.StartsWith(line, StringComparison.Ordinal))[line.Length..],
            System.Globalization.CultureInfo.InvariantCulture);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
