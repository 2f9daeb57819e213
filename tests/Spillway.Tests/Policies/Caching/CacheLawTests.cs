using Spillway.Policies.Caching;

namespace Spillway.Tests.Policies.Caching;

/// <summary>What holds whatever happens, in any order, over seeds.</summary>
public sealed class CacheLawTests
{
    private const int BytesMax = 20_000;

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Memory_is_bounded_answers_are_right_and_who_waits_is_told_once(int seed)
    {
        var life = new Life(seed);
        for (var step = 0; step < 3000; step++)
            life.Step(step);
        life.End();
    }

    [Fact]
    public void A_scan_of_questions_that_come_once_leaves_the_popular_ones()
    {
        var cache = new Asking(new() { TtlMs = 1e9, EntryBytesMax = 4000 }, bytesMax: 100 * 700);
        for (var round = 0; round < 2; round++)
        {
            for (var popular = 0; popular < 50; popular++)
                Once(popular);
        }

        for (var i = 0; i < 5000; i++)
        {
            Once(1000 + i);
            // Each popular question comes once while 100 others come that never come again.
            if (i % 2 == 0)
                Once(i / 2 % 50);
        }

        var hits = Enumerable.Range(0, 50).Count(q => cache.LookUp(q).Step is CacheStep.Hit);
        Assert.True(hits >= 48, $"{hits} of 50");

        void Once(int question)
        {
            var decision = cache.LookUp(question);
            if (decision.Lead is not null)
                cache.Store(decision, question);
        }
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(0, 40)];

    /// <summary>A random caller of one policy, which knows by itself who waits for what.</summary>
    private sealed class Life(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly List<(CacheLead Lead, int Question)> _leads = [];
        private readonly Dictionary<CacheWaiter, int> _waiting = [];
        private readonly Asking _cache = new(
            new()
            {
                TtlMs = 50, StaleWhileRevalidateMs = seed % 3 * 20, StaleIfErrorMs = seed % 2 * 60, JoinersMax = 4,
                EntryBytesMax = 4000,
            },
            BytesMax);

        public void Step(int step)
        {
            if (_random.Next(3) < 2 || _leads.Count == 0)
                Ask(step);
            else
                EndOne(step);
            if (_random.Next(40) == 0 && _waiting.Keys.FirstOrDefault() is { } leaver)
                Assert.True(CachePolicy.Leave(leaver) && _waiting.Remove(leaver));
            if (_random.Next(300) == 0)
                _cache.Policy.Clear(100);
            Assert.InRange(_cache.Policy.Counts.Bytes, 0, BytesMax);
        }

        public void End()
        {
            while (_leads.Count > 0)
                EndOne(3000);
            Assert.Empty(_waiting);
            _cache.Policy.Clear(int.MaxValue);
            Assert.Equal((0, 0), (_cache.Policy.Counts.Bytes, _cache.Policy.Counts.Entries));
        }

        private void Ask(int step)
        {
            // Small numbers are popular.
            var question = (int)(60 * _random.NextDouble() * _random.NextDouble());
            var decision = _cache.LookUp(question, step, refreshes: _random.Next(20) == 0, padding: question * 10);
            if (decision.Answer is not null)
                Assert.Equal(question, Asking.NumberIn(decision.Answer));
            if (decision.Lead is { } lead)
                _leads.Add((lead, question));
            if (decision.Flight is not { } flight)
                return;
            var waiter = new CacheWaiter();
            CachePolicy.Add(flight, waiter);
            _waiting.Add(waiter, question);
        }

        private void EndOne(int step)
        {
            var at = _random.Next(_leads.Count);
            var (lead, question) = _leads[at];
            _leads.RemoveAt(at);
            var told = _random.Next(4) > 0 ? Store(lead, question, step) : Fail(lead, question, step);
            foreach (var waiter in Asking.Listed(told))
            {
                Assert.Equal(question, _waiting[waiter]);
                _waiting.Remove(waiter);
            }
        }

        private CacheWaiter? Store(CacheLead lead, int question, int step)
        {
            var answer = Asking.Answer(question, _random.Next(8) == 0 ? 5000 : _random.Next(500));
            return _cache.Policy.Store(lead, answer, Asking.Ms(step));
        }

        private CacheWaiter? Fail(CacheLead lead, int question, int step)
        {
            var told = _cache.Policy.Fail(lead, (LeadEnd)_random.Next(3), Asking.Ms(step), out var next);
            if (next is { } promoted)
            {
                Assert.True(_waiting.Remove(promoted.Waiter));
                _leads.Add((promoted.Lead, question));
            }

            return told;
        }
    }
}
