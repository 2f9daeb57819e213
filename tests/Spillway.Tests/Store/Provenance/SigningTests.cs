using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Spillway.Store.Provenance;

namespace Spillway.Tests.Store.Provenance;

public sealed class SigningTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("spillway-sign-").FullName;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private string Model => Path.Combine(_folder, "model.onnx");

    public SigningTests() => File.WriteAllText(Model, "a model");

    [Fact]
    public void What_is_signed_is_the_length_prefixed_type_and_text() => Assert.Equal(
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        Encoding.UTF8.GetString(DsseEnvelope.Preauthenticated("http://example.com/HelloWorld", "hello world"u8)));

    [Fact]
    public void The_envelope_holds_an_in_toto_statement_that_names_each_file_with_its_digest()
    {
        var parts = ModelStatement.Hash([Model]);
        var envelope = DsseEnvelope.Sign(ModelStatement.PayloadType, ModelStatement.Write(parts), _key);

        var json = JsonElement.Parse(envelope);
        Assert.Equal("application/vnd.in-toto+json", json.GetProperty("payloadType").GetString());
        var statement = JsonElement.Parse(json.GetProperty("payload").GetBytesFromBase64());
        Assert.Equal("https://in-toto.io/Statement/v1", statement.GetProperty("_type").GetString());
        Assert.Equal("https://model_signing/signature/v1.0", statement.GetProperty("predicateType").GetString());
        var subject = Assert.Single(statement.GetProperty("subject").EnumerateArray());
        Assert.Equal("model.onnx", subject.GetProperty("name").GetString());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("a model"u8)),
            subject.GetProperty("digest").GetProperty("sha256").GetString());
        // As anybody checks it: over the pre-authenticated text, DER, with the public key alone.
        var signature = Assert.Single(json.GetProperty("signatures").EnumerateArray())
            .GetProperty("sig").GetBytesFromBase64();
        using var open = ECDsa.Create();
        open.ImportFromPem(_key.ExportSubjectPublicKeyInfoPem());
        Assert.True(open.VerifyData(
            DsseEnvelope.Preauthenticated(ModelStatement.PayloadType, json.GetProperty("payload").GetBytesFromBase64()),
            signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void A_model_signed_by_a_trusted_key_is_known_by_digest_and_signer()
    {
        Sign(_key);
        var known = Trust(_key, required: true).Judge("digits", demanded: false, [Model]).Value;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("a model"u8)), known.Digest);
        Assert.Equal(DsseEnvelope.KeyId(_key), known.SignedBy);
        Assert.Equal("", known.Doubt);
    }

    [Fact]
    public void Where_a_signature_is_required_a_model_without_one_that_counts_is_refused_with_the_reason()
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var trust = Trust(_key, required: true);
        Refused(trust, "digits must be signed", "there is no signature beside it (model.onnx.dsse.json)",
            "spillway sign");

        Sign(stranger);
        Refused(trust, "none of its signatures is by one of the 1 trusted key(s)");

        Sign(_key);
        File.WriteAllText(Model, "another model");
        Refused(trust, "model.onnx was changed after it was signed");

        File.WriteAllText(Model + ModelStatement.FileEnd, "{}");
        Refused(trust, "no DSSE envelope");
        File.WriteAllText(Model + ModelStatement.FileEnd, new string(' ', DsseEnvelope.BytesMax + 1));
        Refused(trust, "has more than 1,048,576 bytes");
    }

    [Fact]
    public void A_signature_of_another_kind_of_document_does_not_count()
    {
        var body = ModelStatement.Write(ModelStatement.Hash([Model]));
        File.WriteAllBytes(Model + ModelStatement.FileEnd, DsseEnvelope.Sign("text/plain", body, _key));
        Refused(Trust(_key, required: true), "payloadType");
        var other = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace("signature/v1.0", "other",
            StringComparison.Ordinal));
        File.WriteAllBytes(Model + ModelStatement.FileEnd, DsseEnvelope.Sign(ModelStatement.PayloadType, other, _key));
        Refused(Trust(_key, required: true), "no signature of a model");
    }

    [Fact]
    public void Every_file_of_a_model_must_be_named_with_its_digest()
    {
        var weights = Path.Combine(_folder, "weights.bin");
        File.WriteAllText(weights, "weights");
        Sign(_key);
        var trust = Trust(_key, required: true);
        Assert.False(trust.Judge("digits", demanded: false, [Model, weights]).TryGet(out _, out var fault));
        Assert.Contains("does not name weights.bin", fault!.Message, StringComparison.Ordinal);

        Sign(_key, weights);
        Assert.True(trust.Judge("digits", demanded: false, [Model, weights]).TryGet(out _, out _));
        File.WriteAllText(weights, "other weights");
        Assert.False(trust.Judge("digits", demanded: false, [Model, weights]).TryGet(out _, out fault));
        Assert.Contains("weights.bin was changed", fault!.Message, StringComparison.Ordinal);
        Assert.False(trust.Judge("digits", demanded: false, files: null).TryGet(out _, out _));
    }

    [Fact]
    public void A_model_may_demand_a_signature_for_itself_and_may_be_exempt_only_in_the_root()
    {
        Assert.True(Trust(_key, required: false).Judge("digits", demanded: false, [Model]).TryGet(out var known,
            out _));
        Assert.Equal("", known!.SignedBy);
        Assert.False(Trust(_key, required: false).Judge("digits", demanded: true, [Model]).TryGet(out _, out _));
        var exempt = ModelTrust.Load(new() { Trusted = [Pem(_key)], Required = true, Exempt = ["digits"] }).Value;
        Assert.True(exempt.Judge("digits", demanded: false, [Model]).TryGet(out _, out _));
        Assert.False(exempt.Judge("others", demanded: false, [Model]).TryGet(out _, out _));
        Assert.False(exempt.Judge("digits", demanded: true, [Model]).TryGet(out _, out _));
        Assert.True(Trust(_key, required: true).Judge("simulated", demanded: false, []).TryGet(out _, out _));
    }

    [Fact]
    public void A_signature_that_does_not_count_is_told_where_none_is_required()
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Sign(stranger);
        Assert.Contains("trusted key", Trust(_key, required: false).Judge("digits", false, [Model]).Value.Doubt,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense", "no ECDSA public key")]
    [InlineData(null, "cannot be read")]
    [InlineData("P-384", "no ECDSA public key of the curve P-256")]
    public void A_trusted_key_that_is_none_is_named(string? pem, string says)
    {
        var file = Path.Combine(_folder, "bad.pem");
        using var large = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        if (pem is not null)
            File.WriteAllText(file, pem == "P-384" ? large.ExportSubjectPublicKeyInfoPem() : pem);
        Assert.False(ModelTrust.Load(new() { Trusted = [file] }).TryGet(out _, out var fault));
        Assert.Contains(says, fault!.Message, StringComparison.Ordinal);
        Assert.Contains(file, fault.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Sign(ECDsa key, params string[] more) => File.WriteAllBytes(
        Model + ModelStatement.FileEnd,
        DsseEnvelope.Sign(ModelStatement.PayloadType, ModelStatement.Write(ModelStatement.Hash([Model, .. more])),
            key));

    private string Pem(ECDsa key)
    {
        var file = Path.Combine(_folder, "key.pub.pem");
        File.WriteAllText(file, key.ExportSubjectPublicKeyInfoPem());
        return file;
    }

    private ModelTrust Trust(ECDsa key, bool required) =>
        ModelTrust.Load(new() { Trusted = [Pem(key)], Required = required }).Value;

    private void Refused(ModelTrust trust, params string[] says)
    {
        Assert.False(trust.Judge("digits", demanded: false, [Model]).TryGet(out _, out var fault));
        Assert.Equal(FaultKind.LoadFailed, fault!.Kind);
        Assert.All(says, s => Assert.Contains(s, fault.Message, StringComparison.Ordinal));
    }
}
