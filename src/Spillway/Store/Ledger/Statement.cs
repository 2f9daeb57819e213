using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Spillway.Store.Ledger;

/// <summary>
/// A prepared statement without the parameter objects of ADO.NET, which would be made and boxed anew for each of
/// thousands of rows a second. One owner.
/// </summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    /// <summary>Prepares it; throws what SQLite says.</summary>
    public Statement(SqliteConnection connection, string sql)
    {
        _database = connection.Handle ?? throw new InvalidOperationException("The connection is closed.");
        Check(raw.sqlite3_prepare_v2(_database, sql, out _statement));
    }

    /// <summary>Sets a parameter, from 1.</summary>
    public Statement Bind(int index, long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, index, value));
        return this;
    }

    /// <summary>Sets a parameter, from 1.</summary>
    public Statement Bind(int index, string value)
    {
        Check(raw.sqlite3_bind_text(_statement, index, value));
        return this;
    }

    /// <summary>Runs it to its end, and makes it ready for the next time.</summary>
    public void Run()
    {
        var result = raw.sqlite3_step(_statement);
        // The reset repeats a failure of the step, which is told first.
        var reset = raw.sqlite3_reset(_statement);
        if (result is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
            Check(result);
        Check(reset);
    }

    /// <summary>The first column of the first row; null for none.</summary>
    public long? Number()
    {
        var result = raw.sqlite3_step(_statement);
        long? number = result == raw.SQLITE_ROW ? raw.sqlite3_column_int64(_statement, 0) : null;
        raw.sqlite3_reset(_statement);
        if (result is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
            Check(result);
        return number;
    }

    /// <inheritdoc/>
    public void Dispose() => _statement.Dispose();

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
            SqliteException.ThrowExceptionForRC(result, _database);
    }
}
