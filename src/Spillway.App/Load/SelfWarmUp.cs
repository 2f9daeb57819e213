using System.Runtime;
using System.Text;

namespace Spillway.App.Load;

/// <summary>
/// Sends a few hundred requests to a sink in this process before anything is measured, until the compiler has nothing
/// left to do. The runtime compiles what it runs in the background, in tiers: without this a run of three seconds at
/// 40 requests a second spent 2 ms of CPU on each, of which 40 µs were the request, and took them from the server that
/// it measured on the same machine. Once per process; about half a second.
/// </summary>
internal static class SelfWarmUp
{
    /// <summary>More than a socket takes at once, so that both ways of sending are compiled.</summary>
    private const int BodyBytes = 512 * 1024;

    private const int Connections = 2;

    /// <summary>A method is compiled anew after 30 calls, and each kind of answer is every third one.</summary>
    private const int RequestsPerTurn = 120;

    private const double OpenRate = 4000;

    /// <summary>The compiler begins 100 ms after the last new method was called.</summary>
    private const int SettleMs = 130;

    private const int TickMs = 5;

    /// <summary>Beyond it the process is busy with something else, and the run begins all the same.</summary>
    private const int TurnsMax = 9;

    /// <summary>A turn with fewer new methods than this is quiet; two of them end it.</summary>
    private const int QuietMethods = 4;

    private static int s_begun;

    /// <summary>Blocks until the generator is warm; returns at once for every call after the first.</summary>
    public static void Run(LoadClock clock, bool open, CancellationToken stop)
    {
        if (Interlocked.Exchange(ref s_begun, 1) != 0)
            return;
        var head = $"POST / HTTP/1.1\r\nHost: sink\r\nContent-Length: {BodyBytes}\r\n\r\n";
        byte[] request = [.. Encoding.ASCII.GetBytes(head), .. new byte[BodyBytes]];
        using var sink = new LoopbackSink(request.Length);
        var quiet = 0;
        for (var turn = 0; turn < TurnsMax && quiet < 2 && !stop.IsCancellationRequested; turn++)
        {
            var before = JitInfo.GetCompiledMethodCount();
            Turn(clock, sink, request, open);
            stop.WaitHandle.WaitOne(SettleMs);
            // Two, because counting the calls of what was new in this turn begins with the next.
            quiet = JitInfo.GetCompiledMethodCount() - before < QuietMethods ? quiet + 1 : 0;
        }
    }

    private static void Turn(LoadClock clock, LoopbackSink sink, byte[] request, bool open)
    {
        var stages = new StageTable();
        var recorder = new Recorder(1, LoadClock.PerSecond, stages, csv: null);
        var from = clock.Now;
        recorder.Window(from, long.MaxValue);
        var settings = new LoadSettings
        {
            Clock = clock,
            Address = sink.Address,
            Stages = stages,
            Requests = [request, request],
            Seed = 1,
            MeasureFrom = from,
            MeasureTo = from + LoadClock.PerSecond,
            RequestsMax = RequestsPerTurn,
            TimeoutNs = LoadClock.PerSecond,
        };
        using var load = Create(settings, recorder, open);
        load.Begin();
        do
            load.Tick();
        while (!load.Exhausted.Wait(TickMs) || load.InFlight > 0);
    }

    private static ILoad Create(LoadSettings settings, Recorder recorder, bool open)
    {
        if (!open)
            return new ClosedLoop(settings, recorder, Connections);
        var schedule = new Schedule(new Arrivals.Poisson(OpenRate, new Random(1)), [new(1, 1)]);
        return new OpenLoop(settings, recorder, warmup: null, schedule, Connections);
    }
}
