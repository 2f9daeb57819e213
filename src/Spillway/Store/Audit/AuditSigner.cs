using System.Security.Cryptography;

namespace Spillway.Store.Audit;

/// <summary>The private key of a log. Not thread-safe.</summary>
internal sealed class AuditSigner : IDisposable
{
    private readonly ECDsa _key;

    private AuditSigner(ECDsa key)
    {
        _key = key;
        Id = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
    }

    /// <summary>SHA-256 of the public key.</summary>
    public string Id { get; }

    /// <summary>The public key as PEM, for whoever verifies.</summary>
    public string PublicPem => _key.ExportSubjectPublicKeyInfoPem() + "\n";

    /// <summary>The public half.</summary>
    public ECDsa Public => _key;

    /// <summary>A new key.</summary>
    public static AuditSigner Make() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Reads a PEM; a fault for what is no private key of P-256.</summary>
    /// <param name="pem">Text.</param>
    /// <param name="where">Where it came from, for the fault.</param>
    public static Outcome<AuditSigner> Read(string pem, string where)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.KeySize == 256 && key.ExportECPrivateKey() is { Length: > 0 })
                return new AuditSigner(key);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            // Said below; the library's words would name no file.
        }

        key.Dispose();
        return new Fault(FaultKind.StoreFailed, $"{where} holds no ECDSA private key of the curve P-256 in PEM. "
            + "Make one "
            + "with: openssl ecparam -name prime256v1 -genkey -noout -out key.pem");
    }

    /// <summary>The key as PEM (PKCS 8).</summary>
    public string PrivatePem() => _key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>A signature as OpenSSL reads it.</summary>
    public byte[] Sign(byte[] data) =>
        _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
