using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Spillway.Engine;
using Spillway.Engine.Caching;
using Spillway.Policies.Caching;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Caching;

public sealed class AnswerCacheTests : IDisposable
{
    private static readonly CacheSubject s_subject = new("tiny", "sha256:1", new("tiny", "1"));
    private static readonly Fault s_broken = new(FaultKind.RuntimeFailed, "It broke.");

    private readonly ManualTimeProvider _time = new();
    private readonly Clock _clock;
    private readonly AnswerCache _cache;

    public AnswerCacheTests()
    {
        _clock = new(_time);
        _cache = new(new() { Enabled = true, StaleIfErrorMs = 1000 }, _clock);
    }

    [Fact]
    public void A_hit_points_into_what_is_remembered_and_returns_nothing_of_it_to_a_pool()
    {
        Store(LookUp(Picture(7)), 70);
        var hit = LookUp(Picture(7));
        Assert.Equal(CacheStep.Hit, hit.Step);
        var (first, second) = (new TensorSet(), new TensorSet());
        hit.Answer!.WriteTo(first);
        hit.Answer.WriteTo(second);
        Assert.True(first[0].Data.Equals(second[0].Data));
        Assert.Equal(70, BinaryPrimitives.ReadInt32LittleEndian(first[0].Data.Span));
        Assert.Equal((DataType.Float32, new Shape([1, 10]), 0), (first[0].Type, first[0].Shape, first[0].Port));
        Assert.Equal(0, first.BytesRented);
        first.Reset();
        Assert.Equal(70, BinaryPrimitives.ReadInt32LittleEndian(second[0].Data.Span));
    }

    [Fact]
    public void A_hit_allocates_nothing()
    {
        var request = Picture(7);
        Store(LookUp(request), 70);
        var outputs = new TensorSet();
        Repeat(1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Repeat(int times)
        {
            for (var i = 0; i < times; i++)
            {
                LookUp(request).Answer!.WriteTo(outputs);
                outputs.Reset();
            }
        }
    }

    [Fact]
    public async Task Whoever_asks_the_same_is_given_the_leaders_answer()
    {
        var leads = LookUp(Picture(7));
        var joined = Enumerable.Range(0, 5).Select(_ => Await(LookUp(Picture(7))).AsTask()).ToArray();
        Store(leads, 70);
        foreach (var outcome in await Task.WhenAll(joined))
            Assert.Equal(70, NumberIn(outcome.Answer!));
        // Their places are used again.
        Assert.Equal(CacheStep.Hit, LookUp(Picture(7)).Step);
        leads = LookUp(Picture(8));
        var again = Await(LookUp(Picture(8)));
        _cache.Fail(leads.Lead!.Value, Fault.Invalid("It is wrong."), _clock.Now);
        Assert.Equal(FaultKind.InvalidInput, (await again).Fault!.Kind);
    }

    [Fact]
    public async Task A_leader_that_stores_before_the_other_waits_is_heard_all_the_same()
    {
        var leads = LookUp(Picture(7));
        var join = LookUp(Picture(7));
        Store(leads, 70);
        Assert.Equal(70, NumberIn((await Await(join)).Answer!));
        Assert.Equal(0, _time.TimersSet);
    }

    [Fact]
    public async Task When_the_leader_fails_one_that_waits_leads_and_the_others_wait_on()
    {
        var leads = LookUp(Picture(7));
        var first = Await(LookUp(Picture(7)));
        var second = Await(LookUp(Picture(7)));
        _cache.Fail(leads.Lead!.Value, s_broken, _clock.Now);
        var outcome = await first;
        Assert.NotNull(outcome.Lead);
        Assert.False(second.IsCompleted);
        Store(new CacheDecision(CacheStep.Miss, CacheReason.Unknown) { Lead = outcome.Lead }, 71);
        Assert.Equal(71, NumberIn((await second).Answer!));
    }

    [Fact]
    public async Task A_deadline_ends_the_wait_and_a_caller_who_leaves_ends_it_too()
    {
        var leads = LookUp(Picture(7));
        using var caller = new CancellationTokenSource();
        var late = Await(LookUp(Picture(7)), _clock.Now + TimeSpan.FromMilliseconds(20));
        var left = Await(LookUp(Picture(7)), cancellation: caller.Token);
        var stays = Await(LookUp(Picture(7)), _clock.Now + TimeSpan.FromMilliseconds(40));
        _time.Advance(TimeSpan.FromMilliseconds(21));
        Assert.Equal(FaultKind.DeadlineExceeded, (await late).Fault!.Kind);
        await caller.CancelAsync();
        Assert.Equal(FaultKind.Cancelled, (await left).Fault!.Kind);
        Assert.False(stays.IsCompleted);
        Store(leads, 70);
        Assert.Equal(70, NumberIn((await stays).Answer!));
        Assert.Equal(0, _time.TimersSet);
    }

    [Fact]
    public async Task A_caller_who_left_before_it_waits_is_told_at_once()
    {
        var leads = LookUp(Picture(7));
        var outcome = await Await(LookUp(Picture(7)), cancellation: new CancellationToken(canceled: true));
        Assert.Equal(FaultKind.Cancelled, outcome.Fault!.Kind);
        _cache.Fail(leads.Lead!.Value, s_broken, _clock.Now);
        Assert.Equal(0, _cache.Counts.Bytes);
    }

    [Fact]
    public void Directives_sequences_and_large_questions_go_past_it()
    {
        Store(LookUp(Picture(7)), 70);
        Assert.Equal(CacheStep.Bypass, LookUp(Picture(7), CacheDirective.Bypass).Step);
        Assert.Equal(CacheStep.Refresh, LookUp(Picture(7), CacheDirective.Refresh).Step);
        var inSequence = Picture(7);
        inSequence.Sequence = new SequenceMark(new(1), Start: true, End: false);
        Assert.Equal(CacheReason.Sequence, LookUp(inSequence).Reason);
        Assert.Equal(CacheReason.TooLarge, LookUp(Picture(7, length: 2_000_000)).Reason);
        var manyInputs = Picture(7);
        for (var i = 0; i < 50; i++)
            manyInputs.Inputs.Add().Port = i + 1;
        Assert.Equal(CacheStep.Miss, LookUp(manyInputs).Step);
        Assert.Equal(CacheStep.Join, LookUp(manyInputs).Step);
    }

    [Fact]
    public void Tenants_share_only_where_that_is_declared()
    {
        Store(LookUp(Picture(7)), 70);
        Assert.Equal(CacheStep.Miss, LookUp(Picture(7), tenant: "other").Step);
        using var shared = new AnswerCache(new() { Scope = CacheScope.Shared }, _clock);
        shared.Store(shared.LookUp(Request(Picture(7)), default).Lead!.Value, Outputs(70), default);
        Assert.Equal(CacheStep.Hit, shared.LookUp(Request(Picture(7), tenant: "other"), default).Step);
    }

    [Fact]
    public void An_old_answer_is_given_after_an_error_unless_its_caller_wants_none()
    {
        Store(LookUp(Picture(7)), 70);
        var later = _clock.Now + TimeSpan.FromMilliseconds(300_500);
        Assert.Equal(CacheStep.Stale, _cache.LookUpAfterError(Request(Picture(7)), later).Step);
        Assert.Equal(CacheStep.Bypass,
            _cache.LookUpAfterError(Request(Picture(7), CacheDirective.Refresh), later).Step);
    }

    [Fact]
    public void Clearing_empties_every_stripe()
    {
        for (var i = 0; i < 2000; i++)
            Store(LookUp(Picture(i, length: 8)), i);
        Assert.Equal(2000, _cache.Counts.Entries);
        _cache.Clear();
        Assert.Equal((0, 0), (_cache.Counts.Entries, _cache.Counts.Bytes));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(3136)]
    public void What_is_counted_is_no_less_than_the_memory_that_it_takes(int length)
    {
        const int count = 8000;
        var requests = Enumerable.Range(0, 50).Select(i => Picture(i, length)).ToArray();
        var outputs = Outputs(7);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < count; i++)
        {
            var request = requests[i % requests.Length];
            BinaryPrimitives.WriteInt32LittleEndian(MemoryMarshal.AsMemory(request.Inputs[0].Data).Span, i);
            _cache.Store(LookUp(request).Lead!.Value, outputs, _clock.Now);
        }

        // More than what stays: dictionaries that grew, flights that landed.
        var taken = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(count, _cache.Counts.Entries);
        Assert.True(taken < _cache.Counts.Bytes * 1.1, $"{taken} taken, {_cache.Counts.Bytes} counted");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Many_threads_get_the_answer_to_their_own_question_and_every_wait_ends(int seed)
    {
        using var cache = new AnswerCache(
            new() { BytesMax = 100_000, EntryBytesMax = 5_000, TtlMs = 1, StaleWhileRevalidateMs = 1 },
            new(TimeProvider.System));
        var clock = new Clock(TimeProvider.System);
        var workers = Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random((seed * 100) + worker);
            for (var i = 0; i < 3000; i++)
                await OneAsync(cache, clock, random);
        }));
        await Task.WhenAll(workers);
        cache.Clear();
        Assert.Equal((0, 0), (cache.Counts.Entries, cache.Counts.Bytes));
        Assert.True(cache.Counts.Joins > 0 || cache.Counts.Hits > 0);
    }

    public void Dispose() => _cache.Dispose();

    private static async Task OneAsync(AnswerCache cache, Clock clock, Random random)
    {
        var question = random.Next(20);
        var decision = cache.LookUp(Request(Picture(question)), clock.Now);
        var (answer, lead) = (decision.Answer, decision.Lead);
        if (decision.Step is CacheStep.Join)
        {
            using var caller = new CancellationTokenSource();
            var wait = AnswerCache.AwaitAsync(
                decision, clock.Now + TimeSpan.FromMilliseconds(random.Next(1, 50)), caller.Token);
            if (random.Next(4) == 0)
                await caller.CancelAsync();
            var outcome = await wait;
            (answer, lead) = (outcome.Answer, outcome.Lead);
        }

        if (answer is not null)
            Assert.Equal(question, NumberIn(answer));
        if (lead is not { } leads)
            return;
        if (random.Next(2) == 0)
            await Task.Yield();
        if (random.Next(4) == 0)
            cache.Fail(leads, s_broken, clock.Now);
        else
            cache.Store(leads, Outputs(question), clock.Now);
    }

    private static InferenceRequest Picture(int number, int length = 3136)
    {
        var request = new InferenceRequest();
        ref var input = ref request.Inputs.Add();
        var data = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(data, number);
        (input.Type, input.Shape, input.Data) = (DataType.Float32, new([1, length / 4]), data);
        return request;
    }

    private static TensorSet Outputs(int number)
    {
        var outputs = new TensorSet();
        ref var output = ref outputs.Add();
        var data = new byte[40];
        BinaryPrimitives.WriteInt32LittleEndian(data, number);
        (output.Type, output.Shape, output.Data) = (DataType.Float32, new([1, 10]), data);
        return outputs;
    }

    private static int NumberIn(CachedAnswer answer)
    {
        var outputs = new TensorSet();
        answer.WriteTo(outputs);
        return BinaryPrimitives.ReadInt32LittleEndian(outputs[0].Data.Span);
    }

    private static CacheRequest Request(
        InferenceRequest request, CacheDirective directive = CacheDirective.Use, string tenant = "a") =>
        new() { Subject = s_subject, Tenant = tenant, Request = request, Directive = directive };

    private CacheDecision LookUp(
        InferenceRequest request, CacheDirective directive = CacheDirective.Use, string tenant = "a") =>
        _cache.LookUp(Request(request, directive, tenant), _clock.Now);

    private void Store(CacheDecision decision, int number) =>
        _cache.Store(decision.Lead!.Value, Outputs(number), _clock.Now);

    private static ValueTask<CacheOutcome> Await(
        CacheDecision join, Instant? deadline = null, CancellationToken cancellation = default)
    {
        Assert.Equal(CacheStep.Join, join.Step);
        return AnswerCache.AwaitAsync(join, deadline ?? Instant.Never, cancellation);
    }
}
