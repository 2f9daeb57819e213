using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Spillway.Tests.Server.Access;

/// <summary>A certificate authority made in this process, and certificates of it.</summary>
internal sealed class Authority : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public Authority(string name = "CN=Test authority")
    {
        var request = new CertificateRequest(name, _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        Certificate = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(30));
    }

    public X509Certificate2 Certificate { get; }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>A server's certificate for this machine, with its key.</summary>
    public X509Certificate2 Server(string name = "CN=localhost") => Issue(name, ServerUse);

    /// <summary>A client's certificate, with its key.</summary>
    public X509Certificate2 Client(string name, bool isOver = false) => Issue(name, ClientUse, isOver);

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Issue(string name, string use, bool isOver = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(use)], true));
        var until = isOver ? Now.AddHours(-1) : Now.AddDays(7);
        using var issued = request.Create(Certificate, Now.AddDays(-1).AddMinutes(1), until,
            Guid.NewGuid().ToByteArray());
        return issued.CopyWithPrivateKey(key);
    }
}
