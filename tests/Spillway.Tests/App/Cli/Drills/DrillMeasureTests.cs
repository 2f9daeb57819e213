using Spillway.App.Cli.Drills;
using Spillway.Policies.Drills;

namespace Spillway.Tests.App.Cli.Drills;

/// <summary>What is read from a drill's traffic, and how it is held against what is promised.</summary>
public sealed class DrillMeasureTests
{
    [Fact]
    public void Figures_of_a_part_are_of_those_that_were_due_in_it()
    {
        var samples = Every(100, 0, 3000, at => at < 1000 ? Full(at) : at < 2000 ? Refused(at) : Degraded(at));
        var part = DrillMeasure.Stretch("broken", "x", 1000, 3000, samples);
        Assert.Equal((20, 0, 10, 10, 0), (part.Sent, part.Full, part.Degraded, part.Refused, part.Lost));
        Assert.Equal(0.5, part.Answered);
        Assert.Equal(10, part.By["half"]);
        Assert.Equal((20, 20), (part.P50Ms, part.P99Ms));
    }

    [Fact]
    public void Effect_is_the_end_of_the_first_that_noticed_by_outcome_or_by_time()
    {
        var before = DrillMeasure.Stretch("before", "", 0, 1000, Every(100, 0, 1000, Full));
        Assert.Equal(320, DrillMeasure.Effect(
            Every(100, 0, 3000, at => at < 1300 ? Full(at) : Refused(at)), 1000, 2000, before));
        Assert.Equal(600, DrillMeasure.Effect(
            Every(100, 0, 3000, at => at < 1100 ? Full(at) : Full(at) with { TookMs = 500 }), 1000, 2000, before));
        Assert.Null(DrillMeasure.Effect(Every(100, 0, 3000, Full), 1000, 2000, before));
    }

    [Theory]
    [InlineData(2000, 0)]
    [InlineData(2700, 700)]
    [InlineData(3400, 1400)]
    public void Recovery_is_where_a_whole_second_is_as_before(double wellAgain, double expected)
    {
        var samples = Every(100, 0, 6000, at => at >= 1000 && at < wellAgain ? Refused(at) : Full(at));
        var before = DrillMeasure.Stretch("before", "", 0, 1000, samples);
        Assert.Equal(expected, DrillMeasure.Recovery(samples, 2000, 6000, before));
    }

    [Fact]
    public void What_flickers_or_stays_slow_has_not_recovered()
    {
        var before = DrillMeasure.Stretch("before", "", 0, 1000, Every(100, 0, 1000, Full));
        Assert.Null(DrillMeasure.Recovery(
            Every(100, 0, 6000, at => at % 500 == 0 ? Refused(at) : Full(at)), 2000, 6000, before));
        Assert.Null(DrillMeasure.Recovery(
            Every(100, 0, 6000, at => Full(at) with { TookMs = at < 1000 ? 10 : 200 }), 2000, 6000, before));
    }

    [Fact]
    public void Promises_that_were_not_held_say_what_was_seen()
    {
        var samples = Every(100, 0, 6000, at => at is >= 1000 and < 2000 ? Refused(at) : Full(at));
        DrillStretch[] stretches =
        [
            DrillMeasure.Stretch("before", "", 0, 1000, samples),
            DrillMeasure.Stretch("broken", "a target is dead", 1000, 2000, samples),
            DrillMeasure.Stretch("after", "", 2000, 6000, samples),
        ];
        var promises = DrillJudge.Judge(DrillKind.TargetDead, stretches, 2500, new(Calls: 150, Retries: 50, 0, 0));
        Assert.Equal(
        [
            (false, "0 % while a target is dead; 95 % are promised"), (false, "after 2500 ms"), (true, "0 of 60 were"),
            (false, "50 to 100 first ones, 50 %"),
        ], promises.Select(p => (p.Held, p.Seen)));
        Assert.Equal("broken", DrillJudge.Verdict(promises, interrupted: false));
        Assert.Equal("interrupted", DrillJudge.Verdict(promises, interrupted: true));
    }

    [Fact]
    public void On_a_full_disk_refusing_is_fine_where_it_says_so_and_losing_what_was_answered_is_not()
    {
        var stretches = Parts(Every(
            100, 0, 3000, at => at is >= 1000 and < 2000 ? Refused(at) with { By = "store_failed" } : Full(at)));
        Assert.All(DrillJudge.Judge(DrillKind.Disk, stretches, 0, default), p => Assert.True(p.Held, p.Seen));
        Assert.False(DrillJudge.Judge(DrillKind.Disk, stretches, 0, new(0, 0, Unkept: 1, 0))[^1].Held);
        Assert.False(DrillJudge.Judge(DrillKind.Spike, stretches, 0, default)[0].Held);
    }

    [Fact]
    public void What_nobody_watched_is_not_promised()
    {
        var parts = Parts(Every(100, 0, 2000, Full));
        Assert.Equal(2, DrillJudge.Judge(DrillKind.Steps, parts, null, default).Count);
    }

    private static DrillStretch[] Parts(List<DrillSample> samples) =>
    [
        DrillMeasure.Stretch("before", "", 0, 1000, samples),
        DrillMeasure.Stretch("broken", "the disk is full", 1000, 2000, samples),
        DrillMeasure.Stretch("after", "", 2000, 3000, samples),
    ];

    private static List<DrillSample> Every(double ms, double from, double to, Func<double, DrillSample> make)
    {
        List<DrillSample> samples = [];
        for (var at = from; at < to; at += ms)
            samples.Add(make(at));
        return samples;
    }

    private static DrillSample Full(double at) => new(at, 10, DrillOutcome.Full, "line");

    private static DrillSample Degraded(double at) => new(at, 20, DrillOutcome.Degraded, "half");

    private static DrillSample Refused(double at) => new(at, 20, DrillOutcome.Refused, "queue_full");
}
