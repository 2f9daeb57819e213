using System.Globalization;
using System.Text.Json;
using Spillway.App.Cli.Top;
using Spillway.Planner.Diagnosis;

namespace Spillway.App.Cli.Diagnosing;

/// <summary>Figures from a running server and from request records.</summary>
internal static class DiagnoseSource
{
    /// <summary>A diagnosis of each served name that was asked while the server was watched.</summary>
    public static async Task<IReadOnlyList<(string Title, DiagnosisReport Report)>> LiveAsync(
        ServerPlace place, double seconds, CancellationToken cancellation)
    {
        using var poller = new TopPoller(place, TimeProvider.System);
        var before = await ReadAsync(poller, cancellation).ConfigureAwait(false);
        await Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, cancellation).ConfigureAwait(false);
        var frame = FrameMaker.Make(before, await ReadAsync(poller, cancellation).ConfigureAwait(false));
        return Of(frame) is { Count: > 0 } reports ? reports : throw new CommandException(
            $"Nobody asked {place.Address} anything within {seconds:0.#} s, so there is nothing to diagnose. Send "
                + $"requests, or watch longer with --seconds.");
    }

    /// <summary>The diagnoses of what was asked in an interval.</summary>
    public static IReadOnlyList<(string Title, DiagnosisReport Report)> Of(Frame frame) =>
        [.. frame.Rows.Where(row => row.Rate > 0).Select(row => (
            string.Create(CultureInfo.InvariantCulture,
                $"{row.State.Name}: {row.Rate:0.#} requests a second, {row.OkRate:0.#} answered"),
            DiagnoseCommand.Judge(Figures(row))))];

    /// <summary>A diagnosis of one record.</summary>
    /// <param name="place">The server.</param>
    /// <param name="asked">An id, "last", or a file.</param>
    /// <param name="cancellation">Stops waiting.</param>
    public static async Task<(string Title, DiagnosisReport Report)> RecordAsync(
        ServerPlace place, string asked, CancellationToken cancellation)
    {
        if (File.Exists(asked))
            return Of(Parse(asked, await File.ReadAllBytesAsync(asked, cancellation).ConfigureAwait(false)));
        using var client = new ServerClient(place);
        if (asked != "last")
            return Of(await client.GetAsync($"/admin/v1/requests/{Uri.EscapeDataString(asked)}", cancellation)
                .ConfigureAwait(false));
        var list = await client.GetAsync("/admin/v1/requests?limit=1", cancellation).ConfigureAwait(false);
        var record = list.GetProperty("requests").EnumerateArray().FirstOrDefault();
        return record.ValueKind is JsonValueKind.Undefined
            ? throw new CommandException("The server has answered no request yet.") : Of(record);
    }

    /// <summary>The diagnosis of a record as the Admin protocol gives it.</summary>
    public static (string Title, DiagnosisReport Report) Of(JsonElement record)
    {
        if (record.ValueKind is not JsonValueKind.Object || !record.TryGetProperty("stages", out var stages)
            || stages.ValueKind is not JsonValueKind.Array)
            throw new CommandException("This is no request record: it has no stages. Write one with spillway explain "
                + "last --json > record.json", Commands.Usage);
        var parts = stages.EnumerateArray().Where(stage => stage.ValueKind is JsonValueKind.Object)
            .Select(stage => new NamedFigure(Text(stage, "stage"), Number(stage, "ms"))).ToList();
        return ($"request {Text(record, "id")} of {Text(record, "model")}: {Text(record, "outcome")}",
            DiagnoseCommand.Judge(new() { Stages = parts }));
    }

    private static DiagnosisFigures Figures(FrameRow row)
    {
        // Stages are spread over all requests, so they add up to the mean request.
        var stages = row.Stages.Where(stage => stage.MeanMs > 0)
            .Select(stage => new NamedFigure(stage.Name, stage.MeanMs)).ToList();
        var busy = row is { Runners: > 0, Busy: >= 0 }
            ? new[] { new NamedFigure("runners", Math.Clamp(row.Busy / row.Runners, 0, 1)) } : [];
        return new()
        {
            Stages = stages,
            Busy = busy,
            LatencyMs = Above(stages.Sum(stage => stage.Value)),
            // Refused ones come and take nothing: the laws are about those that complete.
            Throughput = Above(row.OkRate),
        };
    }

    private static double Above(double value) => value > 0 ? value : double.NaN;

    private static async Task<Reading> ReadAsync(TopPoller poller, CancellationToken cancellation)
    {
        var poll = await poller.PollAsync(cancellation).ConfigureAwait(false);
        return poll.Reading ?? throw new CommandException($"The server gives no figures: {poll.Waiting}.");
    }

    private static JsonElement Parse(string file, byte[] bytes)
    {
        try
        {
            return JsonElement.Parse(bytes);
        }
        catch (JsonException error)
        {
            throw new CommandException($"{file} is no JSON: {error.Message}", Commands.Usage);
        }
    }

    private static string Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) ? TerminalText.Clean(value.ToString()) : "";

    private static double Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number ? value.GetDouble() : 0;
}
