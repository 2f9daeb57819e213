using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spillway.Engine;
using Spillway.Runtimes;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// The model configuration extension: what serves a name, in the shape of Triton's model configuration. It is written
/// from what runs, not from what was asked for: the batch sizes are those of the measured curve, the instances are the
/// runners in use. File names only, never paths.
/// </summary>
internal static class ModelConfigJson
{
    private static readonly JsonWriterOptions s_options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>GET …/config of a served name that is loaded.</summary>
    public static void Write(Door door, IBufferWriter<byte> into)
    {
        using var json = new Utf8JsonWriter(into, s_options);
        var (model, signature) = (door.Route.Model, door.Signature!);
        json.WriteStartObject();
        json.WriteString("name"u8, model.Name);
        json.WriteString("platform"u8, door.Traits!.Platform);
        json.WriteString("backend"u8, Backend(door.Options.Runtime));
        Versions(json, model.Version);
        json.WriteNumber("max_batch_size"u8, signature.Batched ? door.RowsMax : 0);
        json.WriteStartArray("input"u8);
        foreach (var input in signature.Inputs)
            Input(json, input, signature.Batched);
        json.WriteEndArray();
        json.WriteStartArray("output"u8);
        foreach (var output in signature.Outputs)
            Output(json, output, signature.Batched, door.Options.Labels.GetValueOrDefault(output.Name, ""));
        json.WriteEndArray();
        Instances(json, door);
        json.WriteString("default_model_filename"u8, Path.GetFileName(door.Options.File));
        if (signature.Batched && door.RowsMax > 1)
            Batching(json, door);
        Parameters(json, door);
        json.WriteEndObject();
    }

    /// <summary>As Triton calls the backend; ours that it has not keep their own names.</summary>
    internal static string Backend(string runtime) => runtime == "onnx" ? "onnxruntime" : runtime;

    private static void Versions(Utf8JsonWriter json, string version)
    {
        json.WriteStartObject("version_policy"u8);
        json.WriteStartObject("specific"u8);
        json.WriteStartArray("versions"u8);
        json.WriteNumberValue(long.Parse(version, CultureInfo.InvariantCulture));
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Input(Utf8JsonWriter json, TensorSpec spec, bool batched)
    {
        json.WriteStartObject();
        Port(json, spec, batched);
        json.WriteString("format"u8, "FORMAT_NONE"u8);
        json.WriteBoolean("is_shape_tensor"u8, false);
        json.WriteBoolean("allow_ragged_batch"u8, false);
        json.WriteBoolean("optional"u8, false);
        json.WriteEndObject();
    }

    private static void Output(Utf8JsonWriter json, TensorSpec spec, bool batched, string labels)
    {
        json.WriteStartObject();
        Port(json, spec, batched);
        json.WriteString("label_filename"u8, Path.GetFileName(labels));
        json.WriteBoolean("is_shape_tensor"u8, false);
        json.WriteEndObject();
    }

    /// <summary>
    /// Without the dimension of the rows; what has no other is [1] that a reshape takes away, as in Triton.
    /// </summary>
    private static void Port(Utf8JsonWriter json, TensorSpec spec, bool batched)
    {
        json.WriteString("name"u8, spec.Name);
        json.WriteString("data_type"u8, spec.Type is DataType.Bytes ? "TYPE_STRING" : $"TYPE_{spec.Type.WireName()}");
        var dims = spec.Shape.Dims[(batched && spec.Shape.Rank > 0 ? 1 : 0)..];
        json.WriteStartArray("dims"u8);
        foreach (var dim in dims.IsEmpty ? [1L] : dims)
            json.WriteNumberValue(dim);
        json.WriteEndArray();
        if (!dims.IsEmpty)
            return;
        json.WriteStartObject("reshape"u8);
        json.WriteStartArray("shape"u8);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>One group a device. How many runners are in use follows the curve; devices share them.</summary>
    private static void Instances(Utf8JsonWriter json, Door door)
    {
        var devices = door.Traits!.Devices;
        var runners = door.Deployment?.Look().Runners ?? 0;
        json.WriteStartArray("instance_group"u8);
        foreach (var device in devices)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, $"{door.Route.Deployment}_{device.Name}");
            json.WriteString("kind"u8, Kind(device));
            json.WriteNumber("count"u8, Math.Max(1, runners / devices.Count));
            json.WriteBoolean("passive"u8, false);
            json.WriteString("host_policy"u8, ""u8);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    internal static string Kind(Device device) => device.Name == "cpu" ? "KIND_CPU"
        : device.Name.StartsWith("cuda", StringComparison.Ordinal) ? "KIND_GPU" : "KIND_MODEL";

    private static void Batching(Utf8JsonWriter json, Door door)
    {
        var batching = door.Options.Batching;
        json.WriteStartObject("dynamic_batching"u8);
        json.WriteStartArray("preferred_batch_size"u8);
        json.WriteNumberValue(door.Deployment?.Look().UsefulRows ?? 1);
        json.WriteEndArray();
        json.WriteNumber("max_queue_delay_microseconds"u8, (long)(batching.BatchWaitMs * 1000));
        json.WriteBoolean("preserve_ordering"u8, false);
        json.WriteNumber("priority_levels"u8, batching.PriorityLevels);
        json.WriteNumber("default_priority_level"u8, (batching.PriorityLevels + 1) / 2);
        json.WriteStartObject("default_queue_policy"u8);
        json.WriteString("timeout_action"u8, "REJECT"u8);
        json.WriteNumber("default_timeout_microseconds"u8, (long)(door.Options.Deadline.FixedMs * 1000));
        json.WriteBoolean("allow_timeout_override"u8, true);
        json.WriteNumber("max_queue_size"u8, batching.QueueLengthMax);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Parameters(Utf8JsonWriter json, Door door)
    {
        json.WriteStartObject("parameters"u8);
        json.WriteStartObject("deployment"u8);
        json.WriteString("string_value"u8, door.Route.Deployment);
        json.WriteEndObject();
        json.WriteStartObject("simulated"u8);
        json.WriteString("string_value"u8, door.Traits!.Simulated ? "true" : "false");
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
