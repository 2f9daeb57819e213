using System.CommandLine;
using System.Runtime;
using System.Text.Json;

namespace Spillway.App.Load;

/// <summary>
/// <c>spillway load</c>: an honest load generator for any Open Inference server, a client of the wire only. Exit codes:
/// 0 fine, 1 the run failed or no answer was ok, 2 wrong usage, 3 a comparison shows a regression, 130 interrupted
/// (with the results so far).
/// </summary>
public static class LoadCommand
{
    /// <summary>The command, ready for the root. It writes to the invocation's output and error.</summary>
    public static Command Create()
    {
        var flags = new LoadFlags();
        var command = new Command("load", LoadFlags.Description);
        foreach (var option in flags.All)
            command.Add(option);
        command.Add(Chat.ChatLoadCommand.Create());
        command.SetAction((parsed, stop) => RunAsync(
            flags.Read(parsed),
            parsed.InvocationConfiguration.Output,
            parsed.InvocationConfiguration.Error,
            stop));
        return command;
    }

    internal static async Task<int> RunAsync(
        LoadOptions options, TextWriter output, TextWriter error, CancellationToken stop)
    {
        Prepare();
        try
        {
            var plan = await LoadPlanner.CreateAsync(options, stop);
            // The last answer was handled on the socket thread; it must be free for the run.
            await Task.Yield();
            return await RunAsync(plan, options, output, error, stop);
        }
        catch (LoadException wrong)
        {
            await error.WriteLineAsync($"spillway load: {wrong.Message}");
            return wrong.ExitCode;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
    }

    /// <summary>
    /// The socket library reads this when the first socket is made: answers are then handled on the one thread that
    /// waits for them, which halves the generator's CPU time. Nothing here blocks that thread. A process that already
    /// used sockets (a test host) just pays for the extra hop.
    /// </summary>
    private static void Prepare()
    {
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", "1");
        GCSettings.LatencyMode = GCLatencyMode.SustainedLowLatency;
    }

    private static async Task<int> RunAsync(
        LoadPlan plan, LoadOptions options, TextWriter output, TextWriter error, CancellationToken stop)
    {
        var clock = new LoadClock(TimeProvider.System);
        if (options.Search.FindMax || plan.Sweep.Count > 0)
            return await new CurveCommand(plan, options, output, error).RunAsync(clock, stop);
        using var csv = options.Csv is { } path ? CsvLog.Create(path) : null;
        var progress = new ProgressLine(IsTerminal(error, Console.Error, Console.IsErrorRedirected) ? error : null,
            clock, plan.Rounds);
        var rounds = await new LoadRunner(plan, clock, csv, progress).RunAsync(stop);
        var report = ReportBuilder.Build(plan, rounds, stop.IsCancellationRequested);
        if (options.Json)
            await output.WriteLineAsync(JsonSerializer.Serialize(report, LoadJson.Default.LoadReport));
        else
            new ReportText(output, IsTerminal(output, Console.Out, Console.IsOutputRedirected))
                .Write(plan, report, rounds);
        if (stop.IsCancellationRequested)
            return ExitCodes.Interrupted;
        if (report.Endpoints.Any(e => e.Total.Counts.Ok == 0))
            return ExitCodes.Failed;
        return report.Comparisons.SelectMany(c => c.Figures).Any(f => f.Verdict == "worse")
            ? ExitCodes.Regressed : ExitCodes.Fine;
    }

    internal static bool IsTerminal(TextWriter writer, TextWriter console, bool redirected) =>
        !redirected && ReferenceEquals(writer, console);
}
