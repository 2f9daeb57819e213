using System.Collections.Frozen;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Protocols.Access;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>One message in, one message out, and nothing hot about it.</summary>
/// <param name="message">The request; valid for the call.</param>
/// <param name="into">Where the answer's fields go.</param>
/// <param name="cancellation">The caller left.</param>
/// <returns>Why there is no answer, or null.</returns>
internal delegate ValueTask<Fault?> PlainCall(
    ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation);

/// <summary>
/// Every unary call but ModelInfer. What this server does not offer is listed too, with the words that say so.
/// </summary>
internal sealed class PlainCalls
{
    private static readonly (string Call, string Why)[] s_missing =
    [
        ("SystemSharedMemoryStatus", SharedMemory),
        ("SystemSharedMemoryRegister", SharedMemory),
        ("SystemSharedMemoryUnregister", SharedMemory),
        ("CudaSharedMemoryStatus", SharedMemory),
        ("CudaSharedMemoryRegister", SharedMemory),
        ("CudaSharedMemoryUnregister", SharedMemory),
    ];

    private const string SharedMemory = "Send tensors in raw_input_contents.";

    private readonly ServerContext _server;
    private readonly MetadataEndpoints _metadata;

    public PlainCalls(ServerContext server)
    {
        (_server, _metadata) = (server, new(server));
        var calls = new Dictionary<string, PlainCall>
        {
            ["ServerLive"] = Live,
            ["ServerReady"] = Ready,
            ["ModelReady"] = ModelReady,
            ["ServerMetadata"] = ServerMetadata,
            ["ModelMetadata"] = ModelMetadata,
        };
        new RepositoryCalls(server).AddTo(calls);
        new ModelCalls(server).AddTo(calls);
        new SettingsCalls(server).AddTo(calls);
        foreach (var (call, why) in s_missing)
            calls.Add(call, Missing(call, why));
        ByPath = calls.ToDictionary(c => $"/{GrpcEndpoints.Service}/{c.Key}", c => c.Value)
            .Append(new("/grpc.health.v1.Health/Check", new HealthCalls(server).Check)).ToFrozenDictionary();
    }

    /// <summary>The calls by their paths.</summary>
    public FrozenDictionary<string, PlainCall> ByPath { get; }

    /// <summary>
    /// Null when the caller may ask this of the message's model; who may use some models only cannot list all.
    /// </summary>
    public static Fault? Refuse(ServerContext server, Caller caller, string path, ReadOnlySpan<byte> message)
    {
        if (caller.Models is null)
            return null;
        switch (path.AsSpan(path.LastIndexOf('/') + 1))
        {
            case "RepositoryIndex":
                return AccessRights.Everything(server, caller);
            case "ModelReady" or "ModelMetadata" or "ModelConfig" or "ModelStatistics":
                if (ReadNames(message, out var name, out _) is { } broken)
                    return broken;
                return name.IsEmpty
                    ? AccessRights.Everything(server, caller) : AccessRights.Model(server, caller, name);
            default:
                return null;
        }
    }

    /// <summary>Whether a served name answers now.</summary>
    public static bool IsReady(Serving serving, Door door) =>
        door.Route.State is RouteState.Ready && !serving.Stopping;

    private static PlainCall Missing(string call, string why) => (_, _, _) =>
        new(new Fault(FaultKind.Unsupported, $"{call} is not offered by this server. {why}"));

    private static ValueTask<Fault?> Live(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        into.Whole(1, 1);
        return default;
    }

    private ValueTask<Fault?> Ready(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        into.Whole(1, _server.Serving.IsReady ? 1u : 0u);
        return default;
    }

    /// <summary>
    /// A name that is not served is not ready, and no error: clients wait for a model by asking this.
    /// </summary>
    private ValueTask<Fault?> ModelReady(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        if (ReadNames(message.Span, out var name, out var version) is { } broken)
            return new(broken);
        var found = InferTranslation.Find(_server.Serving, name, version).TryGet(out var door, out _);
        into.Whole(1, found && IsReady(_server.Serving, door!) ? 1u : 0u);
        return default;
    }

    private ValueTask<Fault?> ServerMetadata(
        ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        into.Text(1, _server.Snapshot.Server.Name);
        into.Text(2, _server.Version);
        foreach (var extension in Metadata.Extensions)
            into.Text(3, extension);
        return default;
    }

    private ValueTask<Fault?> ModelMetadata(
        ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        if (ReadNames(message.Span, out var name, out var version) is { } broken)
            return new(broken);
        if (!InferTranslation.Find(_server.Serving, name, version).TryGet(out var door, out var unknown))
            return new(unknown);
        if (door.Signature is not { } signature || door.Traits is not { } traits)
            return new(MetadataEndpoints.NotThere(door));
        into.Text(1, door.Route.Model.Name);
        foreach (var served in _metadata.Versions(door))
            into.Text(2, served);
        into.Text(3, traits.Platform);
        Tensors(into, 4, signature.Inputs);
        Tensors(into, 5, signature.Outputs);
        foreach (var (key, value) in MetadataEndpoints.Properties(door))
        {
            var entry = into.Begin(6);
            into.Text(1, key);
            into.Text(2, value);
            into.End(entry);
        }

        return default;
    }

    private static void Tensors(WireBuffer into, int field, IReadOnlyList<TensorSpec> specs)
    {
        foreach (var spec in specs)
        {
            var entry = into.Begin(field);
            into.Bytes(1, spec.NameUtf8);
            into.Text(2, spec.Type.WireName());
            into.Packed(3, spec.Shape.Dims);
            into.End(entry);
        }
    }

    /// <summary>Name and version, fields 1 and 2 of most requests.</summary>
    internal static Fault? ReadNames(
        ReadOnlySpan<byte> message, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> version)
    {
        name = [];
        version = [];
        var wire = new WireReader(message);
        while (wire.Next(out var field))
        {
            if (field == 1)
                name = wire.Bytes();
            else if (field == 2)
                version = wire.Bytes();
            else
                wire.Skip();
        }

        return wire.Failed ? GrpcFaults.Broken("the request", wire) : null;
    }
}
