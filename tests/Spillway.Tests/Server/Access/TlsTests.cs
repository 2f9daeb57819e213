using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Hosting;
using Spillway.Policies.Identity;
using Spillway.Tests.Config;
using Spillway.Tests.Protocols.Grpc;

namespace Spillway.Tests.Server.Access;

/// <summary>TLS and client certificates, with an authority made here.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly Authority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task REST_and_gRPC_are_served_over_TLS(bool isPfx)
    {
        using var certificate = _authority.Server();
        var folder = Folder(certificate, isPfx);
        await using var server = await KeyedServer.StartAsync(folder);
        Assert.Equal("https", server.Server.Address.Scheme);
        using var http = Client(server.Server.Address);
        using var reply = await Get(http, "/v2/models/echo", server.Operator);
        Assert.Equal(200, (int)reply.StatusCode);
        using var without = await http.GetAsync(new Uri("/v2/models/echo", UriKind.Relative));
        Assert.Equal(401, (int)without.StatusCode);

        using var grpc = Client(server.Server.Grpc!, isGrpc: true);
        Answered(await grpc.CallAsync("/grpc.health.v1.Health/Check", []));
        Answered(await grpc.CallAsync(GrpcCalls.Service + "ModelReady", Proto.Message(Proto.Text(1, "echo")),
            ("authorization", $"Bearer {server.Operator}")));
    }

    [Fact]
    public async Task Whoever_speaks_without_TLS_gets_no_answer()
    {
        using var certificate = _authority.Server();
        await using var server = await KeyedServer.StartAsync(Folder(certificate));
        var answer = await RawConnection.AskAsync(
            server.Server.Address, "GET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.DoesNotContain("200", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_certificate_is_its_holder_in_its_tenant()
    {
        using var certificate = _authority.Server();
        await using var server = await KeyedServer.StartAsync(Folder(certificate, mode: "optional"));
        using var probe = _authority.Client("CN=probe,O=Example");
        using var http = Client(server.Server.Address, probe);
        using var known = await Get(http, "/v2/models/echo", key: null);
        Assert.Equal(200, (int)known.StatusCode);
        using var admin = await Get(http, "/admin/v1/keys", key: null);
        Assert.Equal(403, (int)admin.StatusCode);
        // A key beside it decides.
        using var both = await Get(http, "/admin/v1/keys", server.Operator);
        Assert.Equal(200, (int)both.StatusCode);

        using var strange = _authority.Client("CN=stranger");
        using var second = Client(server.Server.Address, strange);
        using var unknown = await Get(second, "/v2/models/echo", key: null);
        Assert.Equal(401, (int)unknown.StatusCode);
        using var nobody = Client(server.Server.Address);
        using var none = await Get(nobody, "/v2/models/echo", key: null);
        Assert.Equal(401, (int)none.StatusCode);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_or_one_that_is_over_opens_no_connection()
    {
        using var certificate = _authority.Server();
        await using var server = await KeyedServer.StartAsync(Folder(certificate, mode: "optional"));
        using var others = new Authority();
        using var forged = others.Client("CN=probe");
        using var over = _authority.Client("CN=probe", isOver: true);
        using var wrongUse = _authority.Server("CN=probe");
        foreach (var bad in new[] { forged, over, wrongUse })
        {
            using var http = Client(server.Server.Address, bad);
            await Assert.ThrowsAsync<HttpRequestException>(() => Get(http, "/v2/models/echo", server.Operator));
        }
    }

    [Fact]
    public async Task Where_it_is_required_nobody_connects_without_one()
    {
        using var certificate = _authority.Server();
        await using var server = await KeyedServer.StartAsync(Folder(certificate, mode: "required"));
        using var nobody = Client(server.Server.Address);
        await Assert.ThrowsAsync<HttpRequestException>(() => Get(nobody, "/v2/health/live", key: null));
        using var probe = _authority.Client("CN=probe");
        using var http = Client(server.Server.Address, probe);
        using var known = await Get(http, "/v2/health/live", key: null);
        Assert.Equal(200, (int)known.StatusCode);
    }

    [Fact]
    public async Task A_changed_certificate_is_taken_and_a_broken_one_is_not()
    {
        using var folder = new ConfigFolder();
        using var first = _authority.Server("CN=first");
        using var second = _authority.Server("CN=second");
        var file = folder.PathOf("server.pem");
        Write(file, first);
        await using var tls = ServerTls.Open(new() { Certificate = file });
        string Name() => tls.Current.ServerCertificateContext!.TargetCertificate.Subject;
        Assert.Equal("CN=first", Name());
        Assert.True(tls.Refresh(NullLogger.Instance));
        Write(file, second, later: 1);
        Assert.True(tls.Refresh(NullLogger.Instance));
        Assert.Equal("CN=second", Name());
        await File.WriteAllTextAsync(file, "-----BEGIN CERTIFICATE-----\nbroken");
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddDays(20_000));
        Assert.False(tls.Refresh(NullLogger.Instance));
        Assert.Equal("CN=second", Name());
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")]
    public void A_file_that_is_no_certificate_is_a_sentence(string text)
    {
        using var folder = new ConfigFolder();
        File.WriteAllText(folder.PathOf("server.pem"), text);
        var refused = Assert.Throws<SpillwayStartException>(
            () => ServerTls.Open(new TlsOptions { Certificate = folder.PathOf("server.pem") }));
        Assert.Contains("access.tls", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_is_found_by_its_reference()
    {
        using var folder = new ConfigFolder();
        using var certificate = _authority.Server();
        File.WriteAllBytes(folder.PathOf("server.pfx"), certificate.Export(X509ContentType.Pkcs12, "a password"));
        File.WriteAllText(folder.PathOf("password"), "a password\n");
        var options = new TlsOptions { Certificate = folder.PathOf("server.pfx"),
            Password = $"file:{folder.PathOf("password")}" };
        Assert.NotNull(ServerTls.Open(options).Current.ServerCertificateContext);
        var refused = Assert.Throws<SpillwayStartException>(() => ServerTls.Open(options with { Password = "" }));
        Assert.DoesNotContain("a password", refused.Message, StringComparison.Ordinal);
    }

    private static void Write(string file, X509Certificate2 certificate, int later = 0)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        File.WriteAllText(file, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddDays(10_000 + later));
    }

    private static Task<HttpResponseMessage> Get(HttpClient http, string path, string? key)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key is not null)
            request.Headers.Authorization = new("Bearer", key);
        return http.SendAsync(request);
    }

    private ConfigFolder Folder(X509Certificate2 certificate, bool isPfx = false, string mode = "")
    {
        var clients = mode.Length == 0 ? "" : $", clientCertificates: {mode}, clientCa: ca.pem, clients: {{ probe: {{ "
            + $"tenant: a }} }}";
        var name = isPfx ? "server.pfx" : "server.pem";
        var folder = KeyedServer.Folder($"{{ keys: required, tls: {{ certificate: {name}{clients} }} }}");
        if (isPfx)
            File.WriteAllBytes(folder.PathOf(name), certificate.Export(X509ContentType.Pkcs12));
        else
            Write(folder.PathOf(name), certificate);
        File.WriteAllText(folder.PathOf("ca.pem"), _authority.Certificate.ExportCertificatePem());
        return folder;
    }

    /// <summary>A client that trusts this authority and no other.</summary>
    private HttpClient Client(Uri address, X509Certificate2? certificate = null, bool isGrpc = false)
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions = new()
        {
            CertificateChainPolicy = new()
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
            },
            ClientCertificateContext = certificate is null ? null
                : SslStreamCertificateContext.Create(certificate, null, offline: true),
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(_authority.Certificate);
        var http = new HttpClient(handler) { BaseAddress = address, Timeout = TestServer.Patience };
        if (isGrpc)
            (http.DefaultRequestVersion, http.DefaultVersionPolicy) = (
                new(2, 0), HttpVersionPolicy.RequestVersionExact);
        return http;
    }

    private static void Answered(GrpcReply reply) => Assert.True(reply.Status == 0, $"{reply.Status}: {reply.Text}");
}
