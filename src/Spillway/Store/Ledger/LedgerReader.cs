using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Spillway.Store.Ledger;

/// <summary>
/// ledger.db as its readers see it, beside the writer and without disturbing it: sums of whole hours. Thread-safe,
/// one question at a time.
/// </summary>
internal sealed class LedgerReader : IDisposable
{
    /// <summary>Groups of one report.</summary>
    public const int GroupsMax = 1000;

    private const string Others = "(others)";

    private const string SumColumns = "SUM(entries), SUM(rows), SUM(busy_ticks), SUM(time_nano), "
        + "SUM(time_nano + run_nano + rows_nano + request_nano + tokens_nano), SUM(input_tokens), SUM(output_tokens)";

    private readonly Lock _lock = new();
    private readonly SqliteConnection _connection;

    private LedgerReader(SqliteConnection connection) => _connection = connection;

    /// <summary>Opens a file that exists.</summary>
    public static LedgerReader Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false, DefaultTimeout = 5,
        }.ToString());
        connection.Open();
        return new(connection);
    }

    /// <summary>Adds up.</summary>
    public CostReport Read(in CostQuery query)
    {
        lock (_lock)
        {
            var groups = Groups(query);
            var total = new CostSums("");
            groups.ForEach(g => Merge(total, g));
            var ordered = query.By is CostGroup.Day
                ? groups.OrderBy(g => g.Name, StringComparer.Ordinal)
                : groups.OrderByDescending(g => g.Total.Nano).ThenBy(g => g.Name, StringComparer.Ordinal);
            var (kept, rest) = (ordered.Take(GroupsMax).ToList(), ordered.Skip(GroupsMax).ToList());
            if (rest.Count > 0)
            {
                var others = new CostSums(Others);
                rest.ForEach(r => Merge(others, r));
                kept.Add(others);
            }

            return new()
            {
                Groups = kept, GroupsOmitted = rest.Count, Total = total, Hardware = Hardware(query),
                Missing = Missing(),
            };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
            _connection.Dispose();
    }

    private static string Column(CostGroup by) => by switch
    {
        CostGroup.Tenant => "tenant",
        CostGroup.Model => "model",
        CostGroup.Owner => "owner",
        CostGroup.Route => "route",
        CostGroup.Key => "key",
        CostGroup.Day => "hour / 24",
    };

    private List<CostSums> Groups(in CostQuery query)
    {
        var groups = new Dictionary<long, CostSums>();
        using var command = Command($"SELECT {Column(query.By)}, kind, {SumColumns} FROM hours", query, "GROUP BY 1, 2");
        using (var rows = command.ExecuteReader())
        {
            while (rows.Read())
            {
                var id = rows.GetInt64(0);
                if (!groups.TryGetValue(id, out var sums))
                    groups[id] = sums = new(query.By is CostGroup.Day ? Day(id) : "");
                Add(sums, rows, 1);
            }
        }

        return query.By is CostGroup.Day
            ? [.. groups.Values]
            : [.. groups.Select(g => g.Value with { Name = Name(g.Key) })];
    }

    private List<HardwareCosts> Hardware(in CostQuery query)
    {
        var all = new SortedDictionary<string, Dictionary<string, CostSums>>(StringComparer.Ordinal);
        var hours = new Dictionary<string, Dictionary<long, CostSums>>(StringComparer.Ordinal);
        using var command = Command(
            $"SELECT h.text, m.text, hour, kind, {SumColumns} FROM hours "
            + "JOIN names h ON h.id = hardware JOIN names m ON m.id = model",
            new CostQuery(query.By, query.From, query.To), "GROUP BY 1, 2, 3, 4");
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            var (hardware, model) = (rows.GetString(0), rows.GetString(1));
            if (hardware.Length == 0)
                continue;
            Add(Of(Of(all, hardware), model, model), rows, 3);
            Add(Of(Of(hours, hardware), rows.GetInt64(2), ""), rows, 3);
        }

        return
        [
            .. all.Select(h => new HardwareCosts(
                h.Key, Sum(h.Key, h.Value.Values), [.. h.Value.Values.OrderByDescending(m => m.Total.Nano)],
                Peak(hours[h.Key].Values))),
        ];
    }

    /// <summary>
    /// Of hours that were accounted for at least half as long as the longest: the busiest. A server's first minute
    /// does not stand for an hour.
    /// </summary>
    private static double Peak(IReadOnlyCollection<CostSums> hours)
    {
        static long Paid(CostSums h) => (h.BilledTime + h.WasteTime + h.Idle).Nano;
        var most = hours.Max(Paid);
        return most <= 0 ? 0 : hours.Where(h => Paid(h) >= most / 2 && Paid(h) > 0)
            .Max(h => Math.Clamp((double)(h.BilledTime + h.WasteTime).Nano / Paid(h), 0, 1));
    }

    private LedgerLoss Missing()
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT COALESCE(SUM(entries), 0), COALESCE(SUM(nano), 0) FROM gaps";
        using var rows = command.ExecuteReader();
        rows.Read();
        return new(rows.GetInt64(0), rows.GetInt64(1));
    }

    private SqliteCommand Command(string select, in CostQuery query, string group)
    {
        var command = _connection.CreateCommand();
        var where = "WHERE hour >= $from AND hour < $to";
        command.Parameters.AddWithValue("$from", query.From.ToUnixTimeSeconds() / 3600);
        command.Parameters.AddWithValue("$to", (query.To.ToUnixTimeSeconds() + 3599) / 3600);
        foreach (var (column, wanted) in ((string, string)[])
            [("tenant", query.Tenant), ("model", query.Model), ("owner", query.Owner)])
        {
            if (wanted.Length == 0)
                continue;
            where += $" AND {column} IN (SELECT id FROM names WHERE text = ${column})";
            command.Parameters.AddWithValue($"${column}", wanted);
        }

#pragma warning disable CA2100 // Texts of this program; what others send goes through parameters.
        command.CommandText = $"{select} {where} {group}";
#pragma warning restore CA2100
        return command;
    }

    private string Name(long id)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT text FROM names WHERE id = $id";
        command.Parameters.AddWithValue("$id", id);
        return command.ExecuteScalar() as string ?? "";
    }

    private static string Day(long day) =>
        DateTimeOffset.FromUnixTimeSeconds(day * 86_400).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static void Add(CostSums sums, SqliteDataReader row, int at)
    {
        var (kind, entries) = ((EntryKind)row.GetInt64(at), row.GetInt64(at + 1));
        var (time, total) = (new Money(row.GetInt64(at + 4)), new Money(row.GetInt64(at + 5)));
        if (kind is EntryKind.Idle)
        {
            sums.Idle += total;
            return;
        }

        sums.BusyTicks += row.GetInt64(at + 3);
        if (kind is EntryKind.Waste)
        {
            (sums.Wasted, sums.Waste) = (sums.Wasted + entries, sums.Waste + total);
            sums.WasteTime += time;
            return;
        }

        (sums.Answers, sums.Rows) = (sums.Answers + entries, sums.Rows + row.GetInt64(at + 2));
        (sums.Billed, sums.BilledTime) = (sums.Billed + total, sums.BilledTime + time);
        sums.InputTokens += row.GetInt64(at + 6);
        sums.OutputTokens += row.GetInt64(at + 7);
    }

    private static void Merge(CostSums into, CostSums from)
    {
        (into.Answers, into.Rows, into.Wasted) =
            (into.Answers + from.Answers, into.Rows + from.Rows, into.Wasted + from.Wasted);
        (into.Billed, into.BilledTime) = (into.Billed + from.Billed, into.BilledTime + from.BilledTime);
        (into.Waste, into.WasteTime) = (into.Waste + from.Waste, into.WasteTime + from.WasteTime);
        (into.InputTokens, into.OutputTokens) =
            (into.InputTokens + from.InputTokens, into.OutputTokens + from.OutputTokens);
        (into.Idle, into.BusyTicks) = (into.Idle + from.Idle, into.BusyTicks + from.BusyTicks);
    }

    private static CostSums Sum(string name, IEnumerable<CostSums> parts)
    {
        var sum = new CostSums(name);
        foreach (var part in parts)
            Merge(sum, part);
        return sum;
    }

    private static TInner Of<TInner>(IDictionary<string, TInner> of, string key)
        where TInner : new() => of.TryGetValue(key, out var found) ? found : of[key] = new();

    private static CostSums Of<TKey>(Dictionary<TKey, CostSums> of, TKey key, string name)
        where TKey : notnull => of.TryGetValue(key, out var found) ? found : of[key] = new(name);
}
