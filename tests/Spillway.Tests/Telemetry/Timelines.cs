using System.Buffers;
using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

/// <summary>Timelines and scrapes as the tests of this room need them.</summary>
internal static class Timelines
{
    /// <summary>1 ms receive, half a ms parse, 0.01 ms gate and, if it ran, that many ticks of execute and 0.0213 ms output.</summary>
    public static Timeline Of(long execute)
    {
        var timeline = new Timeline();
        var now = new Instant(1_000_003);
        timeline.Begin(now);
        timeline.Mark(Stage.Receive, now += new TimeSpan(10_000));
        timeline.Mark(Stage.Parse, now += new TimeSpan(5_000));
        timeline.Mark(Stage.Gate, now += new TimeSpan(100));
        if (execute > 0)
        {
            timeline.Mark(Stage.Execute, now += new TimeSpan(execute));
            timeline.Mark(Stage.Output, now + new TimeSpan(213));
        }

        return timeline;
    }

    public static byte[] Write(this InstrumentRegistry registry)
    {
        var written = new ArrayBufferWriter<byte>();
        registry.WriteTo(written);
        return written.WrittenSpan.ToArray();
    }
}
