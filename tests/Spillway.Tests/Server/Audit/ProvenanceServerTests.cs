using System.Security.Cryptography;
using Spillway.Shared;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server.Audit;

/// <summary>Models with signatures, signed by the command and loaded by a server.</summary>
public sealed class ProvenanceServerTests
{
    [Fact]
    public async Task A_signed_model_is_served_an_unsigned_one_is_not_and_explain_names_digest_and_signer()
    {
        using var folder = OnnxFolder("signing: { trusted: [key.pub.pem], required: true }");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        folder.Write("key.pem", key.ExportECPrivateKeyPem()).Write("key.pub.pem", key.ExportSubjectPublicKeyInfoPem());
        var (code, output, errors) = await ChildProcess.RunAsync(
            "sign", folder.PathOf("good/model.onnx"), "--key", folder.PathOf("key.pem"));
        Assert.True(code == 0, errors);
        var digest = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(folder.PathOf("good/model.onnx"))));
        Assert.StartsWith($"{digest}  model.onnx", output, StringComparison.Ordinal);

        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        Assert.Equal(digest, (await server.ModelAsync("good")).GetProperty("digest").GetString());
        await NotReadyAsync(server, "bad", "must be signed", "there is no signature beside it");
        Assert.Equal(200, (await server.InferRowAsync("good", id: "asked")).Status);
        var known = (await server.RecordAsync("asked")).GetProperty("provenance");
        Assert.Equal(digest, known.GetProperty("model_digest").GetString());
        Assert.Equal(64, known.GetProperty("signed_by").GetString()!.Length);
        Assert.Equal(server.Snapshot.Digest, known.GetProperty("config_digest").GetString());
    }

    [Fact]
    public async Task A_model_that_was_changed_after_it_was_signed_is_not_loaded()
    {
        using var folder = OnnxFolder("signing: { trusted: [key.pub.pem], required: true, exempt: [bad] }");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        folder.Write("key.pem", key.ExportECPrivateKeyPem()).Write("key.pub.pem", key.ExportSubjectPublicKeyInfoPem());
        await ChildProcess.RunAsync("sign", folder.PathOf("good/model.onnx"), "--key", folder.PathOf("key.pem"));
        File.AppendAllBytes(folder.PathOf("good/model.onnx"), [0]);

        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        await NotReadyAsync(server, "good", "was changed after it was signed");
        Assert.Equal(200, (await server.InferRowAsync("bad")).Status);
    }

    [Theory]
    [InlineData("signing: { required: true }", "", "signing.required", "No key is trusted")]
    [InlineData("signing: { trusted: [absent.pem] }", "", "signing.trusted[0]", "cannot be read")]
    [InlineData("", "signing: { required: true }", "models[0].signing.required", "No key is trusted")]
    [InlineData("", "audit: { payloads: true }", "models[0].audit.payloads", "no audit log")]
    [InlineData("audit: { onFailure: ignore }", "", "audit.onFailure", "refuse")]
    [InlineData("audit: { publish: absent/heads.jsonl }", "", "audit.publish", "no folder")]
    [InlineData("audit: { signingKey: absent.pem }", "", "audit.signingKey", "no file")]
    [InlineData("audit: { headMS: 5 }", "", "audit.headMS", "Known here")]
    public void Mistakes_in_the_sections_are_found_at_the_start(string root, string model, string key, string says)
    {
        using var folder = ConfigFolder.WithModel($"{ConfigFolder.Echo}\n{model}\n", $"models: [echo]\n{root}\n");
        var error = folder.OnlyError();
        Assert.Equal(key, error.Key);
        Assert.Contains(says, $"{error.Problem} {error.Remedy}", StringComparison.Ordinal);
    }

    [Fact]
    public void An_exempt_name_that_no_model_has_is_an_error_with_a_suggestion()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo, "models: [echo]\nsigning: { exempt: [ehco] }\n");
        var error = folder.OnlyError();
        Assert.Equal(("signing.exempt", "echo"), (error.Key, error.Suggestion));
    }

    private static async Task NotReadyAsync(TestServer server, string model, params string[] says)
    {
        var reply = await server.InferRowAsync(model);
        Assert.Equal((503, "model_not_ready"), (reply.Status, reply.Header("X-Spillway-Fault")));
        Assert.All(says, s => Assert.Contains(s, reply.Error, StringComparison.Ordinal));
    }

    private static ConfigFolder OnnxFolder(string root)
    {
        var folder = new ConfigFolder().Write("spillway.yaml", $"server: {{ port: 0 }}\nmodels: [good, bad]\n{root}\n");
        foreach (var name in (string[])["good", "bad"])
        {
            folder.Write($"{name}/model.yaml", "deadline: { floorMs: 600000 }\nonnx: { cache: off }\n");
            File.WriteAllBytes(folder.PathOf($"{name}/model.onnx"), OnnxModels.Identity(OnnxWriter.Float));
        }

        return folder;
    }
}
