using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Spillway.Engine;
using Spillway.Engine.Gateway;
using Spillway.Tests.Server.Access;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>Connections to an upstream.</summary>
public sealed class GatewayTargetTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_time_of_connecting_has_TLS_in_it_and_the_answers_time_not(bool hasTls)
    {
        var time = new ManualTimeProvider();
        using var authority = new Authority();
        using var certificate = authority.Server();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var tls = new SslStream(client.GetStream());
            Stream stream = hasTls ? tls : client.GetStream();
            if (hasTls)
            {
                time.Advance(TimeSpan.FromSeconds(3));
                await tls.AuthenticateAsServerAsync(certificate);
            }

            await stream.ReadAtLeastAsync(new byte[4096], 1);
            time.Advance(TimeSpan.FromSeconds(20));
            await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 204 Fine\r\n\r\n"));
        });
        using var connections = GatewayTarget.Connections(new() { ConnectMs = 60_000 }, new Clock(time));
        connections.SslOptions.RemoteCertificateValidationCallback = (_, given, _, _) =>
            given?.GetCertHashString() == certificate.GetCertHashString();
        using var http = new HttpMessageInvoker(connections);
        var took = new ConnectTime();
        using var request = new HttpRequestMessage(
            HttpMethod.Get, $"{(hasTls ? "https" : "http")}://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
        request.Options.Set(GatewayTarget.Connecting, took);

        using var response = await http.SendAsync(request, CancellationToken.None);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(hasTls ? 3 : 0, took.Took.TotalSeconds);
        await serving;
    }
}
