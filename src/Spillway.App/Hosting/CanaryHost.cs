using System.Reflection;
using Spillway.Config;
using Spillway.Engine.Canary;
using Spillway.Runtimes;
using Spillway.Runtimes.Processes;

namespace Spillway.App.Hosting;

/// <summary>Probing of models: which program does it, and what that program does.</summary>
internal static class CanaryHost
{
    /// <summary>The settings of a server's configuration; no command when it is off.</summary>
    public static CanarySettings Settings(ServerOptions options) => new()
    {
        Command = options.Canary == "off" ? []
            : options.CanaryExecutable.Length > 0 ? [options.CanaryExecutable]
            : OwnCommand(),
        TimeMax = TimeSpan.FromMilliseconds(options.CanaryMs),
    };

    /// <summary>The inside of the child: one question on the standard input, lines on the standard output.</summary>
    public static int Answer(CancellationToken cancellation) => new CanaryChild(
        Composition.Runtimes, TimeProvider.System, static () => KernelMemory.AnonymousBytes,
        static bytes => ProcessMemory.TryLimit(bytes)).Run(Console.In, Console.Out, cancellation) ? 0 : 1;

    /// <summary>How this very program is started; empty when it is embedded in another one.</summary>
    private static IReadOnlyList<string> OwnCommand()
    {
        var assembly = typeof(CanaryHost).Assembly.Location;
        if (Environment.ProcessPath is not { } program || Assembly.GetEntryAssembly() != typeof(CanaryHost).Assembly)
            return [];
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, assembly] : [program];
    }
}
