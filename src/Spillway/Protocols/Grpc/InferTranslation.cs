using System.Text;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Engine.Doors;
using Spillway.Flow;
using Spillway.Protocols.Access;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>Step 1 of a request that came by gRPC, alone or on a stream.</summary>
/// <param name="Fault">What is wrong with it; null when it can run.</param>
/// <param name="Routed">Whether its model was found, so that there is something to record it under.</param>
/// <param name="Held">Bytes held against the server's limit beside the message's own.</param>
internal readonly record struct InferTranslation(Fault? Fault, bool Routed, long Held)
{
    /// <summary>Longer names are not compared: no served name is as long.</summary>
    private const int NameBytesMax = 512;

    /// <summary>
    /// Finds the door, waits for its model where that is loaded on demand, and fills the work's request.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="work">A fresh work; gets its door.</param>
    /// <param name="message">A ModelInferRequest, which lives as long as the work.</param>
    /// <param name="patience">What is left of the call's own deadline; null for none.</param>
    /// <param name="http">The call, for its caller's leaving.</param>
    public static ValueTask<InferTranslation> ReadAsync(
        ServerContext server, Work work, ReadOnlyMemory<byte> message, TimeSpan? patience, HttpContext http)
    {
        if (ModelInferHead.Read(message.Span, out var head) is { } broken)
            return new(new InferTranslation(broken, Routed: false, Held: 0));
        if (AccessRights.Model(server, work.Caller, head.Model) is { } forbidden)
            return new(new InferTranslation(forbidden, Routed: false, Held: 0));
        if (!Find(server.Serving, head.Model, head.Version).TryGet(out var door, out var unknown))
            return new(new InferTranslation(AccessRights.Discreet(work.Caller, unknown), Routed: false, Held: 0));
        work.Door = door;
        return door is { Signature: null, Route.State: RouteState.Absent } && !server.Serving.Stopping
            ? LoadAsync(server, work, message, patience, http)
            : new(Read(server, work, message, head, patience));
    }

    private static async ValueTask<InferTranslation> LoadAsync(
        ServerContext server, Work work, ReadOnlyMemory<byte> message, TimeSpan? patience, HttpContext http)
    {
        // On a stream it may be over already.
        work.Request.Timeout = GrpcTimeout.Earlier(
            ModelInferHead.PeekTimeout(message.Span), patience < TimeSpan.Zero ? TimeSpan.Zero : patience);
        var fault = await server.Serving.Pipeline.LoadAsync(work, http.RequestAborted).ConfigureAwait(false);
        if (fault is not null)
            return new(fault, Routed: true, Held: 0);
        ModelInferHead.Read(message.Span, out var head);
        return Read(server, work, message, head, patience);
    }

    private static InferTranslation Read(
        ServerContext server, Work work, ReadOnlyMemory<byte> message, in ModelInferHead head, TimeSpan? patience)
    {
        var door = work.Door;
        // A model that is not there yet has no signature to read against.
        if (door.Signature is not { } signature)
        {
            var absent = work.Flow.Begin(door.Route, server.Serving.Stopping).Fault;
            return new(absent ?? MetadataEndpoints.NotThere(door), Routed: true, Held: 0);
        }

        var fault = ModelInferReader.Read(
            message, head, server, signature, door.Route.Model.Name, work.Request, out var held)
            ?? Hardening.Ask(work);
        work.Request.Timeout = GrpcTimeout.Earlier(work.Request.Timeout, patience);
        return new(fault, Routed: true, held);
    }

    /// <summary>The door of names as they stand in a message.</summary>
    public static Outcome<Door> Find(Serving serving, ReadOnlySpan<byte> model, ReadOnlySpan<byte> version)
    {
        Span<char> names = stackalloc char[2 * NameBytesMax];
        var name = names[..Encoding.UTF8.GetChars(model[..Math.Min(model.Length, NameBytesMax)], names)];
        var rest = names[name.Length..];
        var number = rest[..Encoding.UTF8.GetChars(version[..Math.Min(version.Length, NameBytesMax)], rest)];
        return ModelLookup.Find(serving, name, number);
    }
}
