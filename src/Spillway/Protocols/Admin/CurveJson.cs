using System.Text.Json;
using Spillway.Engine;

namespace Spillway.Protocols.Admin;

/// <summary>What a deployment has learned of its runs, for plans.</summary>
internal static class CurveJson
{
    /// <summary>The learned time of a run of typical rows, at powers of two of rows and at the largest batch.</summary>
    public static void Write(Utf8JsonWriter json, Deployment deployment)
    {
        json.WriteStartArray("curve");
        for (var rows = 1; rows > 0; rows = rows == deployment.BatchMax ? 0 : Math.Min(rows * 2, deployment.BatchMax))
        {
            json.WriteStartObject();
            json.WriteNumber("rows", rows);
            json.WriteNumber("ms", deployment.Predict(rows, deployment.TypicalElements * rows).TotalMilliseconds);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
