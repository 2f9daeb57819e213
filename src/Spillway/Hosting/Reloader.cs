using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Protocols;
using Spillway.Store.Sealing;

namespace Spillway.Hosting;

/// <summary>
/// Reads a server's configuration again, checks all of it, and puts in force what may change while it serves. One at a
/// time: who comes meanwhile waits, and reads what is there then. Thread-safe.
/// </summary>
internal sealed partial class Reloader : IAsyncDisposable
{
    private static readonly Fault s_stopping = new(FaultKind.ShuttingDown, "The server is stopping.");

    private static readonly Fault s_bug =
        new(FaultKind.Internal, "An internal error; the server's log has the details.");

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Func<ConfigResult>? _read;
    private readonly ServerParts _parts;
    private readonly ILogger _logger;

    /// <summary>Reads nothing yet.</summary>
    /// <param name="parts">How a configuration is read, and with which variables.</param>
    public Reloader(ServerParts parts) =>
        (_read, _parts, _logger) = (parts.Reread, parts, parts.Logs.CreateLogger<Reloader>());

    /// <summary>Reads, checks, and puts in force; an answer with errors or a fault says that nothing changed.</summary>
    public async Task<ReloadAnswer> ReloadAsync(ServerContext server, CancellationToken cancellation)
    {
        try
        {
            await _turn.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                // Files are read and patterns compiled: not on a thread that reads requests.
                var answer = await Task.Run(() => Reload(server), CancellationToken.None).ConfigureAwait(false);
                Tell(answer);
                if (!answer.Applied)
                    server.Recorder.ReloadRefused();
                return answer;
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (ObjectDisposedException)
        {
            return new() { Fault = s_stopping };
        }
#pragma warning disable CA1031 // A bug here must not end a server that serves: who asked is told, and nothing else.
        catch (Exception bug) when (bug is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Log.Bug(_logger, bug);
            return new() { Fault = s_bug };
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _turn.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The keys of each upstream that has any, or why one cannot be read.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> KeysOf(
        Snapshot snapshot, IReadOnlyDictionary<string, string> variables, Action<string, Fault> trouble)
    {
        var keys = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var (name, upstream) in snapshot.Upstreams.Where(u => u.Value.KeyFrom.Length > 0))
        {
            List<string> read = [];
            Read(upstream.KeyFrom, $"upstreams.{name}.keyFrom", read);
            for (var i = 0; i < upstream.MoreKeysFrom.Count; i++)
            {
                Read(upstream.MoreKeysFrom[i], FormattableString.Invariant($"upstreams.{name}.moreKeysFrom[{i}]"),
                    read);
            }

            keys.Add(name, read);
        }

        return keys;

        void Read(string from, string option, List<string> into)
        {
            if (KeyReference.Read(from, option, variables).TryGet(out var key, out var fault))
                into.Add(key.Trim());
            else
                trouble(option, fault);
        }
    }

    private ReloadAnswer Reload(ServerContext server)
    {
        var running = server.Snapshot;
        var now = new ReloadAnswer { Source = running.Source, Number = running.Number, Digest = running.Digest };
        if (_read is null)
        {
            return now with
            {
                Fault = new(FaultKind.Unsupported, "This server was not started from a configuration file."),
            };
        }

        if (server.Serving.Stopping)
            return now with { Fault = s_stopping };
        var loaded = _read();
        if (!loaded.Valid)
            return now with { Errors = loaded.Errors };
        var read = Snapshot.From(loaded, running.Number + 1, _parts.Clock.Time.GetUtcNow());
        List<ConfigError> errors = [.. ReloadPlan.Obstacles(running, read)];
        var plan = errors.Count > 0 ? null
            : ReloadPlan.Of(running, read, server.Serving.Guards.KeepsBudgets, read.LoadedAt);
        var keys = KeysOf(plan?.Next ?? read, _parts.Environment, (option, fault) => errors.Add(new(
            read.Source, option, 0, 0, "", fault.Message, "The configuration in force keeps the key that it has.")));
        return errors.Count > 0 ? now with { Errors = errors } : Apply(server, plan!, keys);
    }

    private static ReloadAnswer Apply(
        ServerContext server, ReloadPlan plan, IReadOnlyDictionary<string, IReadOnlyList<string>> keys)
    {
        var rotated = server.Serving.Apply(plan.Next, keys);
        server.Snapshot = plan.Next;
        GuardSetup.Show(plan.Next, server.Serving.Guards, server.Recorder);
        return new()
        {
            Source = plan.Next.Source, Number = plan.Next.Number, Digest = plan.Next.Digest,
            Changed = [.. plan.Changed, .. rotated.Select(name => $"upstreams.{name} (its keys)")],
            NeedsRestart = plan.NeedsRestart,
        };
    }

    private void Tell(ReloadAnswer answer)
    {
        if (answer.Fault is { } fault)
            Log.NotReloaded(_logger, fault.Message);
        else if (!answer.Applied)
            Log.Refused(_logger, answer.Source, ConfigErrorText.Format(answer.Errors));
        else
            Log.Reloaded(_logger, answer.Source, answer.Number, Words(answer.Changed), Words(answer.NeedsRestart));
    }

    private static string Words(IReadOnlyList<string> keys) => keys.Count == 0 ? "nothing" : string.Join(", ", keys);

    private static partial class Log
    {
        [LoggerMessage(4801, LogLevel.Information,
            "{Source} was read again; configuration {Number} is in force. Changed: {Changed}. Needs a restart: {Not}")]
        public static partial void Reloaded(ILogger logger, string source, int number, string changed, string not);

        [LoggerMessage(4802, LogLevel.Warning,
            "{Source} was read again and is not put in force; the one before stays. What is wrong:\n{Errors}")]
        public static partial void Refused(ILogger logger, string source, string errors);

        [LoggerMessage(4804, LogLevel.Error, "Reading the configuration again met a bug")]
        public static partial void Bug(ILogger logger, Exception bug);

        [LoggerMessage(4803, LogLevel.Warning, "The configuration was not read again: {Why}")]
        public static partial void NotReloaded(ILogger logger, string why);
    }
}
