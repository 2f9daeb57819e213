using Spillway.Policies.Residency;

namespace Spillway.Tests.Policies.Residency;

/// <summary>
/// Models within a memory budget: never exceeded, nobody forgotten, as good as the least recently used.
/// This file is long because the steps of one budget are read one after another.
/// </summary>
public sealed class ResidencyPolicyTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_budget_is_never_exceeded_and_everybody_has_an_outcome(int seed)
    {
        var random = new Random(seed);
        var bench = new ResidencyBench(
            new() { LoadWaitersMax = 40 }, budget: 100, loadsMax: random.Next(1, 4));
        for (var i = 0; i < 20; i++)
        {
            var bytes = random.Next(1, 60);
            var fragile = random.Next(8) == 0;
            bench.Add(
                bytes, loadMs: random.Next(1, 200), measured: random.Next(1, bytes + 1), pinned: i == 0,
                fails: () => fragile && random.Next(2) == 0);
        }

        var at = 0.0;
        for (var i = 0; i < 3_000; i++)
        {
            at += 20 * random.NextDouble();
            var patience = random.Next(3) == 0 ? 1e9 : random.Next(1, 2_000);
            bench.Arrive(at, random.Next(20), runMs: random.Next(1, 50), patience);
        }

        bench.Run();
        Assert.True(bench.MostHeld <= 100, $"{bench.MostHeld} bytes at once, seed {seed}");
        Assert.Equal(3_000, bench.Answered + bench.GaveUp + bench.Refused.Values.Sum());
        Assert.Equal(0, bench.Policy.Waiters);
        Assert.True(
            bench.Answered > 500 && bench.Hits > 100,
            $"{bench.Answered} answered, {bench.Hits} at once, seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nobody_waits_for_ever_while_others_are_never_idle(int seed)
    {
        // Two models fill the budget and are used without a pause; a third one of the whole size is wanted once.
        var bench = new ResidencyBench(new(), budget: 10);
        var (a, b, c) = (bench.Add(5, loadMs: 5), bench.Add(5, loadMs: 5), bench.Add(10, loadMs: 20));
        var random = new Random(seed);
        for (var at = 0.0; at < 5_000; at += 1 + random.NextDouble())
        {
            bench.Arrive(at, a, runMs: 10);
            bench.Arrive(at, b, runMs: 10);
        }

        var ended = double.MaxValue;
        bench.Arrive(1_000, c, runMs: 1);
        for (var at = 1_000; at < 5_000; at++)
        {
            var now = at;
            bench.At(
                at, () => ended = bench.Policy.StateOf(c) is ResidencyState.Resident ? Math.Min(ended, now) : ended);
        }

        bench.Run();
        Assert.True(ended < 1_250, $"resident at {ended} ms, seed {seed}");
        Assert.Empty(bench.Refused);
        Assert.True(bench.MostHeld <= 10);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Under_Zipf_popularity_it_hits_as_often_as_ideal_LRU(int seed)
    {
        const int models = 200, room = 20, requests = 20_000;
        var random = new Random(seed);
        var bench = new ResidencyBench(new(), room);
        for (var i = 0; i < models; i++)
            bench.Add(1, loadMs: 20);
        var cumulative = new double[models];
        for (var i = 0; i < models; i++)
            cumulative[i] = (i > 0 ? cumulative[i - 1] : 0) + (1.0 / (i + 1));

        List<int> recent = [];
        var (ideal, at) = (0, 0.0);
        for (var i = 0; i < requests; i++)
        {
            at -= 60 * Math.Log(1 - random.NextDouble());
            var drawn = random.NextDouble() * cumulative[^1];
            var model = Array.FindIndex(cumulative, c => c >= drawn);
            var place = recent.IndexOf(model);
            ideal += place >= 0 ? 1 : 0;
            if (place >= 0 || recent.Count == room)
                recent.RemoveAt(Math.Max(place, 0));
            recent.Add(model);
            bench.Arrive(at, model, runMs: 2);
        }

        bench.Run();
        Assert.Equal(requests, bench.Answered);
        var (hits, best) = (100.0 * bench.Hits / requests, 100.0 * ideal / requests);
        Assert.True(hits >= best - 3, $"{hits:F1} % against {best:F1} % of ideal LRU, seed {seed}");
    }

    [Fact]
    public void Two_models_that_fit_are_loaded_once_each_however_they_alternate()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var (a, b) = (bench.Add(5, loadMs: 10), bench.Add(5, loadMs: 10));
        for (var i = 0; i < 1_000; i++)
            bench.Arrive(i, i % 2 == 0 ? a : b);
        bench.Run();
        Assert.Equal([new(ResidencyWork.Load, a), new(ResidencyWork.Load, b)], bench.Steps);
    }

    [Fact]
    public void The_least_recently_used_idle_models_make_room_and_only_if_they_are_enough()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var (a, b, c, d) = (bench.Add(4, 1), bench.Add(3, 1), bench.Add(3, 1), bench.Add(6, 1));
        bench.Arrive(0, a);
        bench.Arrive(10, b);
        bench.Arrive(20, c);
        bench.Arrive(30, a);
        // b and c go, in that order; a is younger.
        bench.Arrive(40, d);
        bench.Run();
        Assert.Equal(
            [new(ResidencyWork.Unload, b, d), new(ResidencyWork.Unload, c, d), new(ResidencyWork.Load, d)],
            bench.Steps[3..]);
        Assert.Equal(ResidencyState.Resident, bench.Policy.StateOf(a));

        // a is at work, and b's three bytes would not be enough for d: b stays until a is idle.
        var busy = new ResidencyBench(new() { RoomPatienceMs = 1_000 }, budget: 10);
        (a, b, d) = (busy.Add(4, 1), busy.Add(3, 1), busy.Add(8, 1));
        busy.Arrive(0, a, runMs: 500);
        busy.Arrive(0, b);
        busy.Arrive(10, d);
        busy.At(400, () => Assert.Equal(ResidencyState.Resident, busy.Policy.StateOf(b)));
        busy.Run();
        Assert.Equal(
            [new(ResidencyWork.Unload, a, d), new(ResidencyWork.Unload, b, d), new(ResidencyWork.Load, d)],
            busy.Steps[2..]);
    }

    [Fact]
    public void Who_can_never_fit_is_refused_at_once_and_pinned_models_stay()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var (pinned, fits, never) = (bench.Add(4, 1, pinned: true), bench.Add(6, 1), bench.Add(7, 1));
        Assert.Null(bench.Policy.Preload(pinned, bench.Now));
        bench.Arrive(10, fits);
        bench.Arrive(20, never);
        bench.Run();
        Assert.Equal(1, bench.Refused[ResidencyReason.NeverFits]);
        Assert.Equal(ResidencyState.Resident, bench.Policy.StateOf(pinned));
        Assert.Equal(ResidencyState.Resident, bench.Policy.StateOf(fits));
    }

    [Fact]
    public void A_load_that_turns_out_larger_than_its_estimate_sends_the_least_recently_used_away()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var (a, b, c) = (bench.Add(5, 1), bench.Add(2, 1), bench.Add(3, 1, measured: 7));
        bench.Arrive(0, a);
        bench.Arrive(10, b);
        bench.Arrive(20, c);
        bench.Run();
        Assert.Equal(new(ResidencyWork.Unload, a), bench.Steps[^1]);
        Assert.Equal(9, bench.Policy.Used);
        Assert.Equal(7, bench.Policy.BytesOf(c));
    }

    [Fact]
    public void A_deadline_before_the_predicted_end_of_the_load_is_refused_and_the_load_begins_all_the_same()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var (a, b) = (bench.Add(6, loadMs: 300), bench.Add(6, loadMs: 300));
        bench.Arrive(0, a, patienceMs: 50);
        bench.Arrive(1_000, b);
        // Known now: 300 ms. The first one was unknown, and waited in vain.
        bench.Arrive(2_000, a, patienceMs: 50);
        ResidencyDecision? second = null;
        bench.At(2_100, () => second = bench.Policy.Want(a, bench.Now, bench.Now + TimeSpan.FromMilliseconds(10)));
        bench.Arrive(2_500, a, patienceMs: 50);
        bench.Run();
        Assert.Equal(1, bench.GaveUp);
        Assert.Equal(1, bench.Refused[ResidencyReason.TooLate]);
        Assert.Equal(new(ResidencyAnswer.Refuse, ResidencyReason.TooLate, TimeSpan.FromMilliseconds(201)), second);
        Assert.Equal(2, bench.Answered);
        Assert.Equal(1, bench.Hits);
    }

    [Fact]
    public void Waiting_requests_are_bounded_and_a_failed_load_is_tried_again_after_its_pause()
    {
        var tries = 0;
        var bench = new ResidencyBench(new() { LoadWaitersMax = 2, FailureBackoffMs = 1_000 }, budget: 10);
        var model = bench.Add(1, loadMs: 10, fails: () => ++tries <= 2);
        foreach (var ms in new[] { 0.0, 1, 2, 500, 1_100, 2_000, 3_200 })
            bench.Arrive(ms, model);
        bench.Run();
        Assert.Equal(1, bench.Refused[ResidencyReason.TooManyWait]);
        // Two with the first load, one in its pause, one with the second load, one in the doubled pause; the last one
        // runs.
        Assert.Equal(5, bench.Refused[ResidencyReason.Failed]);
        Assert.Equal(1, bench.Answered);
        Assert.Equal(3, tries);
    }

    [Fact]
    public void A_removed_model_answers_whom_it_has_and_refuses_who_comes()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var model = bench.Add(5, loadMs: 10);
        bench.Arrive(0, model, runMs: 100);
        bench.At(50, () => bench.Policy.Remove(model));
        bench.Arrive(60, model);
        bench.Run();
        Assert.Equal(1, bench.Answered);
        Assert.Equal(1, bench.Refused[ResidencyReason.Unwanted]);
        Assert.Equal(new(ResidencyWork.Unload, model), bench.Steps[^1]);
        Assert.Equal(0, bench.Policy.Used);
    }

    [Fact]
    public void Whoever_waits_for_a_queued_model_that_is_removed_is_told_though_a_load_before_it_hangs()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var (hangs, removed) = (bench.Add(5, loadMs: 1e9), bench.Add(5, loadMs: 10));
        bench.Arrive(0, hangs);
        bench.Arrive(1, removed);
        bench.At(2, () => bench.Policy.Remove(removed));
        bench.At(3, () => Assert.Equal(1, bench.Refused[ResidencyReason.Unwanted]));
        bench.Run();
        Assert.Equal(new(ResidencyWork.Refuse, removed, Why: ResidencyReason.Unwanted), bench.Steps[1]);
    }

    [Fact]
    public void What_is_loaded_at_start_keeps_its_place_however_long_that_takes_and_a_mere_wish_does_not()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var (first, ordered, wished) =
            (bench.Add(5, loadMs: 60_000), bench.Add(3, loadMs: 60_000), bench.Add(2, loadMs: 10));
        bench.At(0, () =>
        {
            Assert.Null(bench.Policy.Preload(first, bench.Now));
            Assert.Null(bench.Policy.Preload(ordered, bench.Now));
        });
        bench.Arrive(1, wished, patienceMs: 1);
        bench.Run();
        Assert.Equal(
            [new(ResidencyWork.Load, first), new(ResidencyWork.Refuse, wished, Why: ResidencyReason.Unwanted),
                new(ResidencyWork.Load, ordered)],
            bench.Steps);
    }

    [Fact]
    public void A_load_that_is_late_no_longer_holds_up_the_next_ones_and_keeps_its_bytes()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var (hangs, next, last) = (bench.Add(5, loadMs: 500_000), bench.Add(5, loadMs: 10), bench.Add(6, loadMs: 10));
        bench.Arrive(0, hangs);
        bench.Arrive(1, next);
        bench.At(120_000, () => Assert.Equal(ResidencyState.Queued, bench.Policy.StateOf(next)));
        bench.At(120_000, () => bench.Policy.Late(hangs));
        bench.At(120_001, () => bench.Policy.Late(hangs));
        bench.At(121_000, () => Assert.Equal(ResidencyState.Resident, bench.Policy.StateOf(next)));
        bench.Arrive(600_000, last);
        bench.Run();
        Assert.Equal(3, bench.Answered);
        Assert.True(bench.MostHeld <= 10, $"{bench.MostHeld} bytes at once");
    }

    [Fact]
    public void One_that_is_wanted_while_it_goes_comes_back()
    {
        var bench = new ResidencyBench(new(), budget: 10);
        var model = bench.Add(5, loadMs: 10);
        bench.Arrive(0, model, runMs: 100);
        bench.At(50, () => bench.Leave(model));
        bench.Arrive(60, model);
        bench.Run();
        Assert.Equal(2, bench.Answered);
        Assert.Equal([ResidencyWork.Load, ResidencyWork.Load], bench.Steps.Select(s => s.Work));
    }

    [Fact]
    public void Without_a_budget_nothing_is_ever_unloaded()
    {
        var bench = new ResidencyBench(new(), budget: 0);
        for (var i = 0; i < 50; i++)
            bench.Arrive(10 * i, bench.Add(long.MaxValue / 100, loadMs: 1));
        bench.Run();
        Assert.Equal(50, bench.Answered);
        Assert.All(bench.Steps, s => Assert.Equal(ResidencyWork.Load, s.Work));
    }
}
