using System.Globalization;
using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public class ServerTimingTests
{
    [Fact]
    public void Every_stage_up_to_the_first_byte_stands_there_and_their_sum() =>
        Assert.Equal(
            "receive;dur=1, parse;dur=0.5, gate;dur=0.01, cache;dur=0, queue;dur=0, batch;dur=0, execute;dur=12.0001, "
            + "output;dur=0.0213, total;dur=13.5314",
            ServerTiming.Format(Timelines.Of(execute: 120_001)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_printed_stages_sum_to_the_printed_total_exactly_and_read_back(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var timeline = Random(random);
            var header = ServerTiming.Format(timeline);
            var printed = header.Split(", ").Select(entry => entry.Split(";dur="))
                .ToDictionary(pair => pair[0], pair => decimal.Parse(pair[1], CultureInfo.InvariantCulture));
            Assert.Equal(printed["total"], printed.Where(pair => pair.Key != "total").Sum(pair => pair.Value));
            Assert.True(ServerTiming.TryParse(header, out var read));
            foreach (var stage in StageNames.All.Where(stage => stage != Stage.Write))
                Assert.Equal(timeline[stage], read[stage]);
            Assert.False(read.Has(Stage.Write));
            Assert.Equal(timeline.Total - timeline[Stage.Write], read.Total);
        }
    }

    [Fact]
    public void The_longest_possible_times_fit()
    {
        var timeline = new Timeline();
        timeline.Begin(new(0));
        timeline.Mark(Stage.Execute, new(long.MaxValue - 1));
        Assert.EndsWith("total;dur=922337203685477.5806", ServerTiming.Format(timeline));
    }

    [Fact]
    public void Unknown_names_and_parameters_are_passed_over_and_the_first_of_two_counts()
    {
        Assert.True(ServerTiming.TryParse(
            "cdn;desc=\"a, b;dur=9\";dur=3 , execute ;desc=x; dur=2.5,execute;dur=7,, total;DUR=\"4\",miss", out var read));
        Assert.Equal(TimeSpan.FromMilliseconds(2.5), read[Stage.Execute]);
        Assert.Equal(TimeSpan.FromMilliseconds(4), read.Total);
        Assert.False(read.Has(Stage.Receive));
    }

    [Theory]
    [InlineData("")]
    [InlineData("cdn;dur=3")]
    [InlineData("execute;dur=abc")]
    [InlineData("execute;dur=-1")]
    [InlineData("execute;dur=1e200")]
    [InlineData("execute;dur=")]
    [InlineData(";dur=1")]
    [InlineData("a b;dur=1")]
    public void What_is_malformed_or_says_nothing_is_refused(string header) =>
        Assert.False(ServerTiming.TryParse(header, out _));

    [Fact]
    public void A_header_beyond_the_limit_is_refused() =>
        Assert.False(ServerTiming.TryParse("total;dur=1" + new string(' ', ServerTiming.LengthMax), out _));

    private static Timeline Random(Random random)
    {
        var timeline = new Timeline();
        var now = new Instant(random.NextInt64(1L << 40));
        timeline.Begin(now);
        foreach (var stage in StageNames.All)
        {
            if (random.Next(4) > 0)
                timeline.Mark(stage, now += new TimeSpan(random.NextInt64(1L << random.Next(1, 40))));
        }

        return timeline;
    }
}
