using Spillway.Engine;
using Spillway.Engine.Gateway;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>Which answers are kept under their keys, and which go.</summary>
public sealed class IdempotentAnswersTests
{
    private readonly IdempotentAnswers _kept = new(new Clock(TimeProvider.System));

    private IdempotentEntry First(string tenant, string key)
    {
        Assert.True(_kept.Enter(tenant, $"{tenant}/{key}", "d", out var isFirst).TryGet(out var entry, out _));
        Assert.True(isFirst, $"{tenant}/{key} was known.");
        return entry;
    }

    private static KeptAnswer Answer(int length = 1) => new(new byte[length], []);

    private bool Knows(string tenant, string key)
    {
        Assert.True(_kept.Enter(tenant, $"{tenant}/{key}", "d", out var isFirst).TryGet(out var entry, out _));
        if (isFirst)
            _kept.Complete(entry, null);
        return !isFirst;
    }

    [Fact]
    public void One_tenants_answers_do_not_displace_anothers()
    {
        _kept.Complete(First("small", "a"), Answer());
        for (var i = 0; i < IdempotentAnswers.EntriesMax + 10; i++)
            _kept.Complete(First("large", FormattableString.Invariant($"{i}")), Answer());

        Assert.True(Knows("small", "a"));
        Assert.False(Knows("large", "0"));
        Assert.InRange(_kept.Count, 2, IdempotentAnswers.TenantEntriesMax + 2);
    }

    [Fact]
    public void Bytes_of_one_tenant_are_bounded_too()
    {
        var answer = Answer(IdempotentAnswers.AnswerBytesMax);
        for (var i = 0; i < 20; i++)
            _kept.Complete(First("t", FormattableString.Invariant($"{i}")), answer);

        Assert.Equal(IdempotentAnswers.TenantBytesMax / answer.Bytes, _kept.Count);
    }

    [Fact]
    public void Who_is_under_way_is_not_forgotten()
    {
        First("t", "open");
        for (var i = 0; i < IdempotentAnswers.TenantEntriesMax + 10; i++)
            _kept.Complete(First("t", FormattableString.Invariant($"{i}")), Answer());

        Assert.True(Knows("t", "open"));
    }

    [Fact]
    public async Task A_long_answer_is_for_those_who_wait_and_is_not_kept()
    {
        const int Long = IdempotentAnswers.AnswerBytesMax + 1;
        var alone = First("t", "alone");
        var awaited = First("t", "awaited");
        Assert.True(Knows("t", "awaited"));

        Assert.False(_kept.Holds(alone, Long));
        Assert.True(_kept.Holds(awaited, Long));
        _kept.Complete(awaited, Answer(Long));

        Assert.Equal(Long, (await awaited.Answer.Task)!.Body.Length);
        Assert.Equal(0, _kept.Count);
    }
}
