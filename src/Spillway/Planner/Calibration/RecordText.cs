using System.Globalization;
using System.Text.Json;
using Spillway.Config;

namespace Spillway.Planner.Calibration;

/// <summary>
/// Reads a request record to fit to: Spillway's own records (one a line, or the answer of <c>/admin/v1/requests</c>),
/// or CSV or JSON lines with a name for each figure. Refused and failed requests are passed over and counted; a line
/// that is wrong is an error with its place, and nothing is sorted or guessed.
/// This file is long because every form of a record, and every way in which a line can be wrong, is read here.
/// </summary>
internal sealed class RecordText
{
    /// <summary>The most requests of one record.</summary>
    public const int AnswersMax = 2_000_000;

    private static readonly (Figure Figure, string[] Names)[] s_names =
    [
        (Figure.Arrival, ["arrival", "arrival_time", "timestamp", "time", "started", "at"]),
        (Figure.Execute, ["execute_ms", "run_ms"]),
        (Figure.Queue, ["queue_ms"]),
        (Figure.Rows, ["batch_rows", "rows_in_run"]),
        (Figure.Requests, ["batch_requests"]),
        (Figure.Elements, ["elements", "size"]),
        (Figure.TokensIn, ["tokens_in", "contexttokens", "input_toks", "input_tokens", "prompt_tokens"]),
        (Figure.TokensOut, ["tokens_out", "generatedtokens", "output_toks", "output_tokens", "completion_tokens"]),
        (Figure.FirstToken, ["first_token_ms", "ttft_ms"]),
        (Figure.Total, ["total_ms", "latency_ms"]),
        (Figure.QueuedTs, ["queued_ts"]),
        (Figure.ScheduledTs, ["scheduled_ts"]),
        (Figure.FirstTokenTs, ["first_token_ts"]),
        (Figure.LastTokenTs, ["last_token_ts"]),
        (Figure.Outcome, ["outcome"]),
        (Figure.Model, ["model", "route"]),
    ];

    private readonly string _file;
    private readonly string _model;
    private readonly ErrorList _errors;
    private readonly List<Row> _rows = [];
    private int _line;

    private RecordText(string file, string model, ErrorList errors) =>
        (_file, _model, _errors) = (file, model, errors);

    private enum Figure
    {
        Arrival,
        Execute,
        Queue,
        Rows,
        Requests,
        Elements,
        TokensIn,
        TokensOut,
        FirstToken,
        Total,
        QueuedTs,
        ScheduledTs,
        FirstTokenTs,
        LastTokenTs,
        Outcome,
        Model,
        Unknown,
    }

    /// <summary>The answered requests by their arrivals, and how many were passed over; null after an error.</summary>
    /// <param name="file">For errors.</param>
    /// <param name="text">The whole file.</param>
    /// <param name="model">Only requests for this served name; empty for all.</param>
    /// <param name="errors">Takes the errors.</param>
    public static (IReadOnlyList<RecordedAnswer> Answers, int PassedOver)? Read(
        string file, string text, string model, ErrorList errors)
    {
        var before = errors.Count;
        var reader = new RecordText(file, model, errors);
        var passed = reader.Lines(text);
        if (errors.Count == before && reader._rows.Count == 0)
            reader.Bad(model, model.Length > 0 ? "The record has no answered request for this model."
                : "The record has no answered request.", "Give one line a request, with its arrival and its times.");
        return errors.Count > before ? null : (reader.Answers(), passed);
    }

    private int Lines(string text)
    {
        var (passed, header) = (0, (Figure[]?)null);
        foreach (var raw in text.AsSpan().EnumerateLines())
        {
            _line++;
            var line = raw.Trim();
            if (line.IsEmpty || line[0] == '#')
                continue;
            if (_rows.Count >= AnswersMax || _errors.Count >= ErrorList.ErrorsMax)
            {
                Bad("", $"The record has more than {AnswersMax} requests, or too many mistakes.", "Split or mend it.");
                return passed;
            }

            if (line[0] == '{')
                passed += Json(line.ToString());
            else if (header is null)
                header = [.. line.ToString().Split(',').Select(name => FigureOf(name.Trim().Trim('"', '\uFEFF')))];
            else
                passed += Csv(line.ToString(), header);
        }

        return passed;
    }

    private static Figure FigureOf(string name)
    {
        foreach (var (figure, names) in s_names)
        {
            if (names.Contains(name.ToLowerInvariant()))
                return figure;
        }

        return Figure.Unknown;
    }

    private int Csv(string line, Figure[] header)
    {
        var cells = line.Split(',');
        if (cells.Length != header.Length)
        {
            Bad(line, $"The line has {cells.Length} values, the header {header.Length} names.", "Mend the line.");
            return 0;
        }

        var row = new Row();
        for (var i = 0; i < cells.Length; i++)
            Put(row, header[i], cells[i].Trim().Trim('"'));
        return Add(row);
    }

    private int Json(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            if (!root.TryGetProperty("requests", out var list) || list.ValueKind is not JsonValueKind.Array)
                return Add(Of(root));
            // The server gives the newest first; arrivals are in order here.
            var passed = 0;
            foreach (var record in list.EnumerateArray().Reverse())
                passed += record.ValueKind is JsonValueKind.Object ? Add(Of(record)) : 0;
            return passed;
        }
        catch (JsonException error)
        {
            Bad(line, $"This is not JSON: {error.Message}", "Write one object a line.");
            return 0;
        }
    }

    /// <summary>A request's figures by their names, and those that Spillway's own record has in its parts.</summary>
    private Row Of(JsonElement record)
    {
        var row = new Row();
        foreach (var field in record.EnumerateObject())
        {
            if (field.Value.ValueKind is JsonValueKind.Number or JsonValueKind.String)
                Put(row, FigureOf(field.Name), field.Value.ToString());
        }

        if (Object(record, "batch") is { } batch)
            (row.BatchRows, row.Requests) = (Part(batch, "rows"), Part(batch, "requests"));
        if (Part(record, "rows") is > 1 and var rows && row.Elements is { } elements)
            row.Elements = elements / rows;
        Stages(row, record);
        if (Object(record, "chat") is { } chat)
            (row.TokensIn, row.TokensOut, row.FirstToken) = (Part(chat, "input_tokens"), Part(chat, "output_tokens"),
                Part(chat, "first_token_ms"));
        return row;
    }

    private static JsonElement? Object(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Object ? value : null;

    private static void Stages(Row row, JsonElement record)
    {
        if (!record.TryGetProperty("stages", out var stages) || stages.ValueKind is not JsonValueKind.Array)
            return;
        foreach (var stage in stages.EnumerateArray().Where(s => s.ValueKind is JsonValueKind.Object))
            Stage(row, stage);
    }

    private static void Stage(Row row, JsonElement stage)
    {
        var name = stage.TryGetProperty("stage", out var said) ? said.ToString() : "";
        if (name == "execute")
            row.Execute = Part(stage, "ms");
        else if (name is "queue" or "batch")
            row.Queue = (row.Queue ?? 0) + (Part(stage, "ms") ?? 0);
        else
            row.Own = (row.Own ?? 0) + (Part(stage, "ms") ?? 0);
    }

    private static double? Part(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number
            ? value.GetDouble() : null;

    private void Put(Row row, Figure figure, string text)
    {
        if (figure is Figure.Unknown || (text.Length == 0 && figure is not Figure.Arrival))
            return;
        if (figure is Figure.Outcome)
            row.Outcome = text;
        else if (figure is Figure.Model)
            row.Model = text;
        else if (figure is Figure.Arrival)
            row.Arrival = Seconds(text);
        else if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= 0
            && value <= 1e12)
            row.Set(figure, value);
        else
            Bad(text, $"The {figure} is not a number from 0 on.", "Mend the line, or leave it empty.");
    }

    private double? Seconds(string text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0)
            return number;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            return time.UtcTicks / (double)TimeSpan.TicksPerSecond;
        Bad(text, text.Length == 0 ? "The arrival is missing." : "This is not a time.",
            "Write seconds (12.5) or a timestamp (2026-01-31T12:00:00.250Z).");
        return null;
    }

    /// <summary>1 for a request that was not answered, or not by the wanted model.</summary>
    private int Add(Row row)
    {
        if (row.Outcome is not ("" or "ok") || (_model.Length > 0 && row.Model != _model))
            return 1;
        if (row.Arrival is not { } at)
        {
            Bad("", "The arrival is missing.", "Give arrival: seconds, or a timestamp.");
            return 0;
        }

        if (_rows.Count > 0 && at < _rows[^1].Arrival)
        {
            Bad(at.ToString("0.######", CultureInfo.InvariantCulture), "The arrival is earlier than the one before it.",
                "Sort the record by its arrivals.");
            return 0;
        }

        _rows.Add(row);
        return 0;
    }

    private List<RecordedAnswer> Answers()
    {
        var first = _rows[0].Arrival!.Value;
        // Instants may be of another clock than arrivals: nobody is noticed before he comes.
        var offset = _rows.Min(r => (r.QueuedTs ?? r.ScheduledTs ?? r.FirstTokenTs ?? double.PositiveInfinity)
            - (r.Arrival!.Value - first));
        return [.. _rows.Select(row =>
        {
            var at = row.Arrival!.Value - first;
            double? After(double? instant) => instant is { } then ? (then - offset - at) * 1000 : null;
            return new RecordedAnswer
            {
                At = (long)Math.Round(at * TimeSpan.TicksPerSecond), ExecuteMs = row.Execute, QueueMs = row.Queue,
                OwnMs = row.Own,
                Rows = (int)Math.Max(1, row.BatchRows ?? 1), Requests = (int)Math.Max(1, row.Requests ?? 1),
                Elements = row.Elements, TokensIn = (int?)row.TokensIn, TokensOut = (int?)row.TokensOut,
                FirstTokenMs = row.FirstToken ?? After(row.FirstTokenTs), TotalMs = row.Total ?? After(row.LastTokenTs),
                QueuedMs = After(row.QueuedTs), ScheduledMs = After(row.ScheduledTs),
            };
        })];
    }

    private void Bad(string value, string problem, string remedy) =>
        _errors.Add(new(_file, _line, 1), "", value, problem, remedy);

    private sealed class Row
    {
        public string Outcome { get; set; } = "";

        public string Model { get; set; } = "";

        public double? Arrival { get; set; }

        public double? Execute { get; set; }

        public double? Queue { get; set; }

        public double? Own { get; set; }

        public double? BatchRows { get; set; }

        public double? Requests { get; set; }

        public double? Elements { get; set; }

        public double? TokensIn { get; set; }

        public double? TokensOut { get; set; }

        public double? FirstToken { get; set; }

        public double? Total { get; set; }

        public double? QueuedTs { get; private set; }

        public double? ScheduledTs { get; private set; }

        public double? FirstTokenTs { get; private set; }

        public double? LastTokenTs { get; private set; }

        public void Set(Figure figure, double value) => _ = figure switch
        {
            Figure.Execute => Execute = value,
            Figure.Queue => Queue = value,
            Figure.Rows => BatchRows = value,
            Figure.Requests => Requests = value,
            Figure.Elements => Elements = value,
            Figure.TokensIn => TokensIn = value,
            Figure.TokensOut => TokensOut = value,
            Figure.FirstToken => FirstToken = value,
            Figure.Total => Total = value,
            Figure.QueuedTs => QueuedTs = value,
            Figure.ScheduledTs => ScheduledTs = value,
            Figure.FirstTokenTs => FirstTokenTs = value,
            Figure.LastTokenTs => LastTokenTs = value,
            Figure.Arrival or Figure.Outcome or Figure.Model or Figure.Unknown => null,
        };
    }
}
