using Spillway.Policies.Sequences;

namespace Spillway.Tests.Policies.Sequences;

public sealed class SequencePolicyTests
{
    private const int Slots = 64;

    private static readonly SequenceOptions s_options = new() { IdleMs = 100, SequencesMax = 3, WaitingMax = 2 };

    private readonly SequencePolicy _policy = new(s_options, Slots);
    private readonly int[] _dropped = new int[Slots];

    [Fact]
    public void Requests_of_a_sequence_run_one_at_a_time_in_the_order_of_arrival()
    {
        Assert.Equal(SequenceStep.Run, Arrive(7, slot: 0, "start", out var state));
        Assert.Equal(SequenceStep.Wait, Arrive(7, slot: 1, "", out var same));
        Assert.Equal(SequenceStep.Wait, Arrive(7, slot: 2, "end", out _));
        Assert.Equal(state, same);
        Assert.Equal(new SequenceNext(1, Fresh: false), Done(state));
        Assert.Equal(new SequenceNext(2, Fresh: false), Done(state));
        Assert.Equal(SequenceNext.Over, Done(state));
        Assert.Equal(0, _policy.Count);
        Assert.Equal(Instant.Never, _policy.WakeAt);
    }

    [Fact]
    public void Two_sequences_do_not_wait_for_each_other_and_a_number_is_not_its_text()
    {
        Assert.Equal(SequenceStep.Run, Arrive(7, slot: 0, "start", out var number));
        var step = _policy.Arrive(new(new("7"), Start: true, End: false), 1, default, out var text);
        Assert.Equal(SequenceStep.Run, step);
        Assert.NotEqual(number, text);
    }

    [Fact]
    public void A_request_without_an_id_is_refused()
    {
        Assert.Equal(SequenceStep.RefusedNoId, _policy.Arrive(null, 0, default, out var state));
        Assert.Equal(-1, state);
        Assert.Equal(SequenceStep.RefusedNoId, Arrive(0, slot: 0, "start", out _));
        Assert.Equal(SequenceStep.RefusedNoId, _policy.Arrive(new(new(""), true, false), 0, default, out _));
    }

    [Fact]
    public void A_sequence_begins_with_a_start_and_is_unknown_after_its_end()
    {
        Assert.Equal(SequenceStep.RefusedUnknown, Arrive(7, slot: 0, "", out _));
        Arrive(7, slot: 0, "start", out var state);
        Arrive(7, slot: 1, "end", out _);
        Assert.Equal(SequenceStep.RefusedUnknown, Arrive(7, slot: 2, "", out _));
        // A new one of the same id may wait behind the end.
        Assert.Equal(SequenceStep.Wait, Arrive(7, slot: 2, "start", out _));
        Done(state);
        Assert.Equal(new SequenceNext(2, Fresh: true), Done(state));
    }

    [Fact]
    public void A_start_for_a_sequence_that_has_not_ended_is_a_conflict_unless_restarts_are_allowed()
    {
        Arrive(7, slot: 0, "start", out var state);
        Assert.Equal(SequenceStep.RefusedConflict, Arrive(7, slot: 1, "start", out _));
        Done(state);
        Assert.Equal(SequenceStep.RefusedConflict, Arrive(7, slot: 1, "start", out _));

        var restarting = new SequencePolicy(s_options with { Restart = true }, Slots);
        restarting.Arrive(new(new(7), true, false), 0, default, out state);
        Assert.Equal(SequenceStep.Wait, restarting.Arrive(new(new(7), true, false), 1, default, out var again));
        Assert.Equal(state, again);
        Assert.Equal(new SequenceNext(1, Fresh: true), restarting.Done(state, true, default, _dropped, out _));
    }

    [Fact]
    public void An_idle_sequence_expires_and_its_next_request_is_told()
    {
        Arrive(7, slot: 0, "start", out var state);
        Assert.Equal(Instant.Never, _policy.WakeAt);
        Done(state, now: Ms(10));
        Assert.Equal(Ms(110), _policy.WakeAt);
        Assert.Equal(0, _policy.Expire(_dropped, Ms(109)));
        Assert.Throws<InvalidOperationException>(() => Arrive(7, slot: 1, "", out _, now: Ms(110)));

        Assert.Equal(1, _policy.Expire(_dropped, Ms(110)));

        Assert.Equal(state, _dropped[0]);
        Assert.Equal(SequenceStep.RefusedExpired, Arrive(7, slot: 1, "", out _, now: Ms(110)));
        Assert.Equal(SequenceStep.Run, Arrive(7, slot: 1, "start", out _, now: Ms(110)));
    }

    [Fact]
    public void A_request_resets_the_time_and_a_sequence_at_work_does_not_expire()
    {
        Arrive(7, slot: 0, "start", out var state);
        Done(state, now: Ms(10));
        Assert.Equal(SequenceStep.Run, Arrive(7, slot: 0, "", out _, now: Ms(60)));
        Assert.Equal(0, _policy.Expire(_dropped, Ms(5000)));
        Done(state, now: Ms(5000));
        Assert.Equal(Ms(5100), _policy.WakeAt);
    }

    [Fact]
    public void No_more_sequences_live_and_no_more_requests_wait_than_the_limits_say()
    {
        for (var i = 0; i < s_options.SequencesMax; i++)
            Assert.Equal(SequenceStep.Run, Arrive((ulong)i + 1, i, "start", out _));
        Assert.Equal(SequenceStep.RefusedSequences, Arrive(99, 10, "start", out _));
        Assert.Equal(SequenceStep.Wait, Arrive(1, 10, "", out _));
        Assert.Equal(SequenceStep.Wait, Arrive(1, 11, "", out _));
        Assert.Equal(SequenceStep.RefusedWaiting, Arrive(1, 12, "", out _));
    }

    [Fact]
    public void When_a_start_fails_or_leaves_what_waits_for_it_is_dropped_up_to_the_next_start()
    {
        Arrive(7, slot: 0, "start", out var state);
        Arrive(7, slot: 1, "end", out _);
        Arrive(7, slot: 2, "start", out _);
        Assert.Equal(new SequenceNext(2, Fresh: true), _policy.Done(state, false, default, _dropped, out var drops));
        Assert.Equal([1], _dropped[..drops]);
        Assert.Equal(SequenceStep.Wait, Arrive(7, slot: 3, "end", out _));
        Assert.Equal(SequenceStep.Wait, Arrive(7, slot: 4, "start", out _));
        Assert.Equal(0, _policy.Leave(state, 4, _dropped));
        Arrive(7, slot: 4, "start", out _);
        Assert.Equal(new SequenceNext(4, Fresh: true), _policy.Done(state, false, default, _dropped, out drops));
        Assert.Equal([3], _dropped[..drops]);
        Assert.Equal(SequenceNext.Over, _policy.Done(state, false, default, _dropped, out _));
        Assert.Equal(0, _policy.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_end_that_leaves_while_it_waits_ends_the_sequence_with_the_one_before_it(bool waitsBehindAnother)
    {
        Arrive(7, slot: 0, "start", out var state);
        if (waitsBehindAnother)
            Arrive(7, slot: 1, "", out _);
        Arrive(7, slot: 2, "end", out _);
        Assert.Equal(0, _policy.Leave(state, 2, _dropped));
        Assert.Equal(SequenceStep.RefusedUnknown, Arrive(7, slot: 3, "", out _));
        if (waitsBehindAnother)
            Assert.Equal(new SequenceNext(1, Fresh: false), Done(state));
        Assert.Equal(SequenceNext.Over, Done(state));
        Assert.Equal(0, _policy.Count);
    }

    [Fact]
    public void Two_tenants_have_sequences_of_their_own_under_one_id()
    {
        SequenceMark Mark(string tenant, bool start) => new(new SequenceKey(7) with { Tenant = tenant }, start, End: false);
        Assert.Equal(SequenceStep.Run, _policy.Arrive(Mark("a", true), 0, default, out var first));
        Assert.Equal(SequenceStep.RefusedUnknown, _policy.Arrive(Mark("b", false), 1, default, out _));
        Assert.Equal(SequenceStep.Run, _policy.Arrive(Mark("b", true), 1, default, out var second));
        Assert.NotEqual(first, second);
        Assert.Equal("7", new SequenceKey(7) { Tenant = "a" }.ToString());
    }

    [Theory]
    [InlineData(
        SequenceStep.RefusedNoId, FaultKind.InvalidInput,
        "inference request to model 'm' must specify a non-zero or non-empty correlation ID")]
    [InlineData(
        SequenceStep.RefusedUnknown, FaultKind.InvalidInput,
        "for sequence 42 to model 'm' must specify the START flag on the first request of the sequence")]
    [InlineData(SequenceStep.RefusedExpired, FaultKind.InvalidInput, "idle for more than 100 ms")]
    [InlineData(SequenceStep.RefusedConflict, FaultKind.InvalidInput, "sequence 42 for model 'm' has a conflict")]
    [InlineData(SequenceStep.RefusedSequences, FaultKind.QueueFull, "keeps the state of 3")]
    [InlineData(SequenceStep.RefusedWaiting, FaultKind.QueueFull, "queue size: 2 requests of sequence 42")]
    public void Refusals_say_what_Triton_says_and_what_to_do(SequenceStep step, FaultKind kind, string says)
    {
        var fault = SequenceRefusals.Explain(step, new(42), "m", s_options, TimeSpan.FromMilliseconds(5));
        Assert.Equal(kind, fault.Kind);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_let_in_has_no_refusal() => Assert.Throws<ArgumentOutOfRangeException>(
        () => SequenceRefusals.Explain(SequenceStep.Run, new(1), "m", s_options, default));

    private static Instant Ms(long ms) => new(ms * TimeSpan.TicksPerMillisecond);

    private SequenceStep Arrive(ulong id, int slot, string flag, out int state, Instant now = default) =>
        _policy.Arrive(new(new(id), flag is "start", flag is "end"), slot, now, out state);

    private SequenceNext Done(int state, Instant now = default)
    {
        var next = _policy.Done(state, succeeded: true, now, _dropped, out var drops);
        Assert.Equal(0, drops);
        return next;
    }
}
