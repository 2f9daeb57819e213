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

        Grpc(server, bound);
        if (string.IsNullOrWhiteSpace(server.Name) && !bound.Failed("server.name"))
            bound.Report("server.name", server.Name, "The name is empty.",
                "Give a name, or remove the key (default spillway).");
    }

    private static void Grpc(ServerOptions server, OptionBinder bound)
    {
        if (server.GrpcPortInForce > ushort.MaxValue && !bound.Failed("server.port"))
        {
            bound.Report("server.port", $"{server.Port}", "No port is left after it for gRPC.",
                "Take a lower port, or give server.grpcPort (-1 switches gRPC off).");
        }

        if (server.GrpcPortInForce > 0 && server.GrpcPortInForce == server.Port && !bound.Failed("server.grpcPort"))
        {
            bound.Report("server.grpcPort", $"{server.GrpcPort}", "It is server.port, where REST is served.",
                "Take another port, or remove the key (default: the one after server.port).");
        }
    }

    private static bool IsLoopback(string address) =>
        address == "localhost" || (IPAddress.TryParse(address, out var ip) && IPAddress.IsLoopback(ip));
}
