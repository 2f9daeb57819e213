using Spillway.Policies.Sequences;

namespace Spillway.Tests.Policies.Sequences;

/// <summary>
/// Random lives of sequences against a plain account of the same: whatever happens, of each sequence at most one
/// request runs, in the order of arrival, every accepted request runs once or is given up once, and nothing grows
/// beyond its limit.
/// </summary>
public sealed class SequenceLawTests
{
    private const int Slots = 40;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_happens_the_order_holds_and_nothing_is_lost(int seed)
    {
        var random = new Random(seed);
        var life = new Life(new()
        {
            IdleMs = 50, SequencesMax = 1 + (seed % 5), WaitingMax = seed % 4, Restart = seed % 2 == 0,
        });
        for (var step = 0; step < 3_000; step++)
        {
            life.Pass(random.Next(8));
            var what = random.Next(10);
            if (what < 5)
                life.Arrive((ulong)random.Next(1, 8), start: random.Next(3) == 0, end: random.Next(5) == 0);
            else if (what < 9)
                life.Finish(random.Next(100), succeeded: random.Next(6) > 0);
            else
                life.Leave(random.Next(100));
            life.Check();
        }

        life.FinishAll();
        Assert.Equal(0, life.Policy.Count);
        Assert.True(life.Runs > 100, $"{life.Runs} runs");
    }

    private sealed class Life(SequenceOptions options)
    {
        private readonly Stack<int> _free = new(Enumerable.Range(0, Slots));
        private readonly Dictionary<ulong, Line> _lines = [];
        private readonly int[] _buffer = new int[Slots];
        private Instant _now;

        public SequencePolicy Policy { get; } = new(options, Slots);

        public int Runs { get; private set; }

        public void Pass(int ms)
        {
            _now += TimeSpan.FromMilliseconds(ms);
            var freed = Policy.Expire(_buffer, _now);
            var overdue = _lines.Where(l => l.Value.IdleSince + TimeSpan.FromMilliseconds(50) <= _now).ToList();
            Assert.Equal(overdue.Select(l => l.Value.State).Order(), _buffer[..freed].Order());
            foreach (var (id, _) in overdue)
                _lines.Remove(id);
        }

        public void Arrive(ulong id, bool start, bool end)
        {
            if (!_free.TryPop(out var slot))
                return;
            var expected = Expect(id, start);
            var step = Policy.Arrive(new(new(id), start, end), slot, _now, out var state);
            // Which of the two words an unknown one gets is not the account's business.
            Assert.Equal(expected, step is SequenceStep.RefusedExpired ? SequenceStep.RefusedUnknown : step);
            if (step is not (SequenceStep.Run or SequenceStep.Wait))
            {
                Assert.Equal(-1, state);
                _free.Push(slot);
                return;
            }

            if (!_lines.TryGetValue(id, out var line))
                _lines.Add(id, line = new(state));
            Assert.Equal(line.State, state);
            line.Requests.Add((slot, start, end));
            line.IdleSince = Instant.Never;
            Runs += step is SequenceStep.Run ? 1 : 0;
        }

        public void Finish(int which, bool succeeded)
        {
            var busy = _lines.Where(l => l.Value.Requests.Count > 0).ToList();
            if (busy.Count == 0)
                return;
            var (id, line) = busy[which % busy.Count];
            var (slot, start, end) = line.Requests[0];
            line.Requests.RemoveAt(0);
            _free.Push(slot);
            var dead = start && !succeeded ? TakeToStart(line, 0) : [];
            var next = Policy.Done(line.State, succeeded, _now, _buffer, out var drops);
            Assert.Equal(dead, _buffer[..drops]);
            if (line.Requests.Count > 0)
            {
                Assert.Equal(new SequenceNext(line.Requests[0].Slot, line.Requests[0].Start), next);
                Runs++;
                return;
            }

            var ended = end || (start && !succeeded);
            Assert.Equal(ended ? SequenceNext.Over : SequenceNext.None, next);
            line.IdleSince = _now;
            if (ended)
                _lines.Remove(id);
        }

        public void Leave(int which)
        {
            var waiting = _lines.Values.SelectMany(l => l.Requests.Skip(1).Select(r => (Line: l, Request: r))).ToList();
            if (waiting.Count == 0)
                return;
            var (line, request) = waiting[which % waiting.Count];
            var at = line.Requests.IndexOf(request);
            line.Requests.RemoveAt(at);
            _free.Push(request.Slot);
            if (request is { End: true, Start: false })
                line.Requests[at - 1] = line.Requests[at - 1] with { End = true };
            var dead = request.Start ? TakeToStart(line, at) : [];
            Assert.Equal(dead, _buffer[..Policy.Leave(line.State, request.Slot, _buffer)]);
        }

        public void Check()
        {
            Assert.Equal(_lines.Count, Policy.Count);
            Assert.True(Policy.Count <= options.SequencesMax);
            Assert.Equal(_lines.Count, _lines.Values.Select(l => l.State).Distinct().Count());
            var oldest = _lines.Values.Select(l => l.IdleSince).DefaultIfEmpty(Instant.Never).Min();
            Assert.Equal(oldest == Instant.Never ? oldest : oldest + TimeSpan.FromMilliseconds(50), Policy.WakeAt);
        }

        public void FinishAll()
        {
            while (_lines.Values.Any(l => l.Requests.Count > 0))
                Finish(0, succeeded: true);
            Pass(51);
            Assert.Equal(Slots, _free.Count);
        }

        private SequenceStep Expect(ulong id, bool start)
        {
            if (!_lines.TryGetValue(id, out var line))
            {
                return !start ? SequenceStep.RefusedUnknown
                    : _lines.Count == options.SequencesMax ? SequenceStep.RefusedSequences : SequenceStep.Run;
            }

            var ended = line.Requests.Count > 0 && line.Requests[^1].End;
            if (!start && ended)
                return SequenceStep.RefusedUnknown;
            if (start && !ended && !options.Restart)
                return SequenceStep.RefusedConflict;
            return line.Requests.Count == 0 ? SequenceStep.Run
                : line.Requests.Count > options.WaitingMax ? SequenceStep.RefusedWaiting : SequenceStep.Wait;
        }

        private List<int> TakeToStart(Line line, int from)
        {
            var dead = line.Requests.Skip(from).TakeWhile(r => !r.Start).Select(r => r.Slot).ToList();
            line.Requests.RemoveRange(from, dead.Count);
            dead.ForEach(_free.Push);
            return dead;
        }
    }

    private sealed class Line(int state)
    {
        public int State { get; } = state;

        /// <summary>In the order of arrival; the first runs.</summary>
        public List<(int Slot, bool Start, bool End)> Requests { get; } = [];

        public Instant IdleSince { get; set; } = Instant.Never;
    }
}
