using System.Diagnostics.CodeAnalysis;

namespace Spillway.Policies.Budgets;

/// <summary>
/// The money of one budget, for those who share it. Reserve an upper bound before the work, settle what it cost after
/// it, on every path. Pure: one owner, explicit times.
/// </summary>
/// <remarks>
/// The laws, per cell of time: spent + reserved is at most drawn, and what is drawn is on the disk before; spent +
/// reserved over the window is at most the limit. After a crash, what was drawn counts as spent; so no crash lets
/// anybody spend more than the limit. Drawn is spent + a slice, or, where that is more, spent + what is reserved and
/// asked for; so a crash costs at most a slice, the requests in flight included, unless they hold more than one. Two
/// things break the first law, are counted, and are made good with the next draw: spending beyond a reservation, and
/// serving while the disk cannot be written.
/// </remarks>
public sealed class BudgetAccount
{
    /// <summary>Calendar windows that are remembered: a clock that is set back finds what was spent then.</summary>
    private const int WindowsKept = 8;

    private readonly BudgetWindow _window;
    private long _limit;
    private long _slice;
    private double[] _warnAt;
    private readonly List<BudgetCell> _cells = [];
    private readonly List<CellSpan> _moved = [];
    private BudgetCell? _present;

    /// <summary>Nothing spent.</summary>
    /// <param name="options">As declared.</param>
    /// <param name="window">Its windows.</param>
    public BudgetAccount(BudgetOptions options, BudgetWindow window)
    {
        _window = window;
        Use(options);
    }

    /// <summary>As declared.</summary>
    public BudgetOptions Options { get; private set; }

    /// <summary>
    /// Another declaration with the same windows holds from now on: what is spent and reserved stays, and thresholds
    /// are told anew.
    /// </summary>
    [MemberNotNull(nameof(Options), nameof(_warnAt))]
    public void Use(BudgetOptions options)
    {
        Options = options;
        (_limit, _slice) = (options.LimitMoney.Nano, options.SliceMoney.Nano);
        _warnAt = [.. options.WarnAt.Where(part => part > 0).Order()];
        foreach (var cell in _cells)
            cell.Warned = 0;
    }

    /// <summary>Of every window, for requests in flight; 0 when nothing is.</summary>
    public Money Reserved { get; private set; }

    /// <summary>Takes over what an earlier process left in the store: all that was drawn counts as spent.</summary>
    public void Load(in Draw kept, in BudgetTime now)
    {
        // Of a rolling window nothing lies in the future: what a clock that was set back since left there moves here.
        var moves = _window.IsRolling && kept.Cell.Start > _window.TicksOf(now);
        if (moves)
            _moved.Add(kept.Cell);
        var cell = moves ? Present(now) : Find(kept.Cell.Start) ?? Add(kept.Cell);
        var drawn = Math.Max(kept.Drawn.Nano, kept.Spent.Nano);
        cell.Spent += drawn;
        cell.Drawn += drawn;
        cell.Saved += moves ? 0 : drawn;
        cell.Lost += drawn - kept.Spent.Nano;
    }

    /// <summary>Whether a request passes that costs so much at most; notes what it wants of the next slice.</summary>
    public BudgetVerdict Check(Money cost, in BudgetTime now)
    {
        var cell = Present(now);
        var left = _limit - Used(now);
        if (cost.Nano > left)
            return new(BudgetSays.Exhausted, new(Math.Max(0, left)), BackIn(cost.Nano - left, now));
        if (cost.Nano <= cell.Drawn - cell.Used)
            return new(BudgetSays.Passed, new(left));
        cell.Wanted = Math.Min(_limit, cell.Wanted + cost.Nano);
        return new(BudgetSays.NotDrawn, new(left));
    }

    /// <summary>Sets money aside, after a check that passed; returns the cell, for the settlement.</summary>
    public long Reserve(Money cost, in BudgetTime now)
    {
        var cell = Present(now);
        cell.Reserved += cost.Nano;
        Reserved += cost;
        return cell.Span.Start;
    }

    /// <summary>A request is over: what it cost is spent, the rest of its reservation is free again.</summary>
    public BudgetSettled Settle(long start, Money reserved, Money spent)
    {
        Reserved -= reserved;
        var over = Money.Zero;
        if (spent.Nano > reserved.Nano)
            over = spent - reserved;
        // The cell of a window long past may be forgotten; then there is nothing left to keep.
        if (Find(start) is not { } cell)
            return new(over, 0);
        cell.Reserved -= reserved.Nano;
        cell.Spent += spent.Nano;
        return new(over, Passed(cell));
    }

    /// <summary>Whether something should be written now.</summary>
    public bool WantsDraw =>
        _present is { } cell && cell.Drawn < _limit && (cell.Wanted > 0 || cell.Target(_slice) - cell.Drawn >= Step);

    /// <summary>
    /// What to make durable now. Call <see cref="Drawn"/> with each when it is; what is lowered here is lowered at
    /// once, so that nobody spends what the disk may no longer say.
    /// </summary>
    /// <param name="now">The present.</param>
    /// <param name="ends">The process ends: what was not spent is given back.</param>
    /// <param name="into">Receives it.</param>
    public void Plan(in BudgetTime now, bool ends, List<Draw> into)
    {
        var present = Present(now);
        foreach (var cell in _cells)
        {
            var target = ends ? cell.Used : cell == present ? Ahead(cell, now) : Behind(cell);
            cell.Drawn = Math.Min(cell.Drawn, target);
            var known = cell.Spent - cell.Lost;
            var isKept = target == cell.Drawn && cell.Saved == target && (!ends || cell.SavedSpent == known);
            // Who waits is told by the write, also when others gave back meanwhile what it needs.
            if (isKept && cell.Wanted == 0)
                continue;
            (cell.Saved, cell.SavedSpent) = (target, known);
            into.Add(new(cell.Span, new(target), new(known)));
        }

        foreach (var span in _moved)
            into.Add(new(span, default, default, IsGone: true));
        _moved.Clear();
    }

    /// <summary>So much is durable as spent; or it is not, and is used all the same (serve on store trouble).</summary>
    public void Drawn(in Draw made, bool isSaved = true)
    {
        if (made.IsGone || Find(made.Cell.Start) is not { } cell)
            return;
        cell.Drawn = Math.Max(cell.Drawn, made.Drawn.Nano);
        cell.Saved = isSaved ? cell.Saved : -1;
        // Whoever waits asks again.
        cell.Wanted = 0;
    }

    /// <summary>The write failed: it is tried again.</summary>
    public void NotDrawn(in Draw made)
    {
        if (made.IsGone)
            _moved.Add(made.Cell);
        else if (Find(made.Cell.Start) is { } cell)
            (cell.Saved, cell.Wanted) = (-1, 0);
    }

    /// <summary>How it stands.</summary>
    public BudgetState Look(in BudgetTime now)
    {
        var present = Present(now);
        var (spent, lost) = (0L, 0L);
        foreach (var cell in _cells)
        {
            var counts = Counts(cell, now);
            spent += counts ? cell.Spent : 0;
            lost += counts ? cell.Lost : 0;
        }

        return new(new(spent), Reserved, new(present.Drawn), new(lost), present.Span);
    }

    /// <summary>The part of the limit that is spent or reserved, from the first threshold on; else 0.</summary>
    public double Warning(in BudgetTime now)
    {
        if (_warnAt.Length == 0)
            return 0;
        var part = (double)Used(now) / _limit;
        return part >= _warnAt[0] ? part : 0;
    }

    private long Step => Math.Max(1, _slice / 2);

    private double Passed(BudgetCell cell)
    {
        var (spent, passed) = (0L, 0.0);
        foreach (var other in _cells)
            spent += _window.IsRolling || other == cell ? other.Spent : 0;
        // Of a rolling window somebody hears again when it has fallen below the threshold meanwhile.
        while (cell.Warned > 0 && _window.IsRolling && spent < _warnAt[cell.Warned - 1] * _limit)
            cell.Warned--;
        while (cell.Warned < _warnAt.Length && spent >= _warnAt[cell.Warned] * _limit)
            passed = _warnAt[cell.Warned++];
        return passed;
    }

    /// <summary>A cell that is over is written once, when its last request has settled.</summary>
    private static long Behind(BudgetCell cell) => cell.Reserved > 0 ? Math.Max(cell.Used, cell.Drawn) : cell.Used;

    private long Ahead(BudgetCell cell, in BudgetTime now)
    {
        var target = Math.Min(cell.Target(_slice), _limit - (Used(now) - cell.Used));
        // Half a slice is worth a write, in either direction: reservations that came back are no longer drawn.
        var isDue = cell.Wanted > 0 || target - cell.Drawn >= Step || cell.Drawn - target >= Step;
        // What was spent beyond reservations is written, whatever the limit says.
        return Math.Max(cell.Used, isDue ? target : cell.Drawn);
    }

    private long Used(in BudgetTime now)
    {
        if (!_window.IsRolling)
            return Present(now).Used;
        var used = 0L;
        foreach (var cell in _cells)
            used += Counts(cell, now) ? cell.Used : 0;
        return used;
    }

    private bool Counts(BudgetCell cell, in BudgetTime now) =>
        _window.IsRolling ? cell.Span.End > _window.TicksOf(now) - _window.Span : cell == _present;

    /// <summary>When so much is free again at the latest: with the next window, or as the oldest cells leave.</summary>
    private TimeSpan BackIn(long nano, in BudgetTime now)
    {
        var ticks = _window.TicksOf(now);
        if (!_window.IsRolling)
            return nano > Present(now).Used ? TimeSpan.MaxValue : new(Present(now).Span.End - ticks);
        foreach (var cell in _cells)
        {
            nano -= Counts(cell, now) ? cell.Used : 0;
            if (nano <= 0)
                return new(cell.Span.End + _window.Span - ticks);
        }

        return TimeSpan.MaxValue;
    }

    private BudgetCell Present(in BudgetTime now)
    {
        var ticks = _window.TicksOf(now);
        if (_present is { } known && known.Span.Has(ticks))
            return known;
        var span = _window.CellOf(ticks);
        var cell = Find(span.Start) ?? Add(span);
        if (_window.IsRolling && _present is { } before)
            cell.Warned = Math.Max(cell.Warned, before.Warned);
        _present = cell;
        Forget(now);
        return cell;
    }

    private BudgetCell? Find(long start)
    {
        foreach (var cell in _cells)
        {
            if (cell.Span.Start == start)
                return cell;
        }

        return null;
    }

    private BudgetCell Add(in CellSpan span)
    {
        var start = span.Start;
        var cell = new BudgetCell { Span = span };
        var at = _cells.FindIndex(c => c.Span.Start > start);
        _cells.Insert(at < 0 ? _cells.Count : at, cell);
        return cell;
    }

    private void Forget(in BudgetTime now)
    {
        for (var i = 0; i < _cells.Count;)
        {
            var old = _window.IsRolling ? !Counts(_cells[i], now) : _cells.Count > WindowsKept;
            if (old && _cells[i] != _present)
                _cells.RemoveAt(i);
            else
                i++;
        }
    }
}
