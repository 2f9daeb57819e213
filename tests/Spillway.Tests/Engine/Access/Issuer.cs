using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Spillway.Tests.Engine.Access;

/// <summary>An identity provider by hand, so that it can also make tokens that no honest one makes.</summary>
internal sealed class Issuer : IDisposable
{
    public const string Name = "https://id.example.org";
    public const string Audience = "spillway";

    public RSA Rsa { get; } = RSA.Create(2048);

    public ECDsa Ec { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The public keys: r1 (RSA) and e1 (EC).</summary>
    public string Jwks(params object[] more)
    {
        var (rsa, ec) = (Rsa.ExportParameters(false), Ec.ExportParameters(false));
        return JsonSerializer.Serialize(new
        {
            keys = new object[]
            {
                new { kty = "RSA", kid = "r1", use = "sig", n = Text(rsa.Modulus!), e = Text(rsa.Exponent!) },
                new { kty = "EC", kid = "e1", use = "sig", crv = "P-256", x = Text(ec.Q.X!), y = Text(ec.Q.Y!) },
            }.Concat(more),
        });
    }

    /// <summary>
    /// Claims that are good for an hour from the clock's beginning; named ones replaced, null ones left out.
    /// </summary>
    public static Dictionary<string, object?> Claims(params (string Name, object? Value)[] changes)
    {
        var claims = new Dictionary<string, object?>
        {
            ["iss"] = Name, ["aud"] = Audience, ["sub"] = "alice", ["tenant"] = "team-a", ["iat"] = 0, ["nbf"] = 0,
            ["exp"] = 3600,
        };
        foreach (var (name, value) in changes)
            claims[name] = value;
        return claims.Where(c => c.Value is not null).ToDictionary();
    }

    /// <summary>A token that is right, but for the changes.</summary>
    public string Token(params (string Name, object? Value)[] changes) => Sign("RS256", "r1", Claims(changes), Rs256);

    public byte[] Rs256(byte[] data) => Rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    public byte[] Ps256(byte[] data) => Rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);

    public byte[] Es256(byte[] data) => Ec.SignData(data, HashAlgorithmName.SHA256);

    /// <summary>Any header over any claims with any signature.</summary>
    public static string Sign(
        string? algorithm, string? kid, object claims, Func<byte[], byte[]> sign,
            params (string Name, object Value)[] header)
    {
        var head = new Dictionary<string, object> { ["typ"] = "JWT" };
        if (algorithm is not null)
            head["alg"] = algorithm;
        if (kid is not null)
            head["kid"] = kid;
        foreach (var (name, value) in header)
            head[name] = value;
        var signed = Text(JsonSerializer.SerializeToUtf8Bytes(head)) + "."
            + Text(JsonSerializer.SerializeToUtf8Bytes(claims));
        return $"{signed}.{Text(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);

    public void Dispose()
    {
        Rsa.Dispose();
        Ec.Dispose();
    }
}
