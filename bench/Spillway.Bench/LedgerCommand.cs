using Spillway.Store;
using Spillway.Store.Ledger;

namespace Spillway.Bench;

/// <summary>
/// Entries at a constant rate through the real queue and the real writer, onto the disk: how deep the queue gets, what
/// handing one over takes, what it costs in CPU time, and whether everything is there after a clean stop. The same
/// pace without a ledger comes first and is subtracted.
/// </summary>
internal static class LedgerCommand
{
    private const int Senders = 2;

    private static readonly TimeSpan s_beat = TimeSpan.FromMilliseconds(5);

    public static async Task RunAsync(Arguments arguments)
    {
        var (rate, length) = (arguments.Number("--rate", 20_000), arguments.Seconds("--seconds", 60));
        var root = Path.GetFullPath(arguments.Text("--folder", "artifacts/bench/ledger"));
        if (Directory.Exists(root))
            Directory.Delete(root, recursive: true);
        using var folder = Or(StateFolder.Open(root));
        var pace = await SendAsync(null, rate, TimeSpan.FromSeconds(Math.Min(length.TotalSeconds, 10)));
        var ledger = Or(SqliteLedger.Open(folder, "EUR", new(), TimeProvider.System, static _ => { }));
        var run = await SendAsync(ledger, rate, length);
        await ledger.StopAsync();
        var state = ledger.Look();
        await ledger.DisposeAsync();
        await using var again = Or(SqliteLedger.Open(folder, "EUR", new(), TimeProvider.System, static _ => { }));
        var now = TimeProvider.System.GetUtcNow();
        var report = Or(again.Read(new(CostGroup.Tenant, now.AddHours(-2), now.AddHours(1))));
        Report.Print(new
        {
            Rate = run.Entries / run.Seconds,
            run.Entries,
            Kept = report.Total.Answers,
            KeptSumIsRight = report.Total.Total.Nano == run.Nano,
            MissingAtNextStart = again.LostBefore.Entries,
            state.Lost,
            QueueDeepest = state.Deepest,
            QueueCapacity = state.Capacity,
            CpuMicroseconds = (run.Cpu / run.Entries) - (pace.Cpu / pace.Entries),
            WriterMicroseconds = state.WriteTime.TotalMicroseconds / run.Entries,
            OfferP50Microseconds = run.Offer[run.Offer.Count / 2],
            OfferP99Microseconds = Report.Quantile(run.Offer, 0.99),
            OfferP999Microseconds = Report.Quantile(run.Offer, 0.999),
            OfferMaxMicroseconds = run.Offer[^1],
            EmptyMaxMicroseconds = pace.Offer[^1],
            FileMib = new FileInfo(folder.FileOf("ledger.db")).Length / 1048576.0,
        });
    }

    private static async Task<Sent> SendAsync(SqliteLedger? ledger, int rate, TimeSpan length)
    {
        var (clock, cpu) = (TimeProvider.System, Environment.CpuUsage.TotalTime);
        var began = clock.GetTimestamp();
        var each = await Task.WhenAll(Enumerable.Range(0, Senders).Select(
            i => Task.Run(() => BeatAsync(ledger, i, (double)rate / Senders, length))));
        var seconds = clock.GetElapsedTime(began).TotalSeconds;
        List<double> times = [.. each.SelectMany(static e => e.Times).Order()];
        return new(
            each.Sum(static e => e.Entries), each.Sum(static e => e.Nano), seconds,
            (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds, times);
    }

    /// <summary>One sender: at each beat what is due by then.</summary>
    private static async Task<(long Entries, long Nano, List<double> Times)> BeatAsync(
        SqliteLedger? ledger, int sender, double rate, TimeSpan length)
    {
        var clock = TimeProvider.System;
        using var timer = new PeriodicTimer(s_beat, clock);
        var (sent, nano, began) = (0L, 0L, clock.GetTimestamp());
        List<double> times = new((int)(rate * length.TotalSeconds) + 1);
        while (clock.GetElapsedTime(began) is var now && now < length)
        {
            for (var due = (long)(now.TotalSeconds * rate); sent < due; sent++)
            {
                var entry = Entry(sender, sent, clock.GetUtcNow());
                var offered = clock.GetTimestamp();
                ledger?.Offer(entry);
                times.Add(clock.GetElapsedTime(offered).TotalMicroseconds);
                nano += entry.Total.Nano;
            }

            await timer.WaitForNextTickAsync();
        }

        return (sent, nano, times);
    }

    /// <summary>As a busy server has them: a hundred tenants, ten models.</summary>
    private static LedgerEntry Entry(int sender, long number, DateTimeOffset now) => new()
    {
        UnixMs = now.ToUnixTimeMilliseconds(), Tenant = s_tenants[number % s_tenants.Length], Key = "k3f9",
        Route = s_models[number % s_models.Length], Model = s_models[number % s_models.Length], Version = "1",
        Owner = "vision", Hardware = "cpu", RequestId = sender == 0 ? "7f3a12cc90e4b1d8" : "0b5d77ae21c94f36", Rows = 1,
        BusyTicks = 700, Time = new(7389 + (number % 100)), PerRow = new(200),
    };

    private static readonly string[] s_tenants = [.. Enumerable.Range(0, 100).Select(static i => $"tenant-{i}")];
    private static readonly string[] s_models = [.. Enumerable.Range(0, 10).Select(static i => $"model-{i}")];

    private static T Or<T>(Outcome<T> outcome) =>
        outcome.TryGet(out var value, out var fault) ? value : throw new BenchException(fault.Message);

    private sealed record Sent(long Entries, long Nano, double Seconds, double Cpu, List<double> Offer);
}
