using Spillway.Store.Audit;

namespace Spillway.Tests.Store.Audit;

/// <summary>A log that is verified from its records alone, as over the wire.</summary>
public sealed class ReplayTests
{
    [Fact]
    public async Task Whoever_reads_over_the_wire_finds_heads_that_were_taken_away_as_whoever_has_the_files_does()
    {
        using var fixture = await new LogFixture().WithAsync(40, each: 10);
        var heads = fixture.Heads();
        Assert.Null(Replay(heads, heads[^1]).Damage);

        // The stop at record 23 is signed by nobody any more.
        Cut(Replay([heads[0]]), 12, 23);
        // None is left: the first stop is not signed.
        Cut(Replay([]), 0, 11);
        // The server knows better than its list.
        Cut(Replay([.. heads, heads[^1]], heads[^1], listed: heads[^2].Size), heads[^2].Size, heads[^1].Size - 1);
        // A head of another log proves nothing of this one.
        var other = heads[^1] with { Log = "another" };
        Assert.Equal(AuditDamageKind.HeadForged, Replay([.. heads.SkipLast(1), other]).Damage!.Kind);

        AuditReport Replay(IReadOnlyList<AuditHead> shown, AuditHead? told = null, long? listed = null)
        {
            using var key = fixture.Key();
            var replay = new AuditReplay(fixture.Folder.ReadId(), shown, [key]);
            _ = fixture.Reader.From(0).All(r => replay.Add(r.Bytes.Span));
            return replay.Report(told, listed ?? (shown.Count > 0 ? shown.Max(h => h.Size) : 0));
        }

        static void Cut(AuditReport report, long first, long last)
        {
            Assert.Equal(AuditDamageKind.HeadMissing, report.Damage?.Kind);
            Assert.Equal((first, last), (report.Damage!.First, report.Damage.Last));
        }
    }
}
