using Spillway.Flow.Guards;
using Spillway.Policies.Budgets;
using Spillway.Policies.Rates;

namespace Spillway.Tests.Simulation;

/// <summary>
/// A server with one budget on virtual time: the production rules (<see cref="GuardSet"/>,
/// <see cref="BudgetAccount"/>), a disk that takes its time, requests that succeed, fail, leave or ask again, and a
/// machine that is killed.
/// What is on the disk is all that survives. The world itself counts what callers got, which nobody can take back.
/// </summary>
internal sealed class BudgetWorld
{
    /// <summary>The upper bound of a request's cost; a run may cost less.</summary>
    public const long Bound = 10;

    private static readonly DateTime s_noon = new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc);

    private readonly BudgetOptions _options;
    private readonly BudgetWindow _window;
    private readonly Random _random;
    private readonly PriorityQueue<Action, (long At, long Order)> _calendar = new();
    private readonly Dictionary<CellSpan, Draw> _disk = [];
    private readonly List<Asker> _drawing = [];
    private readonly List<Asker> _inside = [];
    private GuardSet _set = null!;
    private BudgetAccount _account = null!;
    private long _now;
    private long _order;
    private int _life;
    private bool _writing;

    public BudgetWorld(int seed, long limit, double slice, WindowKind kind)
    {
        _random = new(seed);
        _options = new() { Limit = limit * Bound / 1e9, Slice = slice, Window = WindowLength.Day, Kind = kind };
        _window = new(WindowLength.Day, kind, TimeZoneInfo.Utc);
        Boot();
    }

    /// <summary>What callers got, in nano-units; what was in flight at a kill counts as got.</summary>
    public long Got { get; private set; }

    /// <summary>The most that was ever got or could have been, at one moment.</summary>
    public long Most { get; private set; }

    public int Answered { get; private set; }

    public int Refused { get; private set; }

    public int Failed { get; private set; }

    public int Kills { get; private set; }

    public long Borrowed { get; private set; }

    public long Settled { get; private set; }

    /// <summary>Reserved now.</summary>
    public long Reserved => _account.Reserved.Nano;

    public BudgetState Look() => _account.Look(Time);

    private BudgetTime Time => new(s_noon.AddTicks(_now), s_noon.AddTicks(_now));

    /// <summary>A request arrives.</summary>
    public void Arrive(TimeSpan at) => Schedule(at.Ticks, () => Ask(new()));

    /// <summary>kill -9, and a restart a moment later.</summary>
    public void Kill(TimeSpan at) => Schedule(at.Ticks, () =>
    {
        Kills++;
        _life++;
        // Nobody will ever know what those in flight got: all of it.
        foreach (var asker in _inside)
            Got += asker.Ticket.Reserved.Nano;
        _inside.Clear();
        _drawing.Clear();
        _writing = false;
        Boot();
    });

    /// <summary>Lives through everything.</summary>
    public void Run()
    {
        while (_calendar.TryDequeue(out var happens, out var when))
        {
            _now = when.At;
            happens();
            // The worst that could be true at this moment: everything in flight succeeds.
            Most = Math.Max(Most, Got + _inside.Sum(a => a.Ticket.Reserved.Nano));
        }
    }

    /// <summary>Stops as a server does that was asked to: what was not spent is on the disk as not spent.</summary>
    public void Stop()
    {
        List<Draw> plan = [];
        _account.Plan(Time, ends: true, plan);
        Save(plan);
        Boot();
    }

    private void Boot()
    {
        _account = new(_options, _window);
        foreach (var draw in _disk.Values)
            _account.Load(draw, Time);
        _set = new([], [new("budget", "", _account)]);
    }

    private void Ask(Asker asker)
    {
        var ask = new GuardAsk(new RateAsk("local", 1, 1, 0), new(Bound), new(_now), Time, TimeSpan.MaxValue);
        var answer = _set.Enter(ask, asker.Ticket);
        if (_account.WantsDraw && !_writing)
            Write();
        switch (answer.Says)
        {
            case GuardSays.Passed:
                Borrowed++;
                Begin(asker);
                break;
            case GuardSays.Draw:
                _drawing.Add(asker);
                break;
            case GuardSays.Refused or GuardSays.Wait:
                Refused++;
                break;
        }
    }

    private void Begin(Asker asker)
    {
        _inside.Add(asker);
        var life = _life;
        // Answered for less or all of its bound, failed, cancelled in the queue, or gone at once.
        var (fate, after) = (_random.Next(10), _random.Next(1, 20_000_0));
        Schedule(_now + after, () =>
        {
            if (life != _life)
                return;
            var cost = fate switch { < 5 => Bound, < 7 => _random.Next(1, (int)Bound), _ => 0 };
            _inside.Remove(asker);
            Got += cost;
            _set.Settle(asker.Ticket, new(cost));
            Settled++;
            (Answered, Failed) = cost > 0 ? (Answered + 1, Failed) : (Answered, Failed + 1);
            if (_account.WantsDraw && !_writing)
                Write();
        });
    }

    /// <summary>The writer: plans now, and a while later it is on the disk, or the kill came first.</summary>
    private void Write()
    {
        List<Draw> plan = [];
        _account.Plan(Time, ends: false, plan);
        if (plan.Count == 0)
            return;
        _writing = true;
        var life = _life;
        var took = _random.Next(1_000_0, 8_000_0);
        // The disk has it somewhat before the server hears so: a kill between the two finds it there.
        Schedule(_now + (took / 2), () =>
        {
            if (life == _life)
                Save(plan);
        });
        Schedule(_now + took, () =>
        {
            if (life != _life)
                return;
            _writing = false;
            foreach (var draw in plan)
                _account.Drawn(draw);
            Asker[] asking = [.. _drawing];
            _drawing.Clear();
            foreach (var asker in asking)
                Ask(asker);
        });
    }

    private void Save(List<Draw> plan)
    {
        foreach (var draw in plan)
        {
            if (draw.IsGone)
                _disk.Remove(draw.Cell);
            else
                _disk[draw.Cell] = draw;
        }
    }

    private void Schedule(long at, Action happens) => _calendar.Enqueue(happens, (at, _order++));

    private sealed class Asker
    {
        public GuardTicket Ticket { get; } = new();
    }
}
