using System.Buffers;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Policies.Batching;

namespace Spillway.Protocols.OpenInference;

/// <summary>Everything of the protocol but infer: health, metadata, the list of models.</summary>
internal sealed class MetadataEndpoints(ServerContext server)
{
    /// <summary>GET /v2.</summary>
    public void Server(IBufferWriter<byte> into) =>
        Metadata.WriteServer(server.Snapshot.Server.Name, server.Version, Metadata.Extensions, into);

    /// <summary>GET /v2/health/live: the process answers.</summary>
    public static int Live(IBufferWriter<byte> into)
    {
        Metadata.WriteLive(live: true, into);
        return StatusCodes.Status200OK;
    }

    /// <summary>
    /// GET /v2/health/ready: every model answers and the server is not stopping. What is degraded stands beside it.
    /// </summary>
    public int Ready(IBufferWriter<byte> into)
    {
        Metadata.WriteReady(server.Serving.IsReady, into, server.Serving.Models.Canary?.HealthWarning);
        return server.Serving.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
    }

    /// <summary>GET …/ready of one model.</summary>
    public int ModelReady(Door door, IBufferWriter<byte> into)
    {
        var ready = door.Route.State is RouteState.Ready && !server.Serving.Stopping;
        Metadata.WriteModelReady(door.Route.Model.Name, ready, into);
        return ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
    }

    /// <summary>GET /v2/models.</summary>
    public void Models(IBufferWriter<byte> into, Caller caller) => Metadata.WriteModels(
        [.. server.Serving.Doors.Where(d => caller.Models?.Contains(d.Route.Model.Name) ?? true).Select(
            d => new ModelListing(
            d.Route.Model.Name, d.Route.Model.Version, State(d.Route), d.Route.Why, d.Traits?.Simulated ?? false))],
        into);

    /// <summary>GET /v2/models/{model}, of one that is loaded.</summary>
    public void Model(Door door, IBufferWriter<byte> into) => Metadata.WriteModel(
        new(door.Route.Model.Name, Versions(door), door.Traits!.Platform, door.Signature!, Properties(door)), into);

    /// <summary>Why a model that has no signature yet says nothing of itself.</summary>
    public static Fault NotThere(Door door) => default(RequestFlow).Begin(door.Route, stopping: false).Fault
        ?? new(FaultKind.ModelNotReady,
            $"Model {door.Route.Model.Name} is loaded when it is first asked to infer; its metadata is known then.");

    /// <summary>The versions of a model that answer, newest first.</summary>
    public IReadOnlyList<string> Versions(Door door) =>
        [.. server.Serving.VersionsOf(door.Route.Model.Name).Where(d => d.Route.State is RouteState.Ready)
            .Select(d => d.Route.Model.Version)];

    /// <summary>As Triton's repository index spells it.</summary>
    public static string State(Route route) => route.State switch
    {
        RouteState.Ready => "READY",
        RouteState.Loading => "LOADING",
        RouteState.Failed or RouteState.Absent or RouteState.Unloaded => "UNAVAILABLE",
    };

    /// <summary>Further facts of a model that is there, as text.</summary>
    public static List<KeyValuePair<string, string>> Properties(Door door)
    {
        var deadlines = door.Deadlines;
        List<KeyValuePair<string, string>> facts =
        [
            new("deployment", door.Route.Deployment),
            new("simulated", door.Traits!.Simulated ? "true" : "false"),
            new("deadline_ms", Number(Math.Ceiling(Default(door).TotalMilliseconds))),
        ];
        if (deadlines.FixedMs == 0 && OwnDeadline(door) is null)
        {
            facts.Add(new("deadline_rule", $"{Number(deadlines.Factor)} times the learned time at the request's size, "
                + $"at least {Number(deadlines.FloorMs)} ms"));
        }

        if (door.Deployment is { } deployment)
            facts.Add(new("batch_rows_useful", Number(deployment.Look().UsefulRows)));
        return facts;
    }

    /// <summary>The default deadline that a request of the typical size would get now.</summary>
    private static TimeSpan Default(Door door) => OwnDeadline(door) ??
        DeadlineRule.Decide(door.Deadlines, asked: null, door.Deployment?.TypicalRun ?? TimeSpan.Zero).Span;

    /// <summary>What a route gives all of its steps together; null for the first step's own.</summary>
    private static TimeSpan? OwnDeadline(Door door) => door.Plan is { Memory.Options.DeadlineMs: > 0 and var own }
        ? TimeSpan.FromMilliseconds(own) : null;

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
