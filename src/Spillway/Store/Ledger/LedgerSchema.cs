namespace Spillway.Store.Ledger;

/// <summary>
/// The tables of ledger.db. Names are numbers in them (table names); the view ledger has them as text, for people.
/// Amounts are nano-units. A migration that was released is never changed.
/// </summary>
internal static class LedgerSchema
{
    /// <summary>Oldest first.</summary>
    public static IReadOnlyList<string> Migrations { get; } =
    [
        """
        CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
        CREATE TABLE names (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
        CREATE TABLE entries (
            seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL, tenant INTEGER NOT NULL,
            key INTEGER NOT NULL, route INTEGER NOT NULL, model INTEGER NOT NULL, version INTEGER NOT NULL,
            owner INTEGER NOT NULL, hardware INTEGER NOT NULL, rows INTEGER NOT NULL, busy_ticks INTEGER NOT NULL,
            time_nano INTEGER NOT NULL, run_nano INTEGER NOT NULL, rows_nano INTEGER NOT NULL,
            request_nano INTEGER NOT NULL, request_id TEXT NOT NULL);
        CREATE TABLE hours (
            hour INTEGER NOT NULL, kind INTEGER NOT NULL, tenant INTEGER NOT NULL, key INTEGER NOT NULL,
            route INTEGER NOT NULL, model INTEGER NOT NULL, version INTEGER NOT NULL, owner INTEGER NOT NULL,
            hardware INTEGER NOT NULL, entries INTEGER NOT NULL, rows INTEGER NOT NULL, busy_ticks INTEGER NOT NULL,
            time_nano INTEGER NOT NULL, run_nano INTEGER NOT NULL, rows_nano INTEGER NOT NULL,
            request_nano INTEGER NOT NULL,
            PRIMARY KEY (hour, kind, tenant, key, route, model, version, owner, hardware)) WITHOUT ROWID;
        CREATE TABLE gaps (
            id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, why TEXT NOT NULL, entries INTEGER NOT NULL,
            nano INTEGER NOT NULL);
        CREATE VIEW ledger AS SELECT
            seq, strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS at,
            CASE kind WHEN 1 THEN 'bill' WHEN 2 THEN 'waste' ELSE 'idle' END AS kind,
            t.text AS tenant, k.text AS key, r.text AS route, m.text AS model, v.text AS version, o.text AS owner,
            h.text AS hardware, rows, busy_ticks, time_nano, run_nano, rows_nano, request_nano, request_id
        FROM entries
            JOIN names t ON t.id = tenant JOIN names k ON k.id = key JOIN names r ON r.id = route
            JOIN names m ON m.id = model JOIN names v ON v.id = version JOIN names o ON o.id = owner
            JOIN names h ON h.id = hardware;
        """,
        """
        ALTER TABLE entries ADD COLUMN tokens_nano INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE entries ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE entries ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE entries ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE entries ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hours ADD COLUMN tokens_nano INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hours ADD COLUMN input_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hours ADD COLUMN cached_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hours ADD COLUMN output_tokens INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hours ADD COLUMN reasoning_tokens INTEGER NOT NULL DEFAULT 0;
        DROP VIEW ledger;
        CREATE VIEW ledger AS SELECT
            seq, strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS at,
            CASE kind WHEN 1 THEN 'bill' WHEN 2 THEN 'waste' ELSE 'idle' END AS kind,
            t.text AS tenant, k.text AS key, r.text AS route, m.text AS model, v.text AS version, o.text AS owner,
            h.text AS hardware, rows, busy_ticks, time_nano, run_nano, rows_nano, request_nano, tokens_nano,
            input_tokens, cached_tokens, output_tokens, reasoning_tokens, request_id
        FROM entries
            JOIN names t ON t.id = tenant JOIN names k ON k.id = key JOIN names r ON r.id = route
            JOIN names m ON m.id = model JOIN names v ON v.id = version JOIN names o ON o.id = owner
            JOIN names h ON h.id = hardware;
        """,
    ];

    /// <summary>One entry.</summary>
    public const string InsertEntry =
        "INSERT INTO entries VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22)";

    /// <summary>Adds to the sums of an hour.</summary>
    public const string AddToHour = """
        INSERT INTO hours VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21)
        ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, rows = rows + excluded.rows,
            busy_ticks = busy_ticks + excluded.busy_ticks, time_nano = time_nano + excluded.time_nano,
            run_nano = run_nano + excluded.run_nano, rows_nano = rows_nano + excluded.rows_nano,
            request_nano = request_nano + excluded.request_nano, tokens_nano = tokens_nano + excluded.tokens_nano,
            input_tokens = input_tokens + excluded.input_tokens, cached_tokens = cached_tokens + excluded.cached_tokens,
            output_tokens = output_tokens + excluded.output_tokens,
            reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens
        """;
}
