using Spillway.Config.Repository;

namespace Spillway.Config;

/// <summary>Rules of spillway.yaml that concern more than the form of one value.</summary>
internal static class RootChecks
{
    /// <summary>Reports what the server's section breaks.</summary>
    public static void Server(ServerOptions server, OptionBinder bound)
    {
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

    /// <summary>
    /// Reports what the sections server, access and tenants break together; gives them with absolute paths.
    /// </summary>
    public static SpillwayOptions Access(SpillwayOptions options, OptionBinder bound, string file)
    {
        var folder = options.Server.StateFolder;
        if (folder.Length == 0 || folder.Contains('\0', StringComparison.Ordinal))
        {
            if (!bound.Failed("server.stateFolder"))
                bound.Report("server.stateFolder", folder, "It is no folder.", "Name one, or remove the key (state).");
            return options;
        }

        return options with
        {
            Access = AccessChecks.Check(options, bound, file),
        };
    }

    /// <summary>A server must serve something.</summary>
    public static void Models(SpillwayOptions options, OptionBinder bound)
    {
        if (options.Models.Count == 0 && options.Repository is null && !bound.Failed("models") && !bound.Failed("")
            && !bound.Failed("repository") && !bound.Failed("routes") && !bound.Failed("upstreams")
            && !options.Routes.Values.Any(r => ChatChecks.IsChat(r, options.Upstreams)))
        {
            bound.Report("models", "", "There are no models, and no repository of models.",
                "Folders that hold a model.yaml each, relative to this file; or repository: { path: … }.");
        }
    }

    /// <summary>Reports what the repository's section breaks; gives it with an absolute path.</summary>
    public static RepositoryOptions Repository(RepositoryOptions options, OptionBinder bound, string file)
    {
        if (options.ModelControl != ModelControl.Explicit && options.Load.Count > 0)
        {
            bound.Report("repository.load", "", "Names to load at start are for modelControl: explicit; "
                + $"{OptionText.Value(options.ModelControl)} loads every model.",
                "Remove load, or set modelControl: explicit.");
        }

        if (bound.Failed("repository.path"))
            return options;
        var full = options.Path.Contains('\0', StringComparison.Ordinal) ? ""
            : Path.GetFullPath(options.Path, Path.GetDirectoryName(file)!);
        if (!Directory.Exists(full))
        {
            bound.Report("repository.path", options.Path, File.Exists(full) ? $"This is a file, not a folder: {full}."
                : $"There is no folder {ErrorList.Clean(full, 1024)}.",
                "Create it, or change the path; it is relative to this file.");
        }

        return options with { Path = Path.TrimEndingDirectorySeparator(full) };
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
}
