using Microsoft.Data.Sqlite;
using Spillway.Store.Sqlite;

namespace Spillway.Store.Budgets;

/// <summary>What counts as spent of one budget in one cell of time. Ticks of UTC, nano-units.</summary>
/// <param name="Budget">The budget's name.</param>
/// <param name="Scope">Whose, as "tenant=acme"; empty for the one of all.</param>
/// <param name="Window">What kind of windows it had when this was written.</param>
/// <param name="Start">First tick of the cell.</param>
/// <param name="End">First tick after it.</param>
/// <param name="Drawn">What counts as spent after a crash.</param>
/// <param name="Spent">What was known to be spent when this was written.</param>
public readonly record struct SliceRow(
    string Budget, string Scope, string Window, long Start, long End, long Drawn, long Spent)
{
    /// <summary>It moved elsewhere and is to be deleted.</summary>
    public bool IsGone { get; init; }
}

/// <summary>
/// The journal of drawn slices: one row for each cell, written through to the disk before any of it is spent. One
/// owner, a thread off the request path.
/// </summary>
public sealed class SliceStore : IDisposable
{
    /// <summary>The file in the state folder.</summary>
    public const string FileName = "budgets.db";

    /// <summary>Cells that ended so long ago are of no window any more: the longest has 31 days.</summary>
    private static readonly TimeSpan s_kept = TimeSpan.FromDays(70);

    private static readonly string[] s_migrations =
    [
        """
        CREATE TABLE slices(
          budget TEXT NOT NULL, scope TEXT NOT NULL, window TEXT NOT NULL, start INTEGER NOT NULL,
          ends INTEGER NOT NULL, drawn INTEGER NOT NULL, spent INTEGER NOT NULL,
          PRIMARY KEY(budget, scope, window, start)) WITHOUT ROWID
        """,
    ];

    private readonly Database _database;

    private SliceStore(Database database) => _database = database;

    /// <summary>The database, for tests that take its disk away.</summary>
    internal Database Database => _database;

    /// <summary>Opens or makes it; a fault says what is wrong with the file.</summary>
    /// <param name="file">Absolute path.</param>
    public static Outcome<SliceStore> Open(string file) =>
        Database.Open(file, s_migrations, durable: true).TryGet(out var database, out var fault)
            ? new SliceStore(database)
            : fault;

    /// <summary>
    /// Everything that may still count; what is long over is deleted. Long over by the clock and by the newest row: a
    /// clock that is far ahead at one start must not give a month's money back.
    /// </summary>
    public Outcome<SliceRow[]> Load(DateTimeOffset now)
    {
        try
        {
            _database.Execute(
                "DELETE FROM slices WHERE ends < @old AND ends < (SELECT MAX(start) FROM slices) - @kept",
                ("@old", (now - s_kept).UtcTicks), ("@kept", s_kept.Ticks));
            using var command = _database.Command(
                "SELECT budget, scope, window, start, ends, drawn, spent FROM slices");
            using var reader = command.ExecuteReader();
            var rows = new List<SliceRow>();
            while (reader.Read())
            {
                rows.Add(new(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetInt64(3),
                    reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6)));
            }

            return rows.ToArray();
        }
        catch (SqliteException failed)
        {
            return Database.Refused(_database.File, failed);
        }
    }

    /// <summary>Writes rows in one transaction; null when they are on the disk, else why none of them is.</summary>
    public Fault? Write(IReadOnlyList<SliceRow> rows)
    {
        try
        {
            using var transaction = _database.Connection.BeginTransaction();
            foreach (var row in rows)
                Write(row);
            transaction.Commit();
            return null;
        }
        catch (SqliteException failed)
        {
            return Database.Refused(_database.File, failed);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();

    private void Write(in SliceRow row)
    {
        if (row.IsGone)
        {
            _database.Execute(
                "DELETE FROM slices WHERE budget = @budget AND scope = @scope AND window = @window AND start = @start",
                ("@budget", row.Budget), ("@scope", row.Scope), ("@window", row.Window), ("@start", row.Start));
            return;
        }

        _database.Execute(
            """
            INSERT INTO slices VALUES(@budget, @scope, @window, @start, @ends, @drawn, @spent)
            ON CONFLICT DO UPDATE SET drawn = excluded.drawn, spent = excluded.spent
            """,
            ("@budget", row.Budget), ("@scope", row.Scope), ("@window", row.Window), ("@start", row.Start),
            ("@ends", row.End), ("@drawn", row.Drawn), ("@spent", row.Spent));
    }
}
