using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Spillway.Protocols.OpenInference;

/// <summary>What a served name says of itself.</summary>
/// <param name="Name">The served name.</param>
/// <param name="Versions">Its versions, each a positive integer as text.</param>
/// <param name="Platform">Such as "onnxruntime_onnx".</param>
/// <param name="Signature">Inputs and outputs.</param>
/// <param name="Properties">Further facts as text, such as deadline_ms; empty for none.</param>
internal sealed record ModelMetadata(
    string Name, IReadOnlyList<string> Versions, string Platform, Signature Signature,
    IReadOnlyList<KeyValuePair<string, string>> Properties);

/// <summary>One line of the list of models.</summary>
/// <param name="Name">The served name.</param>
/// <param name="Version">Its version.</param>
/// <param name="State">READY, LOADING, UNAVAILABLE or UNLOADING, as Triton's repository index spells them.</param>
/// <param name="Reason">Why it is not ready; empty when it is.</param>
/// <param name="Simulated">True when nothing real runs.</param>
internal readonly record struct ModelListing(
    string Name, string Version, string State, string Reason = "", bool Simulated = false);

/// <summary>Bodies of everything but infer. Not on the hot path, so Utf8JsonWriter writes them.</summary>
internal static class Metadata
{
    // Relaxed: an answer is application/json, never part of a page, and is to be readable.
    private static readonly JsonWriterOptions s_options =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The protocol's extensions that this server speaks, as Triton names them.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
    [
        "classification", "model_repository", "model_repository(unload_dependents)", "schedule_policy",
        "model_configuration", "binary_tensor_data", "parameters", "statistics", "trace", "logging",
    ];

    /// <summary>GET /v2.</summary>
    public static void WriteServer(
        string name, string version, IReadOnlyList<string> extensions, IBufferWriter<byte> into)
    {
        using var json = new Utf8JsonWriter(into, s_options);
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteString("version"u8, version);
        WriteStrings(json, "extensions"u8, extensions);
        json.WriteEndObject();
    }

    /// <summary>GET /v2/models/{model}.</summary>
    public static void WriteModel(ModelMetadata model, IBufferWriter<byte> into)
    {
        using var json = new Utf8JsonWriter(into, s_options);
        json.WriteStartObject();
        json.WriteString("name"u8, model.Name);
        WriteStrings(json, "versions"u8, model.Versions);
        json.WriteString("platform"u8, model.Platform);
        WriteTensors(json, "inputs"u8, model.Signature.Inputs);
        WriteTensors(json, "outputs"u8, model.Signature.Outputs);
        if (model.Properties.Count > 0)
        {
            json.WriteStartObject("properties"u8);
            foreach (var (key, value) in model.Properties)
                json.WriteString(key, value);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>GET /v2/models.</summary>
    public static void WriteModels(IReadOnlyList<ModelListing> models, IBufferWriter<byte> into)
    {
        using var json = new Utf8JsonWriter(into, s_options);
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (var model in models)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, model.Name);
            json.WriteString("version"u8, model.Version);
            json.WriteString("state"u8, model.State);
            if (model.Reason.Length > 0)
                json.WriteString("reason"u8, model.Reason);
            if (model.Simulated)
                json.WriteBoolean("simulated"u8, true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>GET /v2/health/live.</summary>
    public static void WriteLive(bool live, IBufferWriter<byte> into) => into.Write(
        live ? "{\"live\":true}"u8 : "{\"live\":false}"u8);

    /// <summary>GET /v2/health/ready.</summary>
    public static void WriteReady(bool ready, IBufferWriter<byte> into, string? warning = null)
    {
        var json = new JsonOutput(into);
        json.Raw(ready ? "{\"ready\":true"u8 : "{\"ready\":false"u8);
        if (warning is not null)
        {
            json.Raw(",\"warning\":"u8);
            json.String(warning);
        }

        json.Raw("}"u8);
        json.Flush();
    }

    /// <summary>GET /v2/models/{model}/ready, when it is.</summary>
    public static void WriteModelReady(string name, bool ready, IBufferWriter<byte> into)
    {
        var json = new JsonOutput(into);
        json.Raw("{\"name\":"u8);
        json.String(name);
        json.Raw(ready ? ",\"ready\":true}"u8 : ",\"ready\":false}"u8);
        json.Flush();
    }

    /// <summary>Every refusal: {"error":text}.</summary>
    public static void WriteError(string text, IBufferWriter<byte> into)
    {
        var json = new JsonOutput(into);
        json.Raw("{\"error\":"u8);
        json.String(text);
        json.Raw("}"u8);
        json.Flush();
    }

    private static void WriteStrings(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void WriteTensors(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<TensorSpec> specs)
    {
        json.WriteStartArray(name);
        foreach (var spec in specs)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, spec.Name);
            json.WriteString("datatype"u8, spec.Type.WireName());
            json.WriteStartArray("shape"u8);
            foreach (var dim in spec.Shape.Dims)
                json.WriteNumberValue(dim);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
