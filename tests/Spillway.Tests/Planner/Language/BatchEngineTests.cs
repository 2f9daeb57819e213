using Spillway.Planner.Language;
using Spillway.Planner.Queueing;

namespace Spillway.Tests.Planner.Language;

/// <summary>The scheduler's rules by hand: every step takes exactly 10 ms.</summary>
public sealed class BatchEngineTests
{
    private static readonly EngineConstants s_tenMs = new()
    {
        StepMs = 10, PromptStepMs = 0, SequenceUs = 0, ExchangeUs = 0,
    };
    private static readonly LanguageServing s_plain = new() { ScheduleAhead = 0, BatchedTokensMax = 100 };

    [Fact]
    public void Prompt_is_cut_into_pieces_and_each_step_gives_a_token()
    {
        var engine = Engine(s_plain);
        Assert.Null(engine.Play([Ask(0, 250, 4)], Instant.Never));
        // Three steps for the prompt, the third gives the first token; three more tokens.
        Assert.Equal((At(0), At(30), At(60)),
            (engine.Times[0].Scheduled, engine.Times[0].FirstToken, engine.Times[0].LastToken));
        Assert.Equal(10, engine.Times[0].MsPerToken(engine.Requests[0]), 9);
    }

    [Fact]
    public void Who_runs_goes_first_and_the_rest_of_the_step_is_for_prompts()
    {
        var engine = Engine(s_plain);
        // The second one's prompt of 99 fits beside one token; of 100 it does not.
        engine.Play([Ask(0, 100, 10), Ask(5, 99, 1), Ask(25, 100, 1)], Instant.Never);
        Assert.Equal(At(20), engine.Times[1].FirstToken);
        Assert.Equal(At(50), engine.Times[2].FirstToken);
    }

    [Fact]
    public void Scheduling_ahead_makes_who_arrives_wait_one_step_more()
    {
        var engine = Engine(s_plain with { ScheduleAhead = 1 });
        engine.Play([Ask(0, 10, 10), Ask(15, 10, 2)], Instant.Never);
        // At 10 the step from 20 to 30 is composed; at 20 the one from 30 to 40, with the new one.
        Assert.Equal((At(20), At(40)), (engine.Times[1].Scheduled, engine.Times[1].FirstToken));
        Assert.Equal(At(100), engine.Times[0].LastToken);
    }

    [Fact]
    public void Who_is_cancelled_leaves_its_place_and_its_number_to_another()
    {
        var engine = Engine(s_plain with { SequencesMax = 1 }, blocks: 10);
        var (first, second) = (engine.Arrive(Ask(0, 100, 50)).Value, engine.Arrive(Ask(0, 100, 2)).Value);
        engine.RunUntil(At(20));
        engine.Cancel(first);
        engine.Forget(first);
        Assert.Equal((0, 1), (engine.Running, engine.Waiting));
        Assert.Equal(first, engine.Arrive(Ask(25, 10, 1)).Value);
        engine.RunUntil(Instant.Never);
        // The step in the air ends at 30; the second one's prompt and its last token take one step each.
        Assert.Equal((At(30), At(50)), (engine.Times[second].Scheduled, engine.Times[second].LastToken));
        Assert.Equal(At(60), engine.Times[first].LastToken);
        Assert.Equal(0, engine.CacheUsed);
    }

    [Fact]
    public void No_more_requests_run_than_allowed()
    {
        var engine = Engine(s_plain with { SequencesMax = 2 });
        engine.Play([Ask(0, 10, 3), Ask(0, 10, 3), Ask(0, 10, 3)], Instant.Never);
        Assert.Equal([At(10), At(20), At(40)], engine.Times.Select(time => time.FirstToken).Order());
        Assert.Equal(0, engine.Running + engine.Waiting);
    }

    [Fact]
    public void Without_pieces_whole_prompts_stop_the_others()
    {
        var engine = Engine(s_plain with { ChunkedPrefill = false });
        engine.Play([Ask(0, 10, 3), Ask(5, 250, 1)], Instant.Never);
        // The long prompt takes the step from 10 to 20 alone, so the second token of the first is there at 30.
        Assert.Equal(At(20), engine.Times[1].FirstToken);
        Assert.Equal(At(40), engine.Times[0].LastToken);
    }

    [Fact]
    public void Full_cache_pushes_out_the_youngest_which_is_computed_anew()
    {
        // Four blocks of 16: two requests of 16 + 24 need three each.
        var engine = Engine(s_plain, blocks: 4);
        engine.Play([Ask(0, 16, 24), Ask(0, 16, 24)], Instant.Never);
        Assert.Equal((0, 1), (engine.Times[0].Preemptions, engine.Times[1].Preemptions));
        Assert.True(engine.Times[0].LastToken < engine.Times[1].LastToken);
        Assert.All(engine.Times, time => Assert.True(time.IsDone));
        Assert.Equal(0, engine.CacheUsed);
        Assert.Equal(1, engine.CachePeak);
        // Alone it would take 24 steps.
        Assert.Equal(At(240), engine.Times[0].LastToken);
    }

    [Fact]
    public void What_can_never_fit_is_refused_with_what_to_do()
    {
        var fault = Engine(s_plain, blocks: 4).Arrive(Ask(0, 60, 5)).Fault!;
        Assert.Equal("A request has 60 tokens in and 5 out; the engine holds 64. Use more memory, fewer bits for the "
            + "cache, or a shorter answer.", fault.Message);
        Assert.Contains("at least 1", Engine(s_plain).Arrive(Ask(0, 0, 5)).Fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cached_part_of_a_prompt_is_not_computed()
    {
        var engine = Engine(s_plain);
        engine.Play([Ask(0, 250, 1) with { Cached = 200 }], Instant.Never);
        Assert.Equal(At(10), engine.Times[0].FirstToken);
    }

    [Fact]
    public void Stages_add_throughput_and_no_speed()
    {
        var one = Engine(s_plain);
        var four = Engine(s_plain with { PipelineParallel = 4 });
        var requests = Enumerable.Range(0, 8).Select(_ => Ask(0, 10, 50)).ToList();
        one.Play(requests, Instant.Never);
        four.Play(requests, Instant.Never);
        // A step takes 10 ms through all stages, with four in the air; each request is in one of them.
        Assert.Equal(10, one.Times[0].MsPerToken(one.Requests[0]), 9);
        Assert.Equal(10, four.Times[0].MsPerToken(four.Requests[0]), 0.5);
        Assert.True(four.Steps > 3 * one.Steps);
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(2, 1, 1)]
    [InlineData(3, 1, 2)]
    public void Nothing_is_lost_little_holds_and_the_same_seed_gives_the_same_times(int seed, int ahead, int stages)
    {
        var serving = new LanguageServing
        {
            ScheduleAhead = ahead, PipelineParallel = stages, SequencesMax = 16, BatchedTokensMax = 256,
        };
        var (first, held) = Flood(seed, serving);
        var (second, _) = Flood(seed, serving);
        Assert.Equal(first.Times, second.Times);
        Assert.True(first.Preemptions > 0);
        Assert.All(first.Times, time => Assert.True(time.IsDone && time.FirstToken <= time.LastToken));
        Assert.Equal((0, 0, 0.0), (first.Running, first.Waiting, first.CacheUsed));
        Assert.True(first.CachePeak <= 1);

        var span = first.Times.Max(time => time.LastToken) - At(0);
        var mean = first.Times.Select((time, at) =>
            (time.LastToken - first.Requests[at].Arrival).TotalSeconds).Average();
        Assert.True(Little.Error(held / span.TotalSeconds, first.Times.Count / span.TotalSeconds, mean) < 0.01);
    }

    // The engine, and the integral of requests in it over time.
    private static (BatchEngine Engine, double Held) Flood(int seed, LanguageServing serving)
    {
        var random = new Random(seed);
        var engine = Engine(serving, blocks: 90);
        var (at, last, held, inside) = (0.0, At(0), 0.0, 0);
        for (var n = 0; n < 300; n++)
        {
            at += -40 * Math.Log(1 - random.NextDouble());
            var ask = Ask(at, 1 + random.Next(300), 1 + random.Next(60));
            while (engine.NextAt <= ask.Arrival)
                Count(engine.NextAt, () => -engine.Step().Count);
            Count(ask.Arrival, () => engine.Arrive(ask).Fault is null ? 1 : 0);
        }

        while (engine.NextAt != Instant.Never)
            Count(engine.NextAt, () => -engine.Step().Count);
        return (engine, held);

        void Count(Instant now, Func<int> change)
        {
            held += inside * (now - last).TotalSeconds;
            last = now;
            inside += change();
        }
    }

    private static BatchEngine Engine(LanguageServing serving, long blocks = 100_000) =>
        new(new(Known.Llama31X8B, Known.Instant, serving, s_tenMs), serving, new(blocks * 16, blocks, 0, 0));

    private static LanguageRequest Ask(double ms, int input, int output) => new(At(ms), input, output);

    private static Instant At(double ms) => new((long)(ms * TimeSpan.TicksPerMillisecond));
}
