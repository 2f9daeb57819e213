using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Spillway.Store.Sqlite;

namespace Spillway.Store.Ledger;

/// <summary>
/// ledger.db as its writer sees it: batches of entries in one transaction each, with the sums of their hours, what was
/// lost, and what is older than the limits taken out. All of a batch is there or nothing of it. Not thread-safe.
/// </summary>
internal sealed class LedgerFile : IDisposable
{
    private readonly Database _database;
    private readonly LedgerOptions _options;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _insert;
    private readonly Statement _add;
    private readonly Statement _findName;
    private readonly Statement _addName;
    private readonly Statement _prune;
    private readonly Statement _count;
    private readonly Dictionary<string, long> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<HourKey, HourSums> _sums = [];
    private readonly long[] _bound = [.. Enumerable.Repeat(long.MinValue, 23)];
    private readonly (string? Text, long Id)[] _last = new (string?, long)[7];
    private long _lastHour = -1;

    private LedgerFile(Database database, LedgerOptions options)
    {
        (_database, _options) = (database, options);
        var connection = database.Connection;
        _begin = new(connection, "BEGIN IMMEDIATE");
        _commit = new(connection, "COMMIT");
        _insert = new(connection, LedgerSchema.InsertEntry);
        _add = new(connection, LedgerSchema.AddToHour);
        _findName = new(connection, "SELECT id FROM names WHERE text = ?1");
        _addName = new(connection, "INSERT INTO names (text) VALUES (?1) RETURNING id");
        _prune = new(connection, "DELETE FROM entries WHERE seq <= ?1");
        _count = new(connection, "INSERT INTO facts VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + ?2");
        Accounted = new(Fact("entries"), Fact("nano"));
    }

    /// <summary>Entries that are accounted for, written or known as lost, and their sum.</summary>
    public LedgerLoss Accounted { get; private set; }

    /// <summary>Its path.</summary>
    public string File => _database.File;

    /// <summary>
    /// Opens the file, or makes it; a fault for a damaged one, one from a newer Spillway, and one in another currency.
    /// </summary>
    public static Outcome<LedgerFile> Open(string path, string currency, LedgerOptions options)
    {
        if (!Database.Open(path, LedgerSchema.Migrations, durable: false).TryGet(out var database, out var fault))
            return fault;
        try
        {
            database.Execute("INSERT INTO facts VALUES ('currency', $c) ON CONFLICT DO NOTHING", ("$c", currency));
            var kept = (string)database.Scalar("SELECT value FROM facts WHERE name = 'currency'")!;
            if (kept == currency)
                return new LedgerFile(database, options);
            database.Dispose();
            return new Fault(FaultKind.StoreFailed, $"The ledger {path} counts in {kept}, and prices.currency is "
                + $"{currency}: their sums would mean nothing. Move ledger.db and the files beside it away, or give "
                + $"prices in {kept}.");
        }
        catch (SqliteException failed)
        {
            database.Dispose();
            return Database.Refused(path, failed);
        }
    }

    /// <summary>
    /// Writes entries, and counts what was lost before them. Throws what SQLite says, and then nothing of it is there.
    /// </summary>
    public void Write(ReadOnlySpan<LedgerEntry> entries, in LedgerLoss lost, string why, long unixMs)
    {
        try
        {
            _begin.Run();
            var nano = lost.Nano;
            foreach (ref readonly var entry in entries)
            {
                nano += entry.Total.Nano;
                Insert(entry);
            }

            AddHours();
            if (lost.Entries > 0)
                AddGap(lost, why, unixMs);
            var count = entries.Length + lost.Entries;
            _count.Bind(1, "entries").Bind(2, count).Run();
            _count.Bind(1, "nano").Bind(2, nano).Run();
            if (entries.Length > 0)
                _prune.Bind(1, entries[^1].Sequence - _options.EntriesMax).Run();
            _commit.Run();
            Accounted = new(Accounted.Entries + count, Accounted.Nano + nano);
        }
        catch (SqliteException)
        {
            Undo();
            throw;
        }
    }

    /// <summary>Lets the file grow by so many pages and no more, as a nearly full disk does. For tests.</summary>
    internal void AllowPages(int more)
    {
        var pages = Convert.ToInt64(_database.Scalar("PRAGMA page_count"), CultureInfo.InvariantCulture);
        _database.Scalar($"PRAGMA max_page_count = {(more < 0 ? int.MaxValue - 1 : pages + more)}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var statement in (Statement[])[_begin, _commit, _insert, _add, _findName, _addName, _prune, _count])
            statement.Dispose();
        _database.Dispose();
    }

    private long Fact(string name) => Convert.ToInt64(
        _database.Scalar("SELECT value FROM facts WHERE name = $n", ("$n", name)) ?? 0L, CultureInfo.InvariantCulture);

    private void Insert(in LedgerEntry entry)
    {
        var key = new HourKey(
            entry.UnixMs / 3_600_000, entry.Kind, Name(0, entry.Tenant), Name(1, entry.Key), Name(2, entry.Route),
            Name(3, entry.Model), Name(4, entry.Version), Name(5, entry.Owner), Name(6, entry.Hardware));
        ref var sums = ref CollectionsMarshal.GetValueRefOrAddDefault(_sums, key, out _);
        sums.Add(entry);
        _insert.Bind(1, entry.Sequence).Bind(2, entry.UnixMs).Bind(12, entry.BusyTicks).Bind(13, entry.Time.Nano)
            .Bind(17, entry.RequestId);
        // The rest is mostly as in the row before, and a statement keeps what was bound.
        Set(3, (long)entry.Kind);
        Set(4, key.Tenant);
        Set(5, key.Key);
        Set(6, key.Route);
        Set(7, key.Model);
        Set(8, key.Version);
        Set(9, key.Owner);
        Set(10, key.Hardware);
        Set(11, entry.Rows);
        Set(14, entry.Run.Nano);
        Set(15, entry.PerRow.Nano);
        Set(16, entry.Request.Nano);
        Set(18, entry.Tokens.Nano);
        Set(19, entry.Used.Input);
        Set(20, entry.Used.Cached);
        Set(21, entry.Used.Output);
        Set(22, entry.Used.Reasoning);
        _insert.Run();
    }

    private void AddHours()
    {
        var newest = _lastHour;
        foreach (var (key, sums) in _sums)
        {
            _add.Bind(1, key.Hour).Bind(2, (long)key.Kind).Bind(3, key.Tenant).Bind(4, key.Key).Bind(5, key.Route)
                .Bind(6, key.Model).Bind(7, key.Version).Bind(8, key.Owner).Bind(9, key.Hardware)
                .Bind(10, sums.Entries).Bind(11, sums.Rows).Bind(12, sums.BusyTicks).Bind(13, sums.Time)
                .Bind(14, sums.Run).Bind(15, sums.PerRow).Bind(16, sums.Request).Bind(17, sums.Tokens)
                .Bind(18, sums.Used.Input).Bind(19, sums.Used.Cached).Bind(20, sums.Used.Output)
                .Bind(21, sums.Used.Reasoning).Run();
            newest = Math.Max(newest, key.Hour);
        }

        _sums.Clear();
        if (newest == _lastHour)
            return;
        // By rank and not by the clock: one that jumps must not delete what it should keep. The inner SELECT is needed:
        // SQLite drops the OFFSET of a SELECT DISTINCT that stands for a value.
        _lastHour = newest;
        _database.Execute(
            "DELETE FROM hours WHERE hour <= (SELECT hour FROM (SELECT DISTINCT hour FROM hours) "
            + "ORDER BY hour DESC LIMIT 1 OFFSET $n)",
            ("$n", _options.HoursMax));
    }

    private void AddGap(in LedgerLoss lost, string why, long unixMs) => _database.Execute(
        "INSERT INTO gaps (at_ms, why, entries, nano) VALUES ($at, $why, $entries, $nano)",
        ("$at", unixMs), ("$why", why), ("$entries", lost.Entries), ("$nano", lost.Nano));

    private void Set(int index, long value)
    {
        if (_bound[index] == value)
            return;
        _insert.Bind(index, value);
        _bound[index] = value;
    }

    /// <summary>The number of a name; most often the very string of the row before.</summary>
    private long Name(int column, string text)
    {
        ref var last = ref _last[column];
        if (!ReferenceEquals(last.Text, text))
            last = (text, Name(text));
        return last.Id;
    }

    private long Name(string text)
    {
        if (_names.TryGetValue(text, out var known))
            return known;
        var id = _findName.Bind(1, text).Number() ?? _addName.Bind(1, text).Number()!.Value;
        _names[text] = id;
        return id;
    }

    /// <summary>Names of a batch that failed are not there; neither are its sums.</summary>
    private void Undo()
    {
        _sums.Clear();
        _names.Clear();
        Array.Clear(_last);
        _lastHour = -1;
        if (SQLitePCL.raw.sqlite3_get_autocommit(_database.Connection.Handle) == 0)
            _database.Execute("ROLLBACK");
    }

    private readonly record struct HourKey(
        long Hour, EntryKind Kind, long Tenant, long Key, long Route, long Model, long Version, long Owner,
        long Hardware);

    private struct HourSums
    {
        public long Entries;
        public long Rows;
        public long BusyTicks;
        public long Time;
        public long Run;
        public long PerRow;
        public long Request;
        public long Tokens;
        public TokenUsage Used;

        public void Add(in LedgerEntry entry)
        {
            Entries++;
            Rows += entry.Rows;
            BusyTicks += entry.BusyTicks;
            Time += entry.Time.Nano;
            Run += entry.Run.Nano;
            PerRow += entry.PerRow.Nano;
            Request += entry.Request.Nano;
            Tokens += entry.Tokens.Nano;
            Used += entry.Used;
        }
    }
}
