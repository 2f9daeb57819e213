using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Spillway.Engine.Canary;

/// <summary>One child and what it says before it ends, by itself or not.</summary>
internal sealed class CanaryProcess(CanarySettings settings, TimeProvider time)
{
    /// <summary>A longer line is not ours: a report of a thousand inputs has a tenth of it.</summary>
    private const int LineCharsMax = 1024 * 1024;

    private CanaryReport? _report;
    private string? _error;
    private string _doing = "while starting";
    private bool _prepared;

    public async Task<Outcome<CanaryReport>> AskAsync(CanaryQuestion question, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(settings.TimeMax, time);
        using var process = Start(out var problem);
        if (process is null)
        {
            return Failed($"The probe could not be started: {problem} "
                + "Set server.canaryExecutable, or server.canary to off.");
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, limit.Token);
        try
        {
            // Where it closes its end early, how it ends says why; it has no longer for that than for all the rest.
            await TalkAsync(process, question, either.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (cancellation.IsCancellationRequested)
                return new Fault(FaultKind.Cancelled, $"The probe of model '{question.Name}' was cancelled.");
            if (_report is null)
            {
                return Failed($"Model '{question.Name}' did not finish within {settings.TimeMax.TotalSeconds:0.#} s "
                    + $"{_doing}; its probe was ended. Raise server.canaryMs if it is only slow.");
            }
        }
        finally
        {
            End(process);
        }

        if (_report is not null)
            return _report with { Prepared = _prepared };
        return Failed(_error is null
            ? $"Model '{question.Name}': {HowItEnded(process.ExitCode)} {_doing}. "
                + $"The file '{question.File}' was not loaded here."
            : $"Model '{question.Name}' failed its probe {_doing}: {_error}");
    }

    private static Fault Failed(string message) => new(FaultKind.LoadFailed, message);

    /// <summary>A process that a signal ended has 128 plus its number.</summary>
    private static string HowItEnded(int code) => (code - 128) switch
    {
        4 => "the library crashed with signal 4 (SIGILL: it uses instructions that this processor lacks)",
        6 => "the library crashed with signal 6 (SIGABRT)",
        7 => "the library crashed with signal 7 (SIGBUS: a mapped file became shorter, or the disk failed)",
        8 => "the library crashed with signal 8 (SIGFPE)",
        9 => "the probe was killed with signal 9 (SIGKILL, as the system does when memory runs out)",
        11 => "the library crashed with signal 11 (SIGSEGV)",
        > 0 and < 65 and var signal => $"the probe ended with signal {signal}",
        _ => $"the probe ended with exit code {code}",
    };

    private static void End(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself in this moment.
        }
    }

    /// <summary>Until it closes its output, whatever it writes there.</summary>
    private async Task TalkAsync(Process process, CanaryQuestion question, CancellationToken cancellation)
    {
        var errors = DrainAsync(process.StandardError, static _ => { }, cancellation);
        await AskAsync(process, question, cancellation).ConfigureAwait(false);
        var line = new StringBuilder();
        await DrainAsync(process.StandardOutput, piece => Hear(line, piece.Span), cancellation).ConfigureAwait(false);
        await errors.ConfigureAwait(false);
    }

    private static async Task AskAsync(Process process, CanaryQuestion question, CancellationToken cancellation)
    {
        try
        {
            await process.StandardInput.WriteAsync(
                JsonSerializer.Serialize(question, CanaryJson.Default.CanaryQuestion).AsMemory(), cancellation)
                    .ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read the question: its exit code says how.
        }
    }

    /// <summary>Cuts what it says into lines; of one that is too long for ours, the rest is dropped.</summary>
    private void Hear(StringBuilder line, ReadOnlySpan<char> piece)
    {
        while (!piece.IsEmpty)
        {
            var end = piece.IndexOf('\n');
            var part = end < 0 ? piece : piece[..end];
            line.Append(part[..Math.Min(part.Length, LineCharsMax - line.Length)]);
            if (end < 0)
                return;
            if (line.Length < LineCharsMax)
                Hear(line.ToString());
            line.Clear();
            piece = piece[(end + 1)..];
        }
    }

    private void Hear(string text)
    {
        if (!text.StartsWith('{'))
            return;
        CanaryLine? line;
        try
        {
            line = JsonSerializer.Deserialize(text, CanaryJson.Default.CanaryLine);
        }
        catch (JsonException)
        {
            return; // A library that prints.
        }

        _report = line?.Report ?? _report;
        _error = line?.Error ?? _error;
        _prepared |= line?.Prepared ?? false;
        _doing = line switch
        {
            { Stage: "load" } => "while loading",
            { Stage: "run" } => $"while running batch {line.Rows}",
            _ => _doing,
        };
    }

    private Process? Start(out string problem)
    {
        problem = "";
        var start = new ProcessStartInfo(settings.Command[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var word in settings.Command.Skip(1).Append("canary"))
            start.ArgumentList.Add(word);
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        try
        {
            return Process.Start(start);
        }
        catch (Exception error) when (error is Win32Exception or InvalidOperationException)
        {
            problem = $"{error.Message}.";
            return null;
        }
    }

    private static async Task DrainAsync(
        StreamReader reader, Action<ReadOnlyMemory<char>> take, CancellationToken cancellation)
    {
        var buffer = new char[4096];
        while (await reader.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and var read)
            take(buffer.AsMemory(0, read));
    }
}
