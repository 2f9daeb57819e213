using Spillway.Policies.Identity;

namespace Spillway.Tests.Engine.Access;

/// <summary>Keys that are revoked while the disk takes nothing.</summary>
public sealed class RevocationTests
{
    [Fact]
    public async Task A_revocation_that_cannot_be_written_holds_until_a_restart_and_is_written_later()
    {
        await using var ring = new Ring();
        var (issued, other) = (ring.Issue(), ring.Issue());
        ring.Who(issued.Text);
        Break(ring.File, "ALTER TABLE keys RENAME TO gone");

        var fault = ring.Keys.Revoke(issued.Key.Id).Fault;

        Assert.Equal(FaultKind.StoreFailed, fault?.Kind);
        Assert.Contains("until a restart only", fault!.Message, StringComparison.Ordinal);
        ring.Refuses(issued.Text, Refusal.Revoked);
        ring.Who(other.Text);
        // As long as it is not kept, nobody is told that it is.
        Assert.NotNull(ring.Keys.Revoke(issued.Key.Id).Fault);
        ring.Keys.WriteUses();
        Break(ring.File, "ALTER TABLE gone RENAME TO keys");
        ring.Keys.WriteUses();
        await ring.ReopenAsync();
        ring.Refuses(issued.Text, Refusal.Revoked);
        ring.Who(other.Text);
    }

    /// <summary>Does something to a database from outside.</summary>
    internal static void Break(string file, string sql)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
