using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Engine.Rollout;
using Spillway.Policies.Rollout;
using Spillway.Store.Rollout;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Rollout;

public sealed class RolloutDeskTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("spillway-rollout-").FullName;
    private readonly ManualTimeProvider _time = new();
    private readonly List<RolloutDesk> _desks = [];
    private RolloutOptions _options = new() { StepsPercent = [10, 50], StepRequestsMin = 5, StepSecondsMin = 0 };

    [Fact]
    public void A_name_without_a_rollout_is_left_to_what_is_declared()
    {
        var desk = Open();
        Assert.Null(desk.Decide("tiny", "ann", 1));
        Assert.Null(desk.Find("tiny"));
        Assert.Contains("has no rollout", desk.Promote("tiny", "ann", "").Fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Callers_keep_their_side_and_both_versions_are_asked()
    {
        var desk = Open();
        Assert.Null(desk.Start("tiny", "1", "2", "ann", "faster").Value.NotKept);
        var sides = Enumerable.Range(0, 500).ToDictionary(i => i, i => Version(desk, i));
        Assert.InRange(sides.Count(s => s.Value == "2"), 10, 90);
        Pass(desk, 5);
        Assert.Equal(50, desk.Find("tiny")!.Percent);
        foreach (var (caller, version) in sides.Where(s => s.Value == "2"))
            Assert.Equal(version, Version(desk, caller));
    }

    [Fact]
    public async Task What_a_guard_decides_holds_at_once_and_survives_a_restart()
    {
        var desk = Open();
        desk.Start("tiny", "1", "2", "ann", "faster");
        _options = _options with { StepsPercent = [10] };
        for (ulong i = 0; i < 3000 && desk.Find("tiny")!.State.IsOpen; i++)
        {
            var route = desk.Decide("tiny", $"caller {i}", i)!.Value;
            desk.Observe(route, route.Version == "1", TimeSpan.FromMilliseconds(5));
        }

        Assert.Equal(RolloutPhase.Aborted, desk.Find("tiny")!.State.Phase);
        Assert.Equal("1", desk.Decide("tiny", "anybody", 1)!.Value.Version);
        await desk.FlushAsync();
        var after = Open().Find("tiny")!;
        Assert.Equal((RolloutPhase.Aborted, "1"), (after.State.Phase, after.State.Champion));
        Assert.Equal([RolloutEvent.Started, RolloutEvent.Aborted],
            after.History.Where(h => h.What is not (RolloutEvent.Advanced or RolloutEvent.Ready)).Select(h => h.What));
        Assert.Contains("it fails in", after.History[^1].Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Promote_and_rollback_take_one_command_each_and_the_history_tells_who_and_why()
    {
        var desk = Open();
        desk.Start("tiny", "1", "2", "ann", "faster");
        Assert.Contains("under way", desk.Start("tiny", "1", "3", "bob", "").Fault!.Message, StringComparison.Ordinal);
        desk.Promote("tiny", "ann", "fine");
        Assert.Equal("2", Version(desk, 7));
        desk.Rollback("tiny", "bob", "not fine");
        Assert.Equal("1", Version(desk, 7));
        Assert.Contains("is its champion", desk.Start("tiny", "2", "1", "bob", "").Fault!.Message,
            StringComparison.Ordinal);
        desk.Start("tiny", "1", "3", "eve", "mended");

        var history = Open().Find("tiny")!.History;
        Assert.Equal(
            [("ann", "faster", RolloutEvent.Started), ("ann", "fine", RolloutEvent.Promoted),
                ("bob", "not fine", RolloutEvent.RolledBack), ("eve", "mended", RolloutEvent.Started)],
            history.Select(h => (h.Who, h.Why, h.What)));
        Assert.All(history, h => Assert.Equal(_time.GetUtcNow(), h.At));
    }

    [Fact]
    public void A_rollout_goes_on_after_a_restart_with_the_same_callers()
    {
        var desk = Open();
        desk.Start("tiny", "1", "2", "ann", "");
        var before = Enumerable.Range(0, 200).Select(i => Version(desk, i)).ToArray();
        var after = Open();
        Assert.Equal(before, Enumerable.Range(0, 200).Select(i => Version(after, i)));
    }

    [Fact]
    public void A_late_outcome_is_told_to_the_rollout_that_it_belongs_to()
    {
        var desk = Open();
        desk.Start("tiny", "1", "2", "ann", "");
        var old = desk.Decide("tiny", "ann", 1)!.Value;
        desk.Abort("tiny", "ann", "");
        desk.Start("tiny", "1", "3", "ann", "");
        desk.Observe(old, succeeded: false, TimeSpan.Zero);
        desk.Observe(old, agrees: false);
        var view = desk.Find("tiny")!;
        Assert.Equal((0, 0), (view.ChampionRequests, view.ChallengerRequests));
    }

    [Fact]
    public void What_cannot_be_kept_holds_and_says_so()
    {
        var desk = new RolloutDesk(_ => _options, new(_time), NullLogger.Instance);
        _desks.Add(desk);
        var done = desk.Start("tiny", "1", "2", "ann", "").Value;
        Assert.Equal(FaultKind.StoreFailed, done.NotKept!.Kind);
        Assert.True(desk.Find("tiny")!.State.IsOpen);
    }

    [Theory]
    [InlineData("not json", "Mend the file")]
    [InlineData("[{\"name\":\"tiny\",\"champion\":\"1\",\"challenger\":\"2\",\"phase\":\"floating\",\"step\":0,"
        + "\"salt\":\"\",\"history\":[]}]", "newer Spillway")]
    public void A_file_that_nobody_understands_is_refused(string text, string says)
    {
        File.WriteAllText(Path.Combine(_folder, RolloutFile.FileName), text);
        var desk = new RolloutDesk(_ => _options, new(_time), NullLogger.Instance);
        _desks.Add(desk);
        Assert.Contains(says, desk.Open(_folder, () => _folder)!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_that_do_not_grow_begin_no_rollout()
    {
        _options = _options with { StepsPercent = [50, 10] };
        Assert.Contains("larger than the one before", Open().Start("tiny", "1", "2", "ann", "").Fault!.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_history_is_bounded_and_long_words_are_cut()
    {
        var desk = Open();
        for (var i = 0; i < 150; i++)
        {
            desk.Start("tiny", "1", "2", "ann", new('x', 10_000));
            desk.Abort("tiny", "ann", "");
        }

        var view = Open().Find("tiny")!;
        Assert.Equal(200, view.History.Count);
        Assert.All(view.History, h => Assert.InRange(h.Why.Length, 0, 500));
    }

    [Fact]
    public void Deciding_allocates_nothing()
    {
        _options = _options with { ShadowPercent = 50, StepRequestsMin = 1_000_000 };
        var desk = Open();
        desk.Start("tiny", "1", "2", "ann", "");
        Repeat(2000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Repeat(int times)
        {
            for (var i = 0; i < times; i++)
            {
                var route = desk.Decide("tiny", "ann", (ulong)i)!.Value;
                desk.Observe(route, succeeded: true, TimeSpan.FromTicks(1000 + (i % 7)), new(5));
                if (route.CopyTo is not null)
                    desk.Observe(route, agrees: true);
            }
        }
    }

    [Fact]
    public async Task Many_threads_lose_no_outcome()
    {
        _options = _options with { StepRequestsMin = 1_000_000 };
        var desk = Open();
        desk.Start("tiny", "1", "2", "ann", "");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++)
            {
                var route = desk.Decide("tiny", $"{worker} {i}", (ulong)i)!.Value;
                desk.Observe(route, succeeded: true, TimeSpan.FromMilliseconds(1 + (i % 5)));
            }
        })));
        var view = desk.Find("tiny")!;
        Assert.Equal(20_000, view.ChampionRequests + view.ChallengerRequests);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var desk in _desks)
            await desk.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Version(RolloutDesk desk, int caller) =>
        desk.Decide("tiny", $"caller {caller}", 0)!.Value.Version;

    private static void Pass(RolloutDesk desk, int requests)
    {
        for (ulong i = 0; requests > 0; i++)
        {
            var route = desk.Decide("tiny", $"passing {i}", i)!.Value;
            desk.Observe(route, succeeded: true, TimeSpan.FromMilliseconds(5));
            requests -= route.Version == "2" ? 1 : 0;
        }
    }

    private RolloutDesk Open()
    {
        var desk = new RolloutDesk(_ => _options, new(_time), NullLogger.Instance);
        _desks.Add(desk);
        Assert.Null(desk.Open(_folder, () => _folder));
        return desk;
    }
}
