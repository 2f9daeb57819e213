using System.Text;
using System.Text.Json;

namespace Spillway.Engine.Upstreams;

/// <summary>GET /v2/models/{model} of a target, into a signature.</summary>
internal static class TargetMetadata
{
    /// <summary>Reads it; a fault says what is wrong with it.</summary>
    public static Outcome<Signature> Read(string target, ReadOnlyMemory<byte> text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var (inputs, outputs) = (Ports(json.RootElement, "inputs"), Ports(json.RootElement, "outputs"));
            if (inputs.Count == 0 || outputs.Count == 0)
                return Broken(target, "it names no inputs or no outputs");
            if (Math.Max(inputs.Count, outputs.Count) > Signature.PortsMax)
                return Broken(target, $"it has more than {Signature.PortsMax} inputs or outputs");
            return new Signature(inputs, outputs, inputs.Concat(outputs).All(IsBatched));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            return Broken(target, e.Message);
        }
    }

    private static bool IsBatched(TensorSpec spec) => spec.Shape.Rank > 0 && spec.Shape[0] < 0;

    private static List<TensorSpec> Ports(JsonElement json, string name)
    {
        var ports = new List<TensorSpec>();
        foreach (var port in json.GetProperty(name).EnumerateArray())
        {
            var type = port.GetProperty("datatype").GetString() ?? "";
            if (!DataTypes.TryParse(Encoding.UTF8.GetBytes(type), out var known))
                throw new FormatException($"the datatype '{type}' is unknown");
            Shape shape = default;
            foreach (var dim in port.GetProperty("shape").EnumerateArray())
            {
                if (!shape.TryAdd(dim.GetInt64()))
                    throw new FormatException($"a shape has more than {Shape.RankMax} dimensions");
            }

            ports.Add(new(port.GetProperty("name").GetString() ?? "", known, shape));
        }

        return ports;
    }

    private static Fault Broken(string target, string why) => new(
        FaultKind.UpstreamFailed, $"The upstream {target} does not say what its model takes and gives: {why}.");
}
