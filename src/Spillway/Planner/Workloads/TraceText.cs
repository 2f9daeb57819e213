using System.Globalization;
using System.Text.Json;
using Spillway.Config;

namespace Spillway.Planner.Workloads;

/// <summary>
/// Reads recorded arrivals: CSV with a header, or JSON lines (Spillway's own request records among them). Every
/// malformed line is reported with file, line, value and remedy; nothing is skipped silently, and nothing is sorted:
/// an order that is not there hides a merge that went wrong.
/// This file is long because every way in which a line can be wrong has its sentence here.
/// </summary>
internal sealed class TraceText
{
    /// <summary>The most arrivals of one trace.</summary>
    public const int ArrivalsMax = 10_000_000;

    /// <summary>A gap this many times as long as the mean distance is told, once.</summary>
    private const double GapFactor = 1000;

    private static readonly (Column Column, string[] Names)[] s_names =
    [
        (Column.Arrival, ["arrival", "arrival_time", "timestamp", "time", "started", "at"]),
        (Column.Size, ["size"]),
        (Column.TokensIn, ["tokens_in", "contexttokens", "input_toks", "input_tokens", "prompt_tokens"]),
        (Column.TokensOut, ["tokens_out", "generatedtokens", "output_toks", "output_tokens", "completion_tokens"]),
        (Column.Key, ["key", "cache_key"]),
        (Column.Route, ["route", "model"]),
    ];

    private readonly string _file;
    private readonly ErrorList _errors;
    private readonly ErrorList _notes;
    private readonly string _route;
    private readonly List<long> _at = [];
    private readonly List<double> _size = [];
    private readonly List<int> _in = [];
    private readonly List<int> _out = [];
    private readonly List<long> _keys = [];
    private Form _form = Form.Unknown;
    private int _line;
    private bool _failed;

    private TraceText(string file, string route, ErrorList errors, ErrorList notes) =>
        (_file, _route, _errors, _notes) = (file, route, errors, notes);

    private enum Column
    {
        Arrival,
        Size,
        TokensIn,
        TokensOut,
        Key,
        Route,
        Unknown,
    }

    private enum Form
    {
        Unknown,
        Seconds,
        Zoned,
        Unzoned,
    }

    /// <summary>The arrivals; null after an error.</summary>
    /// <param name="file">For errors.</param>
    /// <param name="text">The whole file.</param>
    /// <param name="route">Only this route; empty for all.</param>
    /// <param name="errors">Takes the errors.</param>
    /// <param name="notes">Takes what deserves a word.</param>
    public static RecordedTrace? Read(string file, string text, string route, ErrorList errors, ErrorList notes)
    {
        var reader = new TraceText(file, route, errors, notes);
        reader.Lines(text);
        return reader.Result();
    }

    private void Lines(string text)
    {
        Column[]? columns = null;
        foreach (var raw in text.AsSpan().EnumerateLines())
        {
            _line++;
            var line = raw.Trim();
            if (line.IsEmpty || line[0] == '#')
                continue;
            if (_at.Count == ArrivalsMax)
            {
                Bad("", $"The trace has more than {ArrivalsMax} arrivals.", "Split it.");
                return;
            }

            if (line[0] == '{')
                Json(line.ToString());
            else if (columns is null)
                columns = Header(line.ToString());
            else
                Csv(line.ToString(), columns);
            if (_failed && _errors.Count >= ErrorList.ErrorsMax)
                return;
        }
    }

    private Column[] Header(string line)
    {
        var columns = line.Split(',').Select(name => ColumnOf(name.Trim().Trim('"', '\uFEFF'))).ToArray();
        if (!columns.Contains(Column.Arrival))
            Bad(line, "The header has no column for the arrival.",
                "Begin with a line such as: arrival,tokens_in,tokens_out,key,route");
        return columns;
    }

    private static Column ColumnOf(string name)
    {
        foreach (var (column, names) in s_names)
        {
            if (names.Contains(name.ToLowerInvariant()))
                return column;
        }

        return Column.Unknown;
    }

    private void Csv(string line, Column[] columns)
    {
        var cells = line.Split(',');
        if (cells.Length != columns.Length)
        {
            Bad(line, $"The line has {cells.Length} values, the header {columns.Length} names.", "Mend the line.");
            return;
        }

        var row = new Row();
        for (var i = 0; i < cells.Length; i++)
            row = Cell(row, columns[i], cells[i].Trim().Trim('"'));
        Add(row);
    }

    private void Json(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var row = new Row();
            foreach (var field in json.RootElement.EnumerateObject())
                row = Cell(row, ColumnOf(field.Name), field.Value.ValueKind is JsonValueKind.Null ? ""
                    : field.Value.ToString());
            Add(row);
        }
        catch (JsonException error)
        {
            Bad(line, $"This is not JSON: {error.Message}", "Write one object a line.");
        }
    }

    private Row Cell(Row row, Column column, string text)
    {
        switch (column)
        {
            case Column.Arrival:
                return row with { At = Arrival(text) };
            case Column.Size:
                return row with { Size = Number(text, "size", 1e-6) };
            case Column.TokensIn:
                return row with { In = (int)Number(text, "tokens_in", 1) };
            case Column.TokensOut:
                return row with { Out = (int)Number(text, "tokens_out", 0) };
            case Column.Key:
                return row with { Key = text.Length == 0 ? -1 : KeyOf(text) };
            case Column.Route:
                return row with { Route = text };
            case Column.Unknown:
                return row;
        }

        throw new InvalidOperationException($"Column {column} is not known here.");
    }

    private long? Arrival(string text)
    {
        const NumberStyles Style = NumberStyles.Float;
        var isNumber = double.TryParse(text, Style, CultureInfo.InvariantCulture, out var number);
        var form = isNumber ? Form.Seconds
            : text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > 10 ? Form.Zoned : Form.Unzoned;
        if ((isNumber ? Ticks(number, text) : Ticks(text)) is not { } ticks)
            return null;
        if (_form is not Form.Unknown && form != _form)
            return BadValue(text, "The trace mixes forms of time: this one is " + Words(form) + ", the first "
                + Words(_form) + ".", "Write all in one form; a timestamp without a zone may lie hours away.");
        _form = form;
        return ticks;
    }

    private long? Ticks(string text)
    {
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.UtcTicks
            : BadValue(text, "This is not a time.", "Write seconds (12.5) or a timestamp (2026-01-31T12:00:00.250Z).");
    }

    private long? Ticks(double seconds, string text)
    {
        if (seconds < 0)
            return BadValue(text, "The time is negative.", "Arrivals are seconds from 0 on.");
        return seconds < 1e11 ? (long)Math.Round(seconds * TimeSpan.TicksPerSecond)
            : BadValue(text, "The time is too large for seconds.", "Are these milliseconds? Divide them by 1000.");
    }

    private static string Words(Form form) => form switch
    {
        Form.Unknown => "unknown",
        Form.Seconds => "a number of seconds",
        Form.Zoned => "a timestamp with a zone",
        Form.Unzoned => "a timestamp without a zone",
    };

    private double Number(string text, string name, double least)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && value >= least && value <= 1e9)
            return value;
        Bad(text, text.Length == 0 ? $"The {name} is missing." : $"The {name} is not a number from {least} on.",
            "Mend the line, or leave the column out of the whole file.");
        return least;
    }

    private void Add(in Row row)
    {
        if (_route.Length > 0 && row.Route != _route)
            return;
        if (row.At is not { } at)
        {
            if (!_failed)
                Bad("", "The arrival is missing.", "Give arrival: seconds, or a timestamp.");
            return;
        }

        if (_at.Count > 0 && at < _at[^1])
            Bad(Seconds(at - _at[0]), $"The arrival is earlier than the one before it, at "
                + $"{Seconds(_at[^1] - _at[0])} s.",
                "Sort the trace by its arrivals.");
        _at.Add(at);
        Append(_size, row.Size);
        Append(_in, row.In);
        Append(_out, row.Out);
        _keys.Add(row.Key ?? -1);
    }

    /// <summary>A column that is in some lines only is reported in the end by its count; a line without a key is one
    /// that never repeats.</summary>
    private static void Append<T>(List<T> column, T? value)
        where T : struct
    {
        if (value is { } there)
            column.Add(there);
    }

    private RecordedTrace? Result()
    {
        if (_at.Count == 0 && !_failed)
            Bad(_route, _route.Length > 0 ? "The trace has no arrival of this route." : "The trace has no arrivals.",
                "Give one line a request.");
        Complete(_size.Count, "size");
        Complete(_in.Count, "tokens_in");
        Complete(_out.Count, "tokens_out");
        if (_failed)
            return null;
        Gaps();
        var first = _at[0];
        return new([.. _at.Select(t => t - first)], Given(_size), Given(_in), Given(_out),
            _keys.Exists(k => k >= 0) ? [.. _keys] : null);
    }

    private static T[]? Given<T>(List<T> values) => values.Count == 0 ? null : [.. values];

    private void Complete(int count, string name)
    {
        if (count > 0 && count < _at.Count)
            Bad("", $"Only {count} of {_at.Count} arrivals have {name}.", "Give it in every line, or in none.");
    }

    private void Gaps()
    {
        var mean = _at.Count < 2 ? 0 : (_at[^1] - _at[0]) / (double)(_at.Count - 1);
        for (var i = 1; i < _at.Count; i++)
        {
            if (_at[i] - _at[i - 1] <= GapFactor * mean || _at.Count < 100)
                continue;
            _notes.Add(new(_file, 0, 0), "", Seconds(_at[i] - _at[i - 1]), "The trace has a gap: nothing came for "
                + $"{Seconds(_at[i] - _at[i - 1])} s, {GapFactor} times the mean distance.",
                "Was the recorder off? Then the rate is higher than it seems.");
            return;
        }
    }

    /// <summary>FNV-1a, never negative.</summary>
    private static long KeyOf(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text)
            hash = (hash ^ c) * 1099511628211UL;
        return (long)(hash >> 1);
    }

    private static string Seconds(long ticks) =>
        (ticks / (double)TimeSpan.TicksPerSecond).ToString("0.######", CultureInfo.InvariantCulture);

    private long? BadValue(string value, string problem, string remedy)
    {
        Bad(value, problem, remedy);
        return null;
    }

    private void Bad(string value, string problem, string remedy)
    {
        _failed = true;
        _errors.Add(new(_file, _line, 1), "", value, problem, remedy);
    }

    private readonly record struct Row(long? At, double? Size, int? In, int? Out, long? Key, string Route);
}
