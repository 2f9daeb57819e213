using System.Globalization;

namespace Spillway.App.Cli.Drills;

/// <summary>The counters of a server that a drill holds against each other, from its /metrics.</summary>
internal static class DrillFigures
{
    /// <summary>All of them as they stand.</summary>
    public static async Task<DrillCounts> ReadAsync(ServerClient client, CancellationToken cancellation)
    {
        var lines = (await client.TextAsync("/metrics", cancellation).ConfigureAwait(false)).Split('\n');
        return new(
            Sum("spillway_upstream_answered_total") + Sum("spillway_upstream_failed_total"),
            Sum("spillway_upstream_retries_total"),
            Sum("spillway_ledger_lost_total") + Sum("spillway_audit_lost_total"),
            Sum("spillway_ledger_queue") + Sum("spillway_audit_waiting"));

        long Sum(string family) => lines.Where(l => l.StartsWith(family, StringComparison.Ordinal)
            && l.Length > family.Length && l[family.Length] is ' ' or '{').Sum(Value);
    }

    /// <summary>What moved; what waits is as it is at the end.</summary>
    public static DrillCounts Since(this DrillCounts now, DrillCounts before) => new(
        now.Calls - before.Calls, now.Retries - before.Retries, now.Unkept - before.Unkept, now.Waiting);

    private static long Value(string line) =>
        double.TryParse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture, out var value)
            ? (long)value : 0;
}
