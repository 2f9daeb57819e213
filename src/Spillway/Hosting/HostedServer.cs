using System.Collections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Config.Embedded;
using Spillway.Engine.Canary;
using Spillway.Telemetry;

namespace Spillway.Hosting;

/// <summary>A server from what an application says of it.</summary>
internal static class HostedServer
{
    private const string NativeVariable = "SPILLWAY_NATIVE";

    /// <summary>Puts it together; throws <see cref="SpillwayConfigurationException"/> with all that is wrong.</summary>
    public static SpillwayServer Build(IServiceProvider services, SpillwayHostOptions options, LogSwitch log)
    {
        var time = services.GetService<TimeProvider>() ?? TimeProvider.System;
        var environment = Variables();
        var loaded = Read();
        if (!loaded.Valid)
            throw new SpillwayConfigurationException(loaded.Errors);
        // Without a file, the application's configuration has the variables already.
        var variables = options.ConfigFile is null ? new Dictionary<string, string>() : environment;
        var snapshot = Snapshot.From(loaded, number: 1, time.GetUtcNow());
        return SpillwayServer.Build(snapshot, new()
        {
            Canary = Canary(snapshot.Server),
            Runtimes = options.Runtimes.ByName,
            Environment = variables,
            TelemetryVariables = variables,
            Clock = new(time),
            Logs = services.GetRequiredService<ILoggerFactory>(),
            Log = log,
            Reread = Read,
        });

        ConfigResult Read() => Load(
            services, options, environment, DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
    }

    /// <summary>The application is no program that probes; one must be named.</summary>
    private static CanarySettings Canary(ServerOptions server) => new()
    {
        Command = server.Canary == "off" || server.CanaryExecutable.Length == 0 ? [] : [server.CanaryExecutable],
        TimeMax = TimeSpan.FromMilliseconds(server.CanaryMs),
    };

    private static ConfigResult Load(
        IServiceProvider services, SpillwayHostOptions options, Dictionary<string, string> environment, DateOnly today)
    {
        var folder = services.GetService<IHostEnvironment>()?.ContentRootPath ?? AppContext.BaseDirectory;
        if (options.ConfigFile is { } file)
        {
            return options.Models.Count == 0 && OptionTree.Of(options.Settings, default).Entries.Count == 0
                ? ConfigLoader.Load(Path.GetFullPath(file, folder), options.Runtimes.OptionsTypes, environment, today)
                : Both(file);
        }

        var section = options.ConfigurationSection.Length == 0 ? null
            : services.GetService<IConfiguration>()?.GetSection(options.ConfigurationSection);
        return new EmbeddedConfig
        {
            Section = section.Exists() ? section : null,
            Settings = options.Settings,
            Models = [.. options.Models],
            RuntimeOptions = options.Runtimes.OptionsTypes,
            Folder = folder,
            Today = today,
            Native = environment.GetValueOrDefault(NativeVariable),
        }.Load();
    }

    private static ConfigResult Both(string file) => new()
    {
        Source = file,
        Errors = [new("the settings in code", nameof(SpillwayHostOptions.ConfigFile), 0, 0, file,
            "Beside a file the code may not have Settings or Models.",
            "Move them into the file, or leave ConfigFile out and name the models' folders in Settings.Models.")],
    };

    private static Dictionary<string, string> Variables() => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
}
