using Spillway.Tests.Runtimes.Onnx;
using Spillway.Tests.Server;

namespace Spillway.Tests.Protocols.Grpc;

/// <summary>
/// gRPC's own client for Node.js, which nobody here wrote, with the .proto files, and the same over REST with the
/// requests of Triton's HTTP client: tests/clients.
/// </summary>
public sealed class GrpcClientTests(GrpcServer fixture) : IClassFixture<GrpcServer>
{
    [Fact]
    public Task The_client_of_grpc_js_finds_everything_as_it_expects() =>
        PassesAsync("grpc.mjs", scenarios: 11, fixture.Server.Grpc!.Authority, fixture.Models);

    [Fact]
    public Task Requests_as_tritons_http_client_writes_them_are_answered_as_it_reads_them() =>
        PassesAsync("http.mjs", scenarios: 10, fixture.Server.Address.ToString());

    private async Task PassesAsync(string script, int scenarios, params string[] arguments)
    {
        Assert.True(
            Directory.Exists(Repository.At("tests", "clients", "node_modules")),
            "tests/clients is not installed: run `npm ci` there, or build the tests where Node.js 20 or newer is.");
        await using var node = ChildProcess.Start(
            "node", [Repository.At("tests", "clients", script), .. arguments]);
        var (code, output, errors) = await node.EndAsync();
        Assert.True(code == 0, output + errors);
        Assert.Equal(scenarios, output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        // What was cancelled and what ran out of time runs no more.
        await fixture.Server.UntilModelAsync("slow", "active_runs", 0);
    }
}
