using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Spillway.Store.Sqlite;

namespace Spillway.Store.Keys;

/// <summary>
/// The keys on disk: digests and what is known of them, never a secret. Each change is on the disk when it returns. Not
/// thread-safe: one owner, off the request path.
/// </summary>
internal sealed class KeyStore : IDisposable
{
    /// <summary>Its name in the state folder.</summary>
    public const string FileName = "keys.db";

    private const string Columns = "id, environment, tenant, name, roles, models, label_only, top_k, decimals, "
        + "created, "
        + "expires, revoked, rotated, previous_until, last_used, digest, previous, criticality";

    private static readonly string[] s_migrations =
    [
        """
        CREATE TABLE keys (
          id TEXT NOT NULL PRIMARY KEY,
          environment TEXT NOT NULL,
          tenant TEXT NOT NULL,
          name TEXT NOT NULL,
          roles INTEGER NOT NULL,
          models TEXT,
          label_only INTEGER NOT NULL,
          top_k INTEGER,
          decimals INTEGER,
          created INTEGER NOT NULL,
          expires INTEGER,
          revoked INTEGER,
          rotated INTEGER,
          previous_until INTEGER,
          last_used INTEGER,
          digest BLOB NOT NULL,
          previous BLOB) STRICT;
        CREATE TABLE peppers (proof BLOB NOT NULL) STRICT;
        """,
        "ALTER TABLE keys ADD COLUMN criticality INTEGER NOT NULL DEFAULT 2;",
    ];

    private readonly Database _database;

    private KeyStore(Database database) => _database = database;

    /// <summary>Opens the store, or makes it.</summary>
    /// <param name="file">Absolute path, or ":memory:".</param>
    /// <param name="pepperProof">
    /// By which the store knows its pepper again; a store of another one is refused, because no key would be found in
    /// it.
    /// </param>
    public static Outcome<KeyStore> Open(string file, byte[] pepperProof)
    {
        if (!Database.Open(file, s_migrations, durable: true).TryGet(out var database, out var fault))
            return fault;
        var store = new KeyStore(database);
        try
        {
            fault = store.Prove(pepperProof);
        }
        catch (SqliteException failed)
        {
            fault = Database.Refused(file, failed);
        }

        if (fault is null)
            return store;
        store.Dispose();
        return fault;
    }

    /// <summary>Every key, or what is wrong with the store.</summary>
    public Outcome<IReadOnlyList<StoredKey>> List()
    {
        try
        {
            using var command = _database.Command($"SELECT {Columns} FROM keys ORDER BY created, id");
            using var rows = command.ExecuteReader();
            var keys = new List<StoredKey>();
            while (rows.Read())
            {
                if (KeyRow.Read(rows) is not { } key)
                {
                    return new Fault(FaultKind.StoreFailed, $"The database {_database.File} holds a key that this "
                        + $"Spillway cannot read (row {keys.Count + 1} by age), and was left as it is. Put a copy in "
                            + $"its "
                        + "place, or run the Spillway that wrote it.");
                }

                keys.Add(key);
            }

            return keys;
        }
        catch (SqliteException failed)
        {
            return Database.Refused(_database.File, failed);
        }
    }

    /// <summary>Keeps a key, new or changed. Null, or why it was not kept.</summary>
    public Fault? Put(StoredKey stored)
    {
        try
        {
            using var command = _database.Command($"INSERT OR REPLACE INTO keys ({Columns}) VALUES (@id, @environment, "
                + "@tenant, @name, @roles, @models, @label_only, @top_k, @decimals, @created, @expires, @revoked, "
                + "@rotated, @previous_until, @last_used, @digest, @previous, @criticality)");
            KeyRow.Write(command, stored);
            command.ExecuteNonQuery();
            return null;
        }
        catch (SqliteException failed)
        {
            return Database.Refused(_database.File, failed);
        }
    }

    /// <summary>Keeps when keys were last used, in one transaction. Null, or why it was not kept.</summary>
    public Fault? Used(IReadOnlyCollection<(string Id, DateTimeOffset At)> keys)
    {
        try
        {
            using var all = _database.Connection.BeginTransaction();
            foreach (var (id, at) in keys)
            {
                _database.Execute("UPDATE keys SET last_used = @at WHERE id = @id",
                    ("@at", at.ToUnixTimeMilliseconds()), ("@id", id));
            }

            all.Commit();
            return null;
        }
        catch (SqliteException failed)
        {
            return Database.Refused(_database.File, failed);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _database.Dispose();

    private Fault? Prove(byte[] proof)
    {
        if (_database.Scalar("SELECT proof FROM peppers") is not byte[] known)
        {
            _database.Execute("INSERT INTO peppers (proof) VALUES (@proof)", ("@proof", proof));
            return null;
        }

        return CryptographicOperations.FixedTimeEquals(known, proof) ? null : new(
            FaultKind.StoreFailed,
            $"The keys in {_database.File} were made with another pepper than the one given, so that none of them "
                + $"would "
            + "be known. Give the former pepper (access.pepper, or the file pepper in the state folder), or move the "
            + "database away and make new keys.");
    }
}
