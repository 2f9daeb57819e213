using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class GrpcPortTests
{
    [Theory]
    [InlineData(8000, null, 8001)]
    [InlineData(8080, null, 8081)]
    [InlineData(0, null, 0)]
    [InlineData(0, 8001, 8001)]
    [InlineData(8000, 0, 0)]
    [InlineData(8000, -1, -1)]
    public void The_gRPC_port_follows_the_port_unless_it_is_given(int port, int? given, int inForce) =>
        Assert.Equal(inForce, new ServerOptions { Port = port, GrpcPort = given }.GrpcPortInForce);

    [Theory]
    [InlineData("port: 65535", "No port is left")]
    [InlineData("port: 8000, grpcPort: 8000", "It is server.port")]
    [InlineData("port: 8000, grpcPort: -2", "out of range")]
    public void A_port_that_cannot_be_is_refused_with_the_reason(string server, string says)
    {
        using var folder = new ConfigFolder().Write("spillway.yaml", $"server: {{ {server} }}\nmodels: [echo]\n")
            .Write("echo/model.yaml", Server.TestServer.Simulated());
        var loaded = ConfigLoader.Load(
            folder.PathOf("spillway.yaml"), Spillway.App.Hosting.Composition.RuntimeOptions, new Dictionary<string, string>());
        var error = Assert.Single(loaded.Errors);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
    }
}
