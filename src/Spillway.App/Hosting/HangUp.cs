using System.Runtime.InteropServices;
using Spillway.Hosting;

namespace Spillway.App.Hosting;

/// <summary>
/// SIGHUP reads the configuration again, as services do. Where the server has a terminal the signal still says that
/// this was closed, and ends it.
/// </summary>
internal static class HangUp
{
    /// <summary>Listens until it is disposed; null where the signal means something else.</summary>
    public static IDisposable? Listen(SpillwayServer server)
    {
        if (OperatingSystem.IsWindows() || !Console.IsInputRedirected)
            return null;
        var who = new Caller { Tenant = Caller.Local.Tenant, Key = "SIGHUP", Roles = Roles.Operator };
        return PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            // On a thread that waits for nothing else; the log has what became of it.
            server.ReloadAsync(who).GetAwaiter().GetResult();
        });
    }
}
