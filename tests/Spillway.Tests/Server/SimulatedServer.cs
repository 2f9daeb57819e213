namespace Spillway.Tests.Server;

/// <summary>One server for the tests of a class: quick simulated models that show whose input they answer.</summary>
public sealed class SimulatedServer : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await TestServer.StartAsync(TestServer.Folder(
        "bodyBytesMax: 65536",
        ("echo", TestServer.Simulated()),
        ("pair", TestServer.Simulated(inputs: "a: \"INT32 [-1,2]\", b: \"FP32 [-1,2]\"", outputs: "p: \"INT32 [-1,2]\", label: \"BYTES [-1]\"", more: "version: 3")),
        ("words", TestServer.Simulated(
            inputs: "w: \"BYTES [-1]\"", outputs: "label: \"BYTES [-1]\"", more: "deadline: { fixedMs: 300000 }")),
        ("broken", TestServer.Simulated(more: "  faultRate: 1")),
        ("wide", TestServer.Simulated(outputs: "y: \"FP32 [-1,4000]\"")),
        ("widest", TestServer.Simulated(outputs: "y: \"FP32 [-1,300000]\"")),
        ("plain", TestServer.Simulated(more: "deadline: { factor: 5 }"))));

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
