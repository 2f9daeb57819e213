using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

/// <summary>What is counted of a chat.</summary>
public sealed class ChatInstrumentsTests
{
    [Fact]
    public void Own_time_is_everything_but_what_others_take()
    {
        var timeline = new Timeline();
        timeline.Begin(new(0));
        var now = 0L;
        // Each stage has a power of two of its own, in milliseconds.
        foreach (var stage in Enum.GetValues<Stage>())
            timeline.Mark(stage, new(now += TimeSpan.FromMilliseconds(1 << (int)stage).Ticks));
        var chat = new ChatFacts
        {
            Operation = "chat", Steps = [], Stream = true, Counts = new(TimeSpan.Zero, TimeSpan.Zero),
            Untaken = TimeSpan.FromMilliseconds(200),
        };

        chat.Counts.Record(chat, timeline, waited: TimeSpan.FromMilliseconds(3), isAnswered: true);

        var expected = Ms(Stage.Parse) + Ms(Stage.Gate) + Ms(Stage.Output) + Ms(Stage.Write) - 200 - 3;
        var overhead = chat.Counts.Of("chat").Single(s => s.Spec == Instruments.ChatOverhead);
        Assert.Equal(expected, ((Histogram)overhead.Instrument).Sum / (double)TimeSpan.TicksPerMillisecond);

        static double Ms(Stage stage) => 1 << (int)stage;
    }
}
