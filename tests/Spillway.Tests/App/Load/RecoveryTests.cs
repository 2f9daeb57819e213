using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

public sealed class RecoveryTests
{
    private const long Ms = LoadClock.PerMillisecond;
    private const long Start = 5 * LoadClock.PerSecond;
    private const long End = Start + (10 * LoadClock.PerSecond);

    [Fact]
    public void A_slow_beginning_of_the_last_phase_is_the_time_to_recover() =>
        Assert.Equal(2.0, Measure(s => s < 2.0 ? 100 * Ms : 10 * Ms)!.Value, 1);

    [Fact]
    public void A_server_that_was_never_late_recovered_at_once() => Assert.Equal(0, Measure(_ => 14 * Ms));

    [Fact]
    public void A_server_that_falls_back_late_has_not_recovered() =>
        Assert.Null(Measure(s => s is > 1 and < 9.5 ? 10 * Ms : 100 * Ms));

    [Fact]
    public void One_bad_moment_long_after_the_flood_is_not_the_time_to_recover() =>
        Assert.Equal(1.0, Measure(s => s is < 1.0 or > 7.0 and < 7.3 ? 100 * Ms : 10 * Ms)!.Value, 1);

    [Fact]
    public void A_relapse_soon_after_a_good_second_is_part_of_the_time_to_recover()
    {
        var samples = Enumerable.Range(0, 6000).Select(i => new Recovery.Sample(
            Start + (i * 10 * Ms), i is >= 100 and < 390 ? Recovery.Failed : 10 * Ms)).ToList();
        Assert.Equal(3.9, Recovery.Seconds(samples, Start, Start + (60 * LoadClock.PerSecond), FirstPhase())!.Value, 0.3);
    }

    [Fact]
    public void Refusing_one_in_ten_is_no_recovery_and_one_in_fifty_is()
    {
        Assert.Null(Measure(s => Math.Round(s * 100) % 10 == 0 ? Recovery.Failed : 10 * Ms));
        Assert.Equal(0, Measure(s => Math.Round(s * 100) % 50 == 0 ? Recovery.Failed : 10 * Ms));
    }

    [Fact]
    public void At_a_low_rate_a_window_is_wide_enough_that_one_late_answer_is_not_its_p95()
    {
        var samples = Enumerable.Range(0, 200)
            .Select(i => new Recovery.Sample(Start + (i * 50 * Ms), i % 40 == 39 ? 100 * Ms : 10 * Ms)).ToList();

        Assert.Equal(0, Recovery.Seconds(samples, Start, End, FirstPhase()));
        Assert.Null(Recovery.Seconds(samples[..90], Start, End, FirstPhase()));
    }

    private static double? Measure(Func<double, long> latencyAt)
    {
        var samples = Enumerable.Range(0, 1000)
            .Select(i => new Recovery.Sample(Start + (i * 10 * Ms), latencyAt(i / 100.0))).ToList();
        return Recovery.Seconds(samples, Start, End, FirstPhase());
    }

    private static Tally FirstPhase()
    {
        var stages = new StageTable();
        var parser = new ResponseParser(stages);
        parser.Reset();
        parser.Feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8);
        var first = new Tally();
        for (var i = 0; i < 100; i++)
        {
            first.Offer();
            first.Answer(10 * Ms, long.MaxValue, parser);
        }

        return first;
    }
}
