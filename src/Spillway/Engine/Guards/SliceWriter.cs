using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Spillway.Policies.Budgets;
using Spillway.Store.Budgets;
using Spillway.Telemetry;

namespace Spillway.Engine.Guards;

/// <summary>
/// Makes slices of budgets durable, on a thread of its own: whoever finds a slice half used rings the bell, all that is
/// due goes to the disk in one transaction, and what is on the disk may be spent. Bounded by the number of budgets.
/// </summary>
internal sealed class SliceWriter : IDisposable
{
    /// <summary>A failed write is tried again after this long, and the wall's clock is looked at.</summary>
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>How many pauses until every budget is looked at: what lies behind its window is written once.</summary>
    private const int SweepEvery = 10;

    private static readonly Fault s_full = new(FaultKind.StoreFailed, "A drill plays the disk full.");

    private readonly ConcurrentQueue<HeldBudget> _asked = [];
    private readonly HashSet<HeldBudget> _due = [];
    private readonly HashSet<HeldBudget> _troubled = [];
    private readonly List<(HeldBudget Budget, Draw Draw)> _plan = [];
    private readonly List<Draw> _draws = [];
    private readonly AutoResetEvent _bell = new(initialState: false);
    private readonly SliceStore _store;
    private readonly GuardStates _states;
    private readonly GuardClock _clock;
    private readonly GuardCounts _counts;
    private readonly ILogger _logger;
    private Task? _thread;
    private volatile bool _ends;
    private int _pauses;

    /// <summary>Makes one; it owns the store from now on.</summary>
    public SliceWriter(SliceStore store, GuardStates states, GuardClock clock, GuardCounts counts, ILogger logger) =>
        (_store, _states, _clock, _counts, _logger) = (store, states, clock, counts, logger);

    /// <summary>What each write fails with, so that a test can fill the disk; null in production.</summary>
    internal Fault? Failing { get; set; }

    /// <summary>Whether a drill plays the disk full; null for never.</summary>
    internal Func<bool>? DiskIsFull { get; set; }

    /// <summary>Begins to write.</summary>
    public void Start() => _thread = Task.Factory.StartNew(
        Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Something is due for that budget. Never waits.</summary>
    public void Look(HeldBudget budget)
    {
        _asked.Enqueue(budget);
        _bell.Set();
    }

    /// <summary>Gives back what was drawn and not spent, and closes the store.</summary>
    public void Dispose()
    {
        if (_ends)
            return;
        _ends = true;
        _bell.Set();
        _thread?.GetAwaiter().GetResult();
        Write(_states.Budgets, ends: true);
        _store.Dispose();
        _bell.Dispose();
    }

    private void Run()
    {
        while (!_ends)
        {
            var rang = _bell.WaitOne(s_pause);
            while (_asked.TryDequeue(out var budget))
                _due.Add(budget);
            if (!rang)
            {
                LookAtClock();
                _due.UnionWith(_troubled);
                if (++_pauses % SweepEvery == 0)
                    _due.UnionWith(_states.Budgets);
            }

            if (_due.Count > 0)
                Write(_due, ends: false);
            _due.Clear();
        }
    }

    private void LookAtClock()
    {
        var jumped = _clock.Jumped();
        if (jumped == TimeSpan.Zero)
            return;
        _counts.ClockJumps.Add();
        GuardLog.ClockJumped(_logger, jumped.TotalSeconds);
    }

    private void Write(IEnumerable<HeldBudget> budgets, bool ends)
    {
        _plan.Clear();
        foreach (var budget in budgets)
        {
            budget.Asked();
            _draws.Clear();
            lock (budget.Lock)
                budget.Account.State.Plan(_clock.At(_clock.Now), ends, _draws);
            foreach (var draw in _draws)
                _plan.Add((budget, draw));
        }

        if (_plan.Count == 0)
            return;
        var fault = Failing ?? (DiskIsFull?.Invoke() is true ? s_full : null)
            ?? _store.Write(_plan.ConvertAll(p => Row(p.Budget, p.Draw)));
        _counts.Writes.Add();
        if (fault is not null)
            _counts.WriteFailures.Add();
        foreach (var (budget, draw) in _plan)
            Tell(budget, draw, fault);
    }

    /// <summary>What was written may be spent; who waited for it asks again.</summary>
    private void Tell(HeldBudget budget, in Draw draw, Fault? fault)
    {
        var serves = budget.Account.State.Options.OnStoreTrouble is StoreTrouble.Serve;
        List<GuardWait>? waiting = null;
        bool turned;
        lock (budget.Lock)
        {
            if (fault is null || serves)
                budget.Account.State.Drawn(draw, isSaved: fault is null);
            else
                budget.Account.State.NotDrawn(draw);
            turned = (budget.Trouble is null) != (fault is null);
            budget.Trouble = fault?.Message;
            if (budget.Drawing.Count > 0)
            {
                waiting = [.. budget.Drawing];
                budget.Drawing.Clear();
            }
        }

        if (fault is not null && serves)
            budget.Counts.Unsaved.Add();
        if (turned)
            Log(budget, fault);
        foreach (var one in waiting ?? [])
            one.Wake();
    }

    private void Log(HeldBudget budget, Fault? fault)
    {
        if (fault is null)
        {
            _troubled.Remove(budget);
            GuardLog.SavedAgain(_logger, budget.Account.Name, budget.Account.Scope);
            return;
        }

        _troubled.Add(budget);
        GuardLog.NotSaved(_logger, budget.Account.Name, budget.Account.Scope, fault.Message,
            budget.Account.State.Options.OnStoreTrouble);
    }

    private static SliceRow Row(HeldBudget budget, in Draw draw) => new(
        budget.Account.Name, budget.Account.Scope, budget.Window, draw.Cell.Start, draw.Cell.End, draw.Drawn.Nano,
        draw.Spent.Nano)
    {
        IsGone = draw.IsGone,
    };
}
