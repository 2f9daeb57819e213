using Spillway.Tests.Config;
using Spillway.Tests.Server;

namespace Spillway.Tests.Protocols.Grpc;

/// <summary>One server for the tests of a class.</summary>
public sealed class GrpcServer : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    internal HttpClient Client { get; private set; } = null!;

    /// <summary>The folder of its repository, which has the model shelf.</summary>
    internal string Models { get; private set; } = "";

    /// <summary>The models that tests/clients/grpc.mjs asks for too; slow answers after a minute.</summary>
    internal static ConfigFolder Folder(string server = "bodyBytesMax: 65536") => TestServer.Folder(
        server,
        ("echo", TestServer.Simulated()),
        ("slow", TestServer.Simulated("{ 1: 60000 }", more: "batching: { batchRowsMax: 1 }")),
        ("words", TestServer.Simulated(inputs: "w: \"BYTES [-1]\"", outputs: "label: \"BYTES [-1]\"")),
        ("mixed", TestServer.Simulated(
            inputs: "i: \"INT8 [-1,4]\", b: \"BOOL [-1,2]\", s: \"BYTES [-1]\"",
                outputs: "o: \"INT8 [-1,4]\", p: \"INT8 [-1,2]\"")));

    /// <summary>A typed request for mixed.</summary>
    internal static byte[] MixedRow() => Proto.Message(
        Proto.Text(1, "mixed"),
        Proto.Input("i", "INT8", [1, 4], Proto.Bytes(5, Proto.Packed(2, -128, -1, 0, 127))),
        Proto.Input("b", "BOOL", [1, 2], Proto.Bytes(5, Proto.Packed(1, 1, 0))),
        Proto.Input("s", "BYTES", [1], Proto.Bytes(5, Proto.Text(8, "text"))));

    public async Task InitializeAsync()
    {
        var folder = Folder().Model("shelf", 1);
        Models = folder.PathOf("models");
        await File.AppendAllTextAsync(
            folder.PathOf("spillway.yaml"), "repository: { path: models, modelControl: explicit }\n");
        Server = await TestServer.StartAsync(folder);
        Client = GrpcCalls.Client(Server);
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
    }
}
