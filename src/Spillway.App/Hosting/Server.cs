using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spillway.App.Cli;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Hosting;
using Spillway.Runtimes;
using Spillway.Telemetry;

namespace Spillway.App.Hosting;

/// <summary>A server in this process: Kestrel, the front, everything served; from start to drained.</summary>
internal static class Server
{
    /// <summary>Serves until Ctrl-C or SIGTERM, then drains.</summary>
    public static async Task<int> RunAsync(string config, bool hints, CancellationToken cancellation)
    {
        // A signal that comes before the command line holds this task would end the process without a drain.
        await Task.Yield();
        var loaded = Composition.LoadConfig(config);
        if (!loaded.Valid)
        {
            await Console.Error.WriteLineAsync(ConfigErrorText.Format(loaded.Errors)).ConfigureAwait(false);
            return Commands.Usage;
        }

        var snapshot = Snapshot.From(loaded, number: 1, TimeProvider.System.GetUtcNow());
        var drained = true;
        if (Start(snapshot, config, out var server) is not { } made)
            return Commands.Failed;
        await using var app = made;
        var serving = server.Serving;
        await using (serving.ConfigureAwait(false))
        {
            try
            {
                await app.StartAsync(cancellation).ConfigureAwait(false);
            }
            catch (IOException error) when (error.InnerException is AddressInUseException or SocketException)
            {
                await Console.Error.WriteLineAsync(PortTaken(snapshot.Server, error)).ConfigureAwait(false);
                return Commands.Failed;
            }

            var address = app.Urls.First();
            var grpc = GrpcAddress(app) is { } second ? $" (gRPC {second.Authority})" : "";
            var models = string.Join(", ", snapshot.Models.Select(m => m.Name));
            Console.WriteLine($"Spillway {Version}{grpc} listens on {address}; loading {models} …");
            serving.Start();
            using var hangUp = HangUp.Listen(server);
            using var drain = app.Lifetime.ApplicationStopping.Register(
                () => drained = serving.DrainAsync(TimeSpan.FromMilliseconds(snapshot.Server.DrainMs))
                    .GetAwaiter().GetResult());
            using var stop = cancellation.UnsafeRegister(
                static life => ((IHostApplicationLifetime)life!).StopApplication(), app.Lifetime);
            // A load that hangs must not keep a signal from ending the server.
            await serving.Loaded.WaitAsync(app.Lifetime.ApplicationStopping)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!app.Lifetime.ApplicationStopping.IsCancellationRequested)
                Announce(serving, address, grpc, hints);
            await app.WaitForShutdownAsync(CancellationToken.None).ConfigureAwait(false);
        }

        Console.WriteLine(drained ? "Drained; good-bye."
            : "Stopped; the drain time (server.drainMs) was over and what was left is cut off.");
        return Commands.Ok;
    }

    /// <summary>Wires a server; null, with the reason told, when something on this machine stands in the way.</summary>
    private static WebApplication? Start(Snapshot snapshot, string config, out SpillwayServer server)
    {
        try
        {
            return Make(
                snapshot, out server, clock: null, Composition.Variables(), runtimes: null,
                () => Composition.LoadConfig(config));
        }
        catch (SpillwayStartException refused)
        {
            Console.Error.WriteLine(refused.Message);
            server = null!;
            return null;
        }
    }

    /// <summary>Spillway's version.</summary>
    public static string Version => SpillwayServer.Version;

    /// <summary>Wires a server; nothing listens and nothing is loaded yet.</summary>
    /// <param name="snapshot">The configuration.</param>
    /// <param name="serving">What is served; the caller starts, drains and disposes it.</param>
    /// <param name="clock">The clock of every stamp and deadline; the system's by default.</param>
    /// <param name="environment">Where the standard OTEL_ variables are looked up; nowhere by default.</param>
    /// <param name="runtimes">By name, in place of this program's own; tests give them their clock.</param>
    /// <param name="reread">Reads the configuration again, for a reload.</param>
    internal static WebApplication Build(
        Snapshot snapshot, out Serving serving, Clock? clock = null,
        IReadOnlyDictionary<string, string>? environment = null,
        IReadOnlyDictionary<string, IRuntime>? runtimes = null, Func<ConfigResult>? reread = null)
    {
        var app = Make(snapshot, out var server, clock, environment, runtimes, reread);
        serving = server.Serving;
        return app;
    }

    private static WebApplication Make(
        Snapshot snapshot, out SpillwayServer made, Clock? clock, IReadOnlyDictionary<string, string>? environment,
        IReadOnlyDictionary<string, IRuntime>? runtimes, Func<ConfigResult>? reread)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.AddSimpleConsole(o =>
            (o.SingleLine, o.TimestampFormat, o.UseUtcTimestamp) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ ", true));
        // The switch decides alone, so the framework's own minimum must not come before it.
        var log = new LogSwitch();
        builder.Logging.SetMinimumLevel(LogLevel.Trace)
            .AddFilter(null, LogLevel.Warning).AddFilter("Spillway", log.Allows)
            // It prints the stack trace of a taken port, for which there is a sentence.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.Critical)
            // While it may log anything it makes an Activity for every request; ours carry the trace.
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        var tls = snapshot.Access.Tls is { } wanted ? ServerTls.Open(wanted) : null;
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, snapshot.Server, tls));
        // No hop to another pool thread for every read and write: with one caller 1.3 times the rate. What may run here
        // never blocks: runs of a millisecond and more have threads of their own.
        builder.Services.Configure<SocketTransportOptions>(static o => o.UnsafePreferInlineScheduling = true);
        // The server's own drain comes first; what is left then is cut off.
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(5));
        var app = builder.Build();
        var server = SpillwayServer.Build(snapshot, new()
        {
            Runtimes = runtimes ?? Composition.Runtimes,
            Environment = Composition.Variables(),
            Clock = clock ?? new(TimeProvider.System),
            Logs = app.Services.GetRequiredService<ILoggerFactory>(),
            Log = log,
            Canary = CanaryHost.Settings(snapshot.Server),
            TelemetryVariables = environment ?? new Dictionary<string, string>(),
            Reread = reread,
        });
        made = server;
        tls?.Watch(TimeProvider.System, app.Services.GetRequiredService<ILoggerFactory>().CreateLogger<ServerTls>());
        // After the last request.
        app.Lifetime.ApplicationStopped.Register(() =>
        {
            server.StopTelemetryAsync().GetAwaiter().GetResult();
            server.StopStateAsync().AsTask().GetAwaiter().GetResult();
            tls?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        });
        app.Run(server.Front.HandleAsync);
        return app;
    }

    /// <summary>Where a started server speaks gRPC; null when it does not.</summary>
    internal static Uri? GrpcAddress(WebApplication app) =>
        app.Urls.Skip(1).FirstOrDefault() is { } url ? new(url) : null;

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options, ServerTls? tls)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = options.ConnectionsMax;
        // The body's limit is the front's: its error says what to do. Kestrel's slow-body rule stays: 240 bytes a
        // second.
        kestrel.Limits.MaxRequestBodySize = null;
        var address = options.Address == "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.Address);
        kestrel.Listen(address, options.Port, listen => Speak(listen, HttpProtocols.Http1, tls));
        if (options.GrpcPortInForce < 0)
            return;
        kestrel.Limits.Http2.MaxStreamsPerConnection = options.GrpcCallsMax;
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromMilliseconds(options.GrpcKeepAliveMs);
        // The second to listen: GrpcAddress counts on the order.
        kestrel.Listen(address, options.GrpcPortInForce, listen => Speak(listen, HttpProtocols.Http2, tls));
    }

    private static void Speak(ListenOptions listen, HttpProtocols protocols, ServerTls? tls)
    {
        listen.Protocols = protocols;
        if (tls is not null)
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => new(tls.Current) });
    }

    private static string PortTaken(ServerOptions options, IOException error)
    {
        var isGrpc = options.GrpcPortInForce > 0
            && error.Message.Contains($":{options.GrpcPortInForce}:", StringComparison.Ordinal);
        var (port, key, other) = isGrpc
            ? (options.GrpcPortInForce, "grpcPort", "-1 switches gRPC off, 0 takes a free one")
            : (options.Port, "port", "0 takes a free one");
        return $"Cannot listen on {options.Address}:{port}: {error.InnerException!.Message}. Is another server running "
            + $"there? Stop it, or take another port: SPILLWAY__SERVER__{key.ToUpperInvariant()}=8080 ({other}), "
            + $"or server.{key} in the configuration.";
    }

    private static void Announce(Serving serving, string address, string grpc, bool hints)
    {
        foreach (var door in serving.Doors.Where(d => d.Route.State is RouteState.Failed))
            Console.WriteLine($"NOT ready: {door.Route.Model} ({door.Route.Why})");
        var ready = serving.Doors.Where(d => d.Route.State is RouteState.Ready).Select(d => d.Route.Model.Name)
            .Concat(serving.ChatNames).ToList();
        if (ready.Count > 0)
            Console.WriteLine($"Ready: {string.Join(", ", ready)}{grpc} on {address}");
        if (hints && ready.Contains("line-ocr"))
            Console.WriteLine(Hints.Text(address));
    }
}
