using Spillway.App.Cli;
using Spillway.Config;
using Spillway.Hosting;

namespace Spillway.App.Hosting;

/// <summary>
/// The kept inputs of a server that is stopped, for the command line. A refusal is a <see cref="CommandException"/>.
/// </summary>
internal static class RetentionFolder
{
    /// <summary>Deletes what is old enough in a configuration's state folder; gives the names.</summary>
    public static async Task<IReadOnlyList<string>> RetainAsync(string config)
    {
        var loaded = Composition.LoadConfig(config);
        if (!loaded.Valid)
            throw new CommandException(ConfigErrorText.Format(loaded.Errors), Commands.Usage);
        var snapshot = Snapshot.From(loaded, number: 1, TimeProvider.System.GetUtcNow());
        var outcome = await OfflineAudit.RetainAsync(snapshot, Composition.Variables(), TimeProvider.System)
            .ConfigureAwait(false);
        return outcome.TryGet(out var names, out var fault) ? names : throw new CommandException(
            $"{fault.Message} (A running server is asked with --server in place of --config.)");
    }
}
