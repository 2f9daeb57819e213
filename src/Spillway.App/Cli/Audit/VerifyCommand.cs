using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using Spectre.Console;
using Spillway.Store.Audit;
using Spillway.Store.Provenance;

namespace Spillway.App.Cli.Audit;

/// <summary>`spillway audit verify`: a log, or one proof, against public keys.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var folder = new Argument<string?>("folder")
        {
            Description = "A log's folder, or a state folder.", DefaultValueFactory = _ => null,
        };
        var key = new Option<string[]>("--key")
        {
            Description = "A public key in PEM that may have signed heads; may come several times. By default those "
                + "in the "
                + "log's folder, which whoever rewrites the log may rewrite too.",
            HelpName = "file", DefaultValueFactory = _ => [],
        };
        var heads = new Option<string[]>("--heads")
        {
            Description = "Heads that were kept elsewhere (audit.publish): only they show a log that was written anew.",
            HelpName = "file", DefaultValueFactory = _ => [],
        };
        var proof = new Option<string?>("--proof") { Description = "Check one proof in place of a log.",
            HelpName = "file" };
        var server = new Option<string?>("--server")
        {
            Description = "Read a running server's log over the wire in place of files, and make its tree anew here.",
            HelpName = "url",
        };
        var json = Commands.JsonOption();
        var command = new Command("verify", """
            Read a log from its first byte to its last: is every record what was written, in its place, and signed?
            The first bad record is named. With --proof, check one proof that `spillway audit prove` made.

            Examples:
              spillway audit verify state/audit
              spillway audit verify state/audit --key signing.pub.pem --heads /mnt/elsewhere/heads.jsonl
              spillway audit verify --server http://127.0.0.1:8000 --key signing.pub.pem
              spillway audit verify --proof proof.json --key signing.pub.pem

            Exit codes: 0 whole, 1 it could not be read, 2 wrong usage, 3 damage found or the proof does not hold.
            """)
        {
            folder, key, heads, proof, server, json,
        };
        command.SetAction((parsed, cancellation) => CommandException.GuardAsync(() =>
        {
            var (keys, asJson) = (parsed.GetValue(key)!, parsed.GetValue(json));
            if (parsed.GetValue(proof) is { } file)
                return Task.FromResult(Proof(file, keys, asJson));
            var elsewhere = Published(parsed.GetValue(heads)!);
            return parsed.GetValue(server) is { } url
                ? RemoteAsync(url, keys, elsewhere, asJson, cancellation)
                : Task.FromResult(Log(parsed.GetValue(folder), keys, elsewhere, asJson, cancellation));
        }));
        return command;
    }

    private static async Task<int> RemoteAsync(
        string url, string[] keys, List<AuditHead> elsewhere, bool asJson, CancellationToken cancellation)
    {
        if (keys.Length == 0)
            throw new CommandException("A server's log is checked against a key that you trust: --key signing.pub.pem.",
                Commands.Usage);
        using var client = new ServerClient(url);
        var report = await RemoteLog.VerifyAsync(client, Keys(keys), elsewhere, cancellation).ConfigureAwait(false);
        return Tell(report, asJson, isOwnKey: false, isAlone: elsewhere.Count == 0);
    }

    private static List<AuditHead> Published(string[] files)
    {
        List<AuditHead> heads = [];
        foreach (var file in files)
        {
            if (!File.Exists(file))
                throw new CommandException($"There is no file {file}.");
            heads.AddRange(AuditFolder.ReadHeads(file).Heads);
        }

        return heads;
    }

    private static int Tell(AuditReport report, bool asJson, bool isOwnKey, bool isAlone)
    {
        if (asJson)
            AuditSource.WriteLine(json => Write(json, report));
        else
            Print(report, isOwnKey, isAlone);
        return report.Damage is null ? Commands.Ok : AuditCommand.Damaged;
    }

    private static int Proof(string file, string[] keys, bool asJson)
    {
        if (keys.Length == 0)
            throw new CommandException("A proof is checked against a key that you trust: --key signing.pub.pem.",
                Commands.Usage);
        var checkedProof = AuditProofJson.Check(AuditSource.ReadFile(file));
        if (!checkedProof.TryGet(out var found, out var fault))
            return Tell(asJson, false, fault.Message);
        var trusted = Keys(keys);
        var forged = found.Heads.FirstOrDefault(h => !h.IsSignedBy(trusted));
        return forged is not null
            ? Tell(asJson, false, $"The head of {forged.Size} records is not signed by that key.")
            : Tell(asJson, true, found.Record is { } record
                ? $"Record {record.Index} ({record.Kind}, {record.Time:u}) is in the log that had "
                    + $"{found.Heads[0].Size} "
                    + $"records at {found.Heads[0].Time}."
                : $"The log of {found.Heads[1].Size} records continues that of {found.Heads[0].Size}: nothing "
                    + "before was "
                    + "changed.");
    }

    private static int Tell(bool asJson, bool holds, string text)
    {
        if (asJson)
            AuditSource.WriteLine(json => { json.WriteBoolean("holds", holds); json.WriteString("what", text); });
        else
            (holds ? Console.Out : Console.Error).WriteLine(TerminalText.Clean(text));
        return holds ? Commands.Ok : AuditCommand.Damaged;
    }

    private static int Log(
        string? path, string[] keys, List<AuditHead> elsewhere, bool asJson, CancellationToken cancellation)
    {
        var folder = AuditSource.Folder(path ?? throw new CommandException(
            "Name the log's folder, as in: spillway audit verify state/audit", Commands.Usage));
        var trusted = Keys(keys.Length > 0 ? keys : folder.PublicKeys());
        var report = Watch(new AuditVerifier(folder, trusted, elsewhere), asJson, cancellation);
        return Tell(report, asJson, isOwnKey: keys.Length == 0, isAlone: elsewhere.Count == 0);
    }

    /// <summary>With a bar on standard error where that is a terminal.</summary>
    private static AuditReport Watch(AuditVerifier verifier, bool asJson, CancellationToken cancellation)
    {
        try
        {
            if (asJson || Console.IsErrorRedirected)
                return verifier.Run(null, cancellation);
            AuditReport? report = null;
            var console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) });
            console.Progress().AutoClear(true).HideCompleted(true).Start(context =>
            {
                var task = context.AddTask("reading records", maxValue: 1);
                report = verifier.Run(new Told(task), cancellation);
            });
            return report!;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The log cannot be read: {e.Message}");
        }
    }

    private static List<ECDsa> Keys(IEnumerable<string> files)
    {
        List<ECDsa> keys = [];
        foreach (var file in files)
        {
            if (!ModelTrust.ReadKey(file).TryGet(out var key, out var fault))
                throw new CommandException(fault.Message);
            keys.Add(key);
        }

        return keys;
    }

    private static void Print(AuditReport report, bool isOwnKey, bool isAlone)
    {
        foreach (var note in report.Notes)
            Line($"note: {note}");
        if (isOwnKey)
            Line("note: The keys are those beside the log. Whoever could rewrite the log could replace them: name "
                + "your own copy "
                + "with --key.");
        if (report.Damage is { } damage)
        {
            Console.Error.WriteLine(TerminalText.Clean($"DAMAGED ({damage.Kind}), first bad record {damage.First}: "
                + $"{damage.What}"));
            Line($"{report.Records} record(s) before it are whole; {report.Signed} are under a good head.");
            return;
        }

        Line($"Whole: {report.Records} record(s), {report.Heads} head(s), {report.Signed} record(s) signed; root "
            + $"{report.Root}.");
        if (isAlone)
            Line("Compare the root with a head that was kept elsewhere (--heads), or a log written anew would pass.");
    }

    private static void Line(string text) => Console.WriteLine(TerminalText.Clean(text));

    private static void Write(Utf8JsonWriter json, AuditReport report)
    {
        json.WriteString("log", report.Log);
        json.WriteBoolean("whole", report.Damage is null);
        json.WriteNumber("records", report.Records);
        json.WriteNumber("heads", report.Heads);
        json.WriteNumber("signed", report.Signed);
        json.WriteString("root", report.Root);
        if (report.Damage is { } damage)
        {
            json.WriteStartObject("damage");
            json.WriteString("kind", JsonNamingPolicy.SnakeCaseLower.ConvertName(damage.Kind.ToString()));
            json.WriteNumber("first", damage.First);
            json.WriteNumber("last", damage.Last);
            json.WriteString("what", damage.What);
            json.WriteEndObject();
        }

        json.WriteStartArray("notes");
        foreach (var note in report.Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
    }

    private sealed class Told(ProgressTask task) : IProgress<(long Done, long All)>
    {
        public void Report((long Done, long All) value)
        {
            task.MaxValue = Math.Max(1, value.All);
            task.Value = value.Done;
        }
    }
}
