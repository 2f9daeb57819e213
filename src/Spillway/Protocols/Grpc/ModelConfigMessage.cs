using System.Globalization;
using Spillway.Engine;
using Spillway.Protocols.OpenInference;
using Spillway.Runtimes;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// What serves a name, as the message ModelConfig: the same facts that <see cref="ModelConfigJson"/> writes, under the
/// numbers of model_config.proto beside this file.
/// </summary>
internal static class ModelConfigMessage
{
    /// <summary>The fields of a served name that is loaded.</summary>
    public static void Write(Door door, WireBuffer into)
    {
        var (model, signature) = (door.Route.Model, door.Signature!);
        into.Text(1, model.Name);
        into.Text(2, door.Traits!.Platform);
        Versions(into, model.Version);
        into.Whole(4, signature.Batched ? (ulong)door.RowsMax : 0);
        foreach (var input in signature.Inputs)
            Port(into, field: 5, dimsField: 4, input, signature.Batched, labels: "");
        foreach (var output in signature.Outputs)
        {
            Port(into, field: 6, dimsField: 3, output, signature.Batched,
                door.Options.Labels.GetValueOrDefault(output.Name, ""));
        }

        foreach (var device in door.Traits.Devices)
            Instances(into, door, device);
        into.Text(8, Path.GetFileName(door.Options.File));
        if (signature.Batched && door.RowsMax > 1)
            Batching(into, door);
        Parameter(into, "deployment", door.Route.Deployment);
        Parameter(into, "simulated", door.Traits.Simulated ? "true" : "false");
        into.Text(17, ModelConfigJson.Backend(door.Options.Runtime));
    }

    private static void Versions(WireBuffer into, string version)
    {
        var policy = into.Begin(3);
        var specific = into.Begin(3);
        into.Packed(1, [long.Parse(version, CultureInfo.InvariantCulture)]);
        into.End(specific);
        into.End(policy);
    }

    /// <summary>Without the dimension of the rows; what has no other is [1] that a reshape takes away.</summary>
    private static void Port(
        WireBuffer into, int field, int dimsField, TensorSpec spec, bool batched, string labels)
    {
        var entry = into.Begin(field);
        into.Bytes(1, spec.NameUtf8);
        into.Whole(2, Number(spec.Type));
        var dims = spec.Shape.Dims[(batched && spec.Shape.Rank > 0 ? 1 : 0)..];
        into.Packed(dimsField, dims.IsEmpty ? [1L] : dims);
        if (labels.Length > 0)
            into.Text(4, Path.GetFileName(labels));
        if (dims.IsEmpty)
            into.End(into.Begin(5));
        into.End(entry);
    }

    /// <summary>One group a device, as in the JSON.</summary>
    private static void Instances(WireBuffer into, Door door, Device device)
    {
        var entry = into.Begin(7);
        into.Text(1, $"{door.Route.Deployment}_{device.Name}");
        var share = (door.Deployment?.Look().Runners ?? 0) / door.Traits!.Devices.Count;
        into.Whole(2, (ulong)Math.Max(1, share));
        into.Whole(4, ModelConfigJson.Kind(device) switch
        {
            "KIND_GPU" => 1,
            "KIND_CPU" => 2,
            _ => 3,
        });
        into.End(entry);
    }

    private static void Batching(WireBuffer into, Door door)
    {
        var batching = door.Options.Batching;
        var entry = into.Begin(11);
        into.Packed(1, [door.Deployment?.Look().UsefulRows ?? 1]);
        into.Whole(2, (ulong)(batching.BatchWaitMs * 1000));
        into.Whole(4, (ulong)batching.PriorityLevels);
        into.Whole(5, (ulong)(batching.PriorityLevels + 1) / 2);
        var policy = into.Begin(6);
        into.Whole(2, (ulong)(door.Options.Deadline.FixedMs * 1000));
        into.Whole(3, 1);
        into.Whole(4, (ulong)batching.QueueLengthMax);
        into.End(policy);
        into.End(entry);
    }

    private static void Parameter(WireBuffer into, string name, string value)
    {
        var entry = into.Begin(14);
        into.Text(1, name);
        var inner = into.Begin(2);
        into.Text(1, value);
        into.End(inner);
        into.End(entry);
    }

    /// <summary>The numbers of the enum DataType.</summary>
    private static ulong Number(DataType type) => type switch
    {
        DataType.Bool => 1,
        DataType.UInt8 => 2,
        DataType.UInt16 => 3,
        DataType.UInt32 => 4,
        DataType.UInt64 => 5,
        DataType.Int8 => 6,
        DataType.Int16 => 7,
        DataType.Int32 => 8,
        DataType.Int64 => 9,
        DataType.Float16 => 10,
        DataType.Float32 => 11,
        DataType.Float64 => 12,
        DataType.Bytes => 13,
        DataType.BFloat16 => 14,
    };
}
