using System.Security.Cryptography;
using System.Text.Json;
using Spillway.Shared;
using Spillway.Tests.Server.Routes;

namespace Spillway.Tests.Server.Audit;

/// <summary>Which model, version and bytes the record of a route's answer names.</summary>
public sealed class RouteProvenanceTests
{
    private const string Routes = """
        routes:
          r:
            chain: { steps: [{ model: good }] }
            cache: { enabled: true }
          outer: { chain: { steps: [{ model: r }] } }
          careful:
            chain: { steps: [{ model: good, checks: [{ confidenceMin: 0.9 }] }, { kind: message, message: unsure }] }

        """;

    [Fact]
    public async Task Remembered_answer_names_the_model_that_gave_it_and_a_message_names_none()
    {
        using var folder = TestServer.Folder(
            "", ("good", "version: 3\ndeadline: { floorMs: 600000 }\nonnx: { cache: off }\n"));
        await File.WriteAllBytesAsync(folder.PathOf("good/model.onnx"), OnnxModels.Identity(OnnxWriter.Float));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        folder.Write("key.pub.pem", key.ExportSubjectPublicKeyInfoPem());
        await File.AppendAllTextAsync(
            folder.PathOf("spillway.yaml"), "signing: { trusted: [key.pub.pem] }\n" + Routes);
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        var digest = Convert.ToHexStringLower(
            SHA256.HashData(await File.ReadAllBytesAsync(folder.PathOf("good/model.onnx"))));

        foreach (var (id, route, cache) in new[]
            { ("asked", "r", "miss"), ("remembered", "r", "hit"), ("inside", "outer", (string?)null) })
        {
            var reply = await server.InferAsync(
                route, RoutedServer.Row("0.1,0.2,0.3,0.4"), ("X-Request-Id", id));
            Assert.True(reply.Status == 200, reply.Text);
            Assert.Equal(cache, reply.Header("X-Spillway-Cache"));
            Assert.Equal(("good", "3", digest), Text(await server.RecordAsync(id)));
        }

        (await server.InferAsync("careful", RoutedServer.Row("0.1,0.2,0.3,0.4"), ("X-Request-Id", "said")))
            .By("message", "answer_unfit");
        var record = await server.RecordAsync("said");
        Assert.Equal("", record.GetProperty("deployment").GetString());
        Assert.False(record.GetProperty("provenance").TryGetProperty("model_digest", out _));
    }

    private static (string? Deployment, string? Version, string? Digest) Text(JsonElement record) => (
        record.GetProperty("deployment").GetString(), record.GetProperty("version").GetString(),
        record.GetProperty("provenance").TryGetProperty("model_digest", out var digest) ? digest.GetString() : null);
}
