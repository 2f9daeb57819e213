using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Engine.Audit;
using Spillway.Store;
using Spillway.Store.Audit;
using Spillway.Store.Provenance;
using Spillway.Telemetry;

namespace Spillway.Bench;

/// <summary>
/// Offers records to the audit log at a fixed rate, through the sink, the queue and the writer of a server, on a real
/// disk; stops it cleanly and verifies what is there.
/// </summary>
internal static class AuditRace
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);

    public static async Task RunAsync(Arguments arguments)
    {
        var (rate, seconds) = (arguments.Number("--rate", 20_000), arguments.Seconds("--seconds", 60));
        var root = Path.GetFullPath(arguments.Text("--folder", "artifacts/bench/audit"));
        if (Directory.Exists(root))
            Directory.Delete(root, recursive: true);
        var options = new AuditOptions();
        using var state = Value(StateFolder.Open(root));
        var log = Value(AuditLog.Open(
            state, options, new Dictionary<string, string>(), "bench", TimeProvider.System, NullLogger.Instance));
        var all = (long)(rate * seconds.TotalSeconds);
        var times = new float[all];
        var idle = await PaceAsync(rate, Math.Min(all, rate * 5L), static _ => { });
        var sink = (IRecordSink)new AuditSink(log);
        var record = Record();
        var cpu = Environment.CpuUsage.TotalTime;
        await PaceAsync(rate, all, i =>
        {
            var began = TimeProvider.System.GetTimestamp();
            sink.Offer(record);
            times[i] = (float)TimeProvider.System.GetElapsedTime(began).TotalMicroseconds;
        });
        await log.DisposeAsync();
        var used = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / all;
        Print(log, all, rate, used - idle, times);
    }

    /// <summary>Does something so often a second; what pacing itself costs, in microseconds of CPU each.</summary>
    private static async Task<double> PaceAsync(int rate, long count, Action<long> act)
    {
        var cpu = Environment.CpuUsage.TotalTime;
        using var timer = new PeriodicTimer(s_tick);
        var began = TimeProvider.System.GetTimestamp();
        for (long done = 0; done < count;)
        {
            await timer.WaitForNextTickAsync();
            var due = Math.Min(count, (long)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * rate));
            for (; done < due; done++)
                act(done);
        }

        return (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / count;
    }

    private static void Print(AuditLog log, long all, int rate, double cpu, float[] times)
    {
        using var key = ModelTrust.ReadKey(log.Folder.PublicKey).Value;
        var report = new AuditVerifier(log.Folder, [key], []).Run(null, CancellationToken.None);
        Array.Sort(times);
        var bytes = Directory.EnumerateFiles(log.Folder.Path).Sum(f => new FileInfo(f).Length);
        Report.Print(new
        {
            Offered = all,
            Rate = rate,
            Lost = log.Lost,
            // The log adds that it was started and stopped.
            Missing = all + 2 - report.Records,
            Whole = report.Damage is null,
            Unsigned = report.Records - report.Signed,
            WaitingMax = log.WaitingMax,
            Waits = log.Waiting,
            CpuMicroseconds = cpu,
            OfferMedianMicroseconds = times[times.Length / 2],
            OfferP999Microseconds = times[(int)(times.Length * 0.999)],
            OfferMaxMicroseconds = times[^1],
            BytesPerRecord = bytes / (double)report.Records,
        });
    }

    private static RequestRecord Record()
    {
        var record = new RequestRecord
        {
            RequestId = "b3cff0bacf1bc1ca", Model = "tiny", Version = "1", Deployment = "tiny", Status = 200, Rows = 1,
            BytesIn = 3200, BytesOut = 180, Started = TimeProvider.System.GetUtcNow(),
            ModelDigest = new('a', 64), ConfigDigest = new('b', 64), PriceDigest = new('c', 64),
            Caller = new() { Tenant = "acme", Key = "k1", Roles = Roles.Caller },
        };
        record.Decide(DecisionKind.Answered, 200, 180);
        record.Charge("run", new(1500));
        return record;
    }

    private static T Value<T>(Outcome<T> outcome) =>
        outcome.TryGet(out var value, out var fault) ? value : throw new BenchException(fault.Message);
}
