using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Spillway.Store.Sqlite;

/// <summary>
/// One SQLite file with numbered migrations, journalled ahead of writing. Not thread-safe: one owner, off the request
/// path. A file from a newer Spillway, or a damaged one, is refused and left as it is.
/// </summary>
internal sealed class Database : IDisposable
{
    private static readonly TimeSpan s_busy = TimeSpan.FromSeconds(5);

    private Database(SqliteConnection connection, string file) => (Connection, File) = (connection, file);

    /// <summary>Open, with the newest schema.</summary>
    public SqliteConnection Connection { get; }

    /// <summary>Its file; ":memory:" for one that ends with this object.</summary>
    public string File { get; }

    /// <summary>Opens a file, or makes it, and brings its schema up to date in one transaction a step.</summary>
    /// <param name="file">Absolute path, or ":memory:".</param>
    /// <param name="migrations">Statements from one version of the schema to the next, oldest first; never altered
    /// once released, only added to.</param>
    /// <param name="durable">
    /// True: a commit returns when it is on the disk. False: a loss of power may take the last commits, an end of the
    /// process none.
    /// </param>
    public static Outcome<Database> Open(string file, IReadOnlyList<string> migrations, bool durable)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Pooling = false,
            DefaultTimeout = (int)s_busy.TotalSeconds,
        }.ToString());
        var database = new Database(connection, file);
        try
        {
            Own(file);
            connection.Open();
            database.Execute("PRAGMA journal_mode = WAL");
            database.Execute($"PRAGMA synchronous = {(durable ? "FULL" : "NORMAL")}");
            database.Execute("PRAGMA foreign_keys = ON");
            if (database.Migrate(migrations) is not { } fault)
                return database;
            database.Dispose();
            return fault;
        }
        catch (SqliteException failed)
        {
            database.Dispose();
            return Refused(file, failed);
        }
    }

    /// <summary>What a failure of SQLite means to a person.</summary>
    public static Fault Refused(string file, SqliteException failed) => new(
        FaultKind.StoreFailed,
        failed.SqliteErrorCode switch
        {
            SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB =>
                $"The database {file} is damaged ({failed.Message}) and was left as it is. Move it and the files beside "
                + "it away, and put a copy in its place.",
            SQLitePCL.raw.SQLITE_FULL => $"The disk of {file} is full. Make room.",
            SQLitePCL.raw.SQLITE_BUSY or SQLitePCL.raw.SQLITE_LOCKED =>
                $"Another process holds the database {file}. One server at a time uses it: stop the other one.",
            _ => $"The database {file} cannot be used: {failed.Message}.",
        });

    /// <summary>Runs a statement without a result.</summary>
    public int Execute(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(sql, values);
        return command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row; null for none.</summary>
    public object? Scalar(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(sql, values);
        return command.ExecuteScalar() is { } value and not DBNull ? value : null;
    }

    /// <summary>A statement with its values; dispose it.</summary>
    public SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = Connection.CreateCommand();
#pragma warning disable CA2100 // Texts of this program; what others send goes through parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    /// <inheritdoc/>
    public void Dispose() => Connection.Dispose();

    /// <summary>
    /// A new file is its owner's alone, in whatever folder it is; the files beside it take its rights. What cannot be
    /// made is told when it is opened.
    /// </summary>
    private static void Own(string file)
    {
        if (file == ":memory:")
            return;
        try
        {
            OwnerOnly.Open(file).Dispose();
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // SQLite has the words for it.
        }
    }

    private Fault? Migrate(IReadOnlyList<string> migrations)
    {
        if (Scalar("PRAGMA quick_check(1)") is not "ok")
        {
            return new(FaultKind.StoreFailed, $"The database {File} is damaged and was left as it is. Move it and the "
                + "files beside it away, and put a copy in its place.");
        }

        var version = Convert.ToInt32(Scalar("PRAGMA user_version"), CultureInfo.InvariantCulture);
        if (version > migrations.Count)
        {
            return new(FaultKind.StoreFailed, $"The database {File} has version {version} of its schema; this Spillway "
                + $"knows {migrations.Count}. Run the newer Spillway that wrote it, or put an older copy in its place.");
        }

        for (; version < migrations.Count; version++)
        {
            using var step = Connection.BeginTransaction();
            Execute(migrations[version]);
            Execute($"PRAGMA user_version = {version + 1}");
            step.Commit();
        }

        return null;
    }
}
