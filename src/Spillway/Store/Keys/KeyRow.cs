using Microsoft.Data.Sqlite;

namespace Spillway.Store.Keys;

/// <summary>A key as a row and back.</summary>
internal static class KeyRow
{
    private const int DigestLength = 32;
    private const long UnixMsMax = 253_402_300_799_999; // the end of the year 9999

    /// <summary>The key of the reader's row; null when it is none.</summary>
    public static StoredKey? Read(SqliteDataReader row)
    {
        var roles = row.GetInt64(4);
        var (digest, previous) = ((byte[])row[15], row[16] as byte[]);
        if (roles is < 0 or > (long)Roles.All || digest.Length != DigestLength
            || previous is { Length: not DigestLength })
            return null;
        for (var time = 9; time <= 14; time++)
        {
            if (!row.IsDBNull(time) && row.GetInt64(time) is < 0 or > UnixMsMax)
                return null;
        }

        var detail = new AnswerDetail(row.GetInt64(6) != 0, Small(row, 7), Small(row, 8));
        return new(
            new()
            {
                Id = row.GetString(0),
                Environment = row.GetString(1),
                Tenant = row.GetString(2),
                Name = row.GetString(3),
                Roles = (Roles)roles,
                Models = row.IsDBNull(5) ? null : row.GetString(5).Split('\n', StringSplitOptions.RemoveEmptyEntries),
                Detail = detail == AnswerDetail.Full ? AnswerDetail.Full : detail,
                Created = Time(row, 9)!.Value,
                Expires = Time(row, 10),
                Revoked = Time(row, 11),
                Rotated = Time(row, 12),
                PreviousUntil = Time(row, 13),
                LastUsed = Time(row, 14),
                Criticality = (Criticality)Math.Clamp(row.GetInt64(17), 0, (int)Criticality.CriticalPlus),
            },
            digest,
            previous);
    }

    /// <summary>Gives a statement its values.</summary>
    public static void Write(SqliteCommand command, StoredKey stored)
    {
        var key = stored.Key;
        Set(command, "@id", key.Id);
        Set(command, "@environment", key.Environment);
        Set(command, "@tenant", key.Tenant);
        Set(command, "@name", key.Name);
        Set(command, "@roles", (long)key.Roles);
        Set(command, "@models", key.Models is null ? null : string.Join('\n', key.Models));
        Set(command, "@label_only", key.Detail.LabelOnly ? 1L : 0L);
        Set(command, "@top_k", key.Detail.TopK);
        Set(command, "@decimals", key.Detail.Decimals);
        Set(command, "@created", key.Created.ToUnixTimeMilliseconds());
        Set(command, "@expires", key.Expires?.ToUnixTimeMilliseconds());
        Set(command, "@revoked", key.Revoked?.ToUnixTimeMilliseconds());
        Set(command, "@rotated", key.Rotated?.ToUnixTimeMilliseconds());
        Set(command, "@previous_until", key.PreviousUntil?.ToUnixTimeMilliseconds());
        Set(command, "@last_used", key.LastUsed?.ToUnixTimeMilliseconds());
        Set(command, "@digest", stored.Digest);
        Set(command, "@previous", stored.Previous);
        Set(command, "@criticality", (long)key.Criticality);
    }

    private static void Set(SqliteCommand command, string name, object? value) =>
        command.Parameters.AddWithValue(name, value ?? DBNull.Value);

    private static DateTimeOffset? Time(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(column));

    private static int? Small(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : (int)Math.Clamp(row.GetInt64(column), 0, int.MaxValue);
}
