using Spillway.Engine;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols.Grpc;

/// <summary>What a served name is and did, over gRPC: ModelConfig and ModelStatistics.</summary>
internal sealed class ModelCalls(ServerContext server)
{
    /// <summary>Offers its calls.</summary>
    public void AddTo(Dictionary<string, PlainCall> calls)
    {
        calls.Add("ModelConfig", Config);
        calls.Add("ModelStatistics", Statistics);
    }

    private ValueTask<Fault?> Config(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        if (Find(message.Span, out var door) is { } fault)
            return new(fault);
        var config = into.Begin(1);
        ModelConfigMessage.Write(door!, into);
        into.End(config);
        return default;
    }

    /// <summary>Of one name, or without a name of everything that is loaded.</summary>
    private ValueTask<Fault?> Statistics(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        if (PlainCalls.ReadNames(message.Span, out var name, out _) is { } broken)
            return new(broken);
        if (name.IsEmpty)
        {
            foreach (var one in server.Serving.Doors.Where(d => d.Signature is not null))
                Write(into, one);
            return default;
        }

        if (Find(message.Span, out var door) is { } fault)
            return new(fault);
        Write(into, door!);
        return default;
    }

    /// <summary>The door of the message's name and version, of a model that is loaded.</summary>
    private Fault? Find(ReadOnlySpan<byte> message, out Door? door)
    {
        door = null;
        if (PlainCalls.ReadNames(message, out var name, out var version) is { } broken)
            return broken;
        if (!InferTranslation.Find(server.Serving, name, version).TryGet(out door, out var unknown))
            return unknown;
        return door.Signature is null ? MetadataEndpoints.NotThere(door) : null;
    }

    private void Write(WireBuffer into, Door door)
    {
        var view = server.Recorder.Instruments(door).Statistics.Look();
        var entry = into.Begin(1);
        into.Text(1, door.Route.Model.Name);
        into.Text(2, door.Route.Model.Version);
        into.Whole(3, (ulong)view.LastInferenceUnixMs);
        into.Whole(4, (ulong)view.InferenceCount);
        into.Whole(5, (ulong)view.ExecutionCount);
        var sums = into.Begin(6);
        Write(into, 1, view.Success);
        Write(into, 2, view.Fail);
        Write(into, 3, view.Queue);
        Write(into, 4, view.ComputeInput);
        Write(into, 5, view.ComputeInfer);
        Write(into, 6, view.ComputeOutput);
        Write(into, 7, default);
        Write(into, 8, default);
        into.End(sums);
        foreach (var batch in view.Batches)
        {
            var one = into.Begin(7);
            into.Whole(1, (ulong)batch.Rows);
            Write(into, 2, batch.ComputeInput);
            Write(into, 3, batch.ComputeInfer);
            Write(into, 4, batch.ComputeOutput);
            into.End(one);
        }

        into.End(entry);
    }

    private static void Write(WireBuffer into, int field, StatisticDuration duration)
    {
        var entry = into.Begin(field);
        into.Whole(1, (ulong)duration.Count);
        into.Whole(2, (ulong)duration.Nanoseconds);
        into.End(entry);
    }
}
