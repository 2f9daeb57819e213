using Spillway.Tests.Protocols.Grpc;

namespace Spillway.Tests.Server.Access;

/// <summary>Keys, as callers of gRPC meet them: in the metadata.</summary>
public sealed class GrpcKeysTests : IAsyncLifetime
{
    private const int Denied = 7;
    private const int Unauthenticated = 16;

    private KeyedServer _server = null!;
    private HttpClient _client = null!;
    private string _key = "";

    public async Task InitializeAsync()
    {
        _server = await KeyedServer.StartAsync();
        _client = GrpcCalls.Client(_server.Server);
        (_key, _) = await _server.KeyAsync("""{"tenant":"a","models":["echo"]}""");
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    private static byte[] Row(string model) => Proto.Message(
        Proto.Text(1, model), Proto.Input("x", "FP32", [1, 4]), Proto.Bytes(7, new byte[16]));

    private static (string, string) Bearer(string key) => ("authorization", $"Bearer {key}");

    [Fact]
    public async Task A_call_needs_a_key_and_health_does_not()
    {
        (await _client.InferAsync(Row("echo"))).Is(Unauthenticated, "send the header Authorization");
        (await _client.CallAsync(GrpcCalls.Service + "ModelReady", Proto.Message(Proto.Text(1, "echo")))).Is(
            Unauthenticated);
        Answered(await _client.CallAsync("/grpc.health.v1.Health/Check", []));
        Answered(await _client.CallAsync(GrpcCalls.Service + "ServerLive", []));
        Answered(await _client.CallAsync(GrpcCalls.Service + "ServerReady", []));
        Assert.NotEmpty((await _client.InferAsync(Row("echo"), Bearer(_key))).Message);
        Assert.NotEmpty((await _client.InferAsync(Row("echo"), ("x-api-key", _key))).Message);
        (await _client.InferAsync(Row("echo"), Bearer(_key[..^1] + "_"))).Is(Unauthenticated, "mistyped");
    }

    [Fact]
    public async Task Roles_and_models_hold_for_every_call()
    {
        (await _client.InferAsync(Row("other"), Bearer(_key))).Is(Denied, "may not use the model 'other'");
        foreach (var call in new[] { "ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics" })
        {
            (await _client.CallAsync(GrpcCalls.Service + call, Proto.Message(Proto.Text(1, "other")), Bearer(_key))).Is(
                Denied);
            var known = Proto.Message(Proto.Text(1, "echo"));
            Answered(await _client.CallAsync(GrpcCalls.Service + call, known, Bearer(_key)));
        }

        (await _client.CallAsync(GrpcCalls.Service + "ModelStatistics", [], Bearer(_key))).Is(
            Denied, "some models only");
        (await _client.CallAsync(GrpcCalls.Service + "RepositoryIndex", [], Bearer(_key))).Is(
            Denied, "some models only");
        foreach (var call in new[] { "RepositoryModelLoad", "RepositoryModelUnload", "LogSettings", "TraceSetting" })
            (await _client.CallAsync(GrpcCalls.Service + call, [], Bearer(_key))).Is(Denied, "role operator");
        Answered(await _client.CallAsync(GrpcCalls.Service + "LogSettings", [], Bearer(_server.Operator)));
        (await _client.InferAsync(Row("echo"), Bearer(_server.Operator))).Is(Denied, "role caller");
    }

    [Fact]
    public async Task A_key_that_is_revoked_ends_its_streams()
    {
        var (key, id) = await _server.KeyAsync("""{"tenant":"a"}""");
        await using var call = await GrpcStreamCall.OpenAsync(_server.Server, headers: Bearer(key));
        await call.SendAsync(Row("echo"));
        Assert.NotNull(await call.NextAsync());
        Assert.Equal(200, (await _server.SendAsync("POST", $"/admin/v1/keys/{id}/revoke", _server.Operator)).Status);
        await call.SendAsync(Row("echo"));
        await call.EndsAsync(Unauthenticated, "was revoked");
    }

    private static void Answered(GrpcReply reply) => Assert.True(reply.Status == 0, $"{reply.Status}: {reply.Text}");
}
