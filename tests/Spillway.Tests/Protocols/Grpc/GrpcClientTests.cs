using Spillway.Tests.Runtimes.Onnx;
using Spillway.Tests.Server;

namespace Spillway.Tests.Protocols.Grpc;

/// <summary>
/// gRPC's own client for Node.js, which nobody here wrote, with the .proto files: tests/clients/grpc.mjs.
/// </summary>
public sealed class GrpcClientTests(GrpcServer fixture) : IClassFixture<GrpcServer>
{
    private const int Scenarios = 11;

    [Fact]
    public async Task The_client_of_grpc_js_finds_everything_as_it_expects()
    {
        Assert.True(
            Directory.Exists(Repository.At("tests", "clients", "node_modules")),
            "tests/clients is not installed: run `npm ci` there, or build the tests where Node.js 20 or newer is.");
        await using var node = ChildProcess.Start(
            "node", [Repository.At("tests", "clients", "grpc.mjs"), fixture.Server.Grpc!.Authority, fixture.Models]);
        var (code, output, errors) = await node.EndAsync();
        Assert.True(code == 0, output + errors);
        Assert.Equal(Scenarios, output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        // What was cancelled and what ran out of time runs no more.
        await fixture.Server.UntilModelAsync("slow", "active_runs", 0);
    }
}
