using System.Buffers;
using Microsoft.AspNetCore.Http;
using Spillway.Flow;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// grpc.health.v1.Health: the whole server under the empty name and the name of the inference service, and each served
/// model under its own. https://github.com/grpc/grpc/blob/master/doc/health-checking.md
/// </summary>
internal sealed class HealthCalls(ServerContext server)
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    private enum Health : byte
    {
        Serving = 1,
        NotServing = 2,
        ServiceUnknown = 3,
    }

    /// <summary>Check.</summary>
    public ValueTask<Fault?> Check(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        if (ServiceOf(message.Span, out var service) is { } broken)
            return new(broken);
        var health = Of(service);
        if (health is Health.ServiceUnknown)
        {
            return new(new Fault(
                FaultKind.UnknownModel,
                $"Unknown service '{GrpcFaults.Shown(service)}'. Known are '', '{GrpcEndpoints.Service}' and the names "
                + "of the models served."));
        }

        into.Whole(1, (ulong)health);
        return default;
    }

    /// <summary>
    /// Watch: the state now, and again whenever it changes, until the caller leaves or the server stops.
    /// </summary>
    public async Task<Fault?> WatchAsync(HttpContext http, TimeSpan? patience)
    {
        var read = await MessageReader.ReadOnlyAsync(http, server).ConfigureAwait(false);
        var service = read.Fault is null ? NameOf(read.Message.Span, out var broken) : Refused(read.Fault, out broken);
        read.Body.Discard(server);
        if (broken is not null)
            return broken;
        http.Response.ContentType = GrpcAnswer.ContentType;
        var clock = server.Serving.Clock;
        using var timer = new PeriodicTimer(s_look, clock.Time);
        var (last, until) = ((Health?)null, patience is { } left ? clock.Now + left : Instant.Never);
        while (true)
        {
            var health = Of(service);
            if (health != last && await SendAsync(http, health).ConfigureAwait(false) is { } gone)
                return gone;
            last = health;
            if (server.Serving.Stopping)
                return Refusals.Stopping();
            if (clock.Now >= until)
                return new(FaultKind.DeadlineExceeded, "The call's deadline (grpc-timeout) has passed. Watch again.");
            if (!await NextAsync(timer, http.RequestAborted).ConfigureAwait(false))
                return new(FaultKind.Cancelled, "The caller went away.");
        }
    }

    private static async ValueTask<bool> NextAsync(PeriodicTimer timer, CancellationToken cancellation)
    {
        try
        {
            return await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static ValueTask<Fault?> SendAsync(HttpContext http, Health health)
    {
        var into = WireBuffer.OfThisThread;
        into.Whole(1, (ulong)health);
        http.Response.BodyWriter.Write(into.Frame());
        return AnswerFlush.FlushAsync(http);
    }

    private static byte[] NameOf(ReadOnlySpan<byte> message, out Fault? broken)
    {
        broken = ServiceOf(message, out var service);
        return service.ToArray();
    }

    private static byte[] Refused(Fault fault, out Fault? broken)
    {
        broken = fault;
        return [];
    }

    private static Fault? ServiceOf(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> service)
    {
        service = [];
        var wire = new WireReader(message);
        while (wire.Next(out var field))
        {
            if (field == 1)
                service = wire.Bytes();
            else
                wire.Skip();
        }

        return wire.Failed ? GrpcFaults.Broken("HealthCheckRequest", wire) : null;
    }

    private Health Of(ReadOnlySpan<byte> service)
    {
        var serving = server.Serving;
        if (service.IsEmpty || service.SequenceEqual("inference.GRPCInferenceService"u8))
            return serving.IsReady ? Health.Serving : Health.NotServing;
        if (!InferTranslation.Find(serving, service, []).TryGet(out var door, out _))
            return Health.ServiceUnknown;
        return PlainCalls.IsReady(serving, door) ? Health.Serving : Health.NotServing;
    }
}
