using Spillway.Store.Audit;
using Spillway.Tests.Protocols.Grpc;

namespace Spillway.Tests.Server.Access;

/// <summary>Who was turned away stands in the audit log, whatever door was tried; and changes of keys do.</summary>
public sealed class DeniedTests
{
    [Fact]
    public async Task Who_is_turned_away_is_in_the_log_with_its_caller_whatever_door_was_tried()
    {
        var folder = KeyedServer.Folder(more: "audit: { headMs: 10 }\n");
        await using var server = await KeyedServer.StartAsync(folder);
        var (key, _) = await server.KeyAsync("""{"tenant":"a","models":["echo"]}""");
        using var grpc = GrpcCalls.Client(server.Server);
        var other = Proto.Message(
            Proto.Text(1, "other"), Proto.Input("x", "FP32", [1, 4]), Proto.Bytes(7, new byte[16]));
        var bearer = ("authorization", $"Bearer {key}");

        foreach (var path in new[] { "/admin/v1/keys", "/metrics", "/v2/models/other" })
            Assert.Equal(403, (await server.GetAsync(path, key)).Status);
        Assert.Equal(401, (await server.GetAsync("/v2", key: null)).Status);
        (await grpc.InferAsync(other, bearer)).Is(7);
        (await grpc.CallAsync(GrpcCalls.Service + "RepositoryModelLoad", [], bearer)).Is(7);
        (await grpc.CallAsync(GrpcCalls.Service + "ModelMetadata", other, bearer)).Is(7);
        (await grpc.InferAsync(other)).Is(16);

        var log = AuditFolder.At(folder.PathOf("state"));
        List<AuditRecord> denied = [];
        await TestServer.UntilAsync(async () =>
        {
            await Task.Yield();
            denied = [.. new AuditReader(log).From(0).Where(r => r.Action == "access.denied")];
            return denied.Count >= 8;
        });
        string[] known =
        [
            "/admin/v1/keys", "/metrics", "/v2/models/other", GrpcCalls.Service + "ModelInfer",
            GrpcCalls.Service + "RepositoryModelLoad", GrpcCalls.Service + "ModelMetadata",
        ];
        Assert.Equal(known, denied.Where(r => r.Outcome == "forbidden").Select(r => r.Subject));
        Assert.Equal(["/v2", GrpcCalls.Service + "ModelInfer"],
            denied.Where(r => r.Outcome == "unauthenticated").Select(r => r.Subject));
        Assert.Single(denied.Where(r => r.Outcome == "forbidden").Select(r => r.Caller).Distinct());
    }

    [Fact]
    public async Task No_key_is_made_while_nothing_can_be_written_down_and_what_makes_it_safer_goes_on()
    {
        var folder = KeyedServer.Folder(more: "audit: { headMs: 10 }\n");
        var id = (await KeyedServer.OfflineAsync(folder, """{"tenant":"a"}""")).Split('_')[2];
        // The first segment's place is taken, as a write to a full disk would fail.
        Directory.CreateDirectory(new AuditFolder(folder.PathOf("state/audit")).Segment(0));
        await using var server = await KeyedServer.StartAsync(folder);
        await TestServer.UntilAsync(async () => (await server.GetAsync("/admin/v1/audit", server.Operator)).Text
            .Contains("cannot be written", StringComparison.Ordinal));

        Reply(await server.SendAsync("POST", "/admin/v1/keys", server.Operator, """{"tenant":"b"}"""), 503);
        Reply(await server.SendAsync("POST", $"/admin/v1/keys/{id}/rotate", server.Operator, "{}"), 503);
        Reply(await server.SendAsync("POST", $"/admin/v1/keys/{id}/revoke", server.Operator), 200);
        Reply(await server.SendAsync("POST", "/admin/v1/switches/off", server.Operator), 200);
        Reply(await server.GetAsync("/admin/v1/keys", server.Operator), 200);

        static void Reply(Reply reply, int status) => Assert.True(reply.Status == status, reply.Text);
    }
}
