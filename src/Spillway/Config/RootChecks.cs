using System.Net;

namespace Spillway.Config;

/// <summary>Rules of spillway.yaml that concern more than the form of one value.</summary>
internal static class RootChecks
{
    /// <summary>Reports what the server's section breaks.</summary>
    public static void Server(ServerOptions server, OptionBinder bound)
    {
        if (!IsLoopback(server.Address) && !bound.Failed("server.address"))
        {
            bound.Report("server.address", server.Address,
                "Only loopback addresses are allowed: there are no keys yet, "
                + "so whoever reached the port could use every model.",
                "Use 127.0.0.1, ::1 or localhost. To serve others, put a proxy that checks who they are in front.");
        }

        if (server.BodyBytesInFlightMax < server.BodyBytesMax && !bound.Failed("server.bodyBytesInFlightMax")
            && !bound.Failed("server.bodyBytesMax"))
        {
            bound.Report("server.bodyBytesInFlightMax", $"{server.BodyBytesInFlightMax}",
                $"It is smaller than bodyBytesMax ({server.BodyBytesMax} bytes), "
                + "so that the largest body could never be taken.",
                "Raise bodyBytesInFlightMax, or lower bodyBytesMax.");
        }

        if (string.IsNullOrWhiteSpace(server.Name) && !bound.Failed("server.name"))
            bound.Report("server.name", server.Name, "The name is empty.",
                "Give a name, or remove the key (default spillway).");
    }

    /// <summary>Reports what the section telemetry breaks.</summary>
    public static void Telemetry(TelemetryOptions telemetry, OptionBinder bound)
    {
        const string Key = "telemetry.otlpEndpoint";
        if (telemetry.OtlpEndpoint.Length > 0 && !OtlpVariables.TryAddress(telemetry.OtlpEndpoint, out _)
            && !bound.Failed(Key))
        {
            bound.Report(Key, telemetry.OtlpEndpoint, "It is not an http or https address without a user name.",
                "Give the receiver's base address, as http://127.0.0.1:4318; "
                + "keys belong into OTEL_EXPORTER_OTLP_HEADERS.");
        }
    }

    private static bool IsLoopback(string address) =>
        address == "localhost" || (IPAddress.TryParse(address, out var ip) && IPAddress.IsLoopback(ip));
}
