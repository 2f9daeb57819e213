namespace Spillway.Policies.Residency;

/// <summary>
/// Which models of one device are in memory: within a budget, loaded when wanted, the least recently used unloaded to
/// make room. Pure state, one owner: the caller guards it with one lock, and after every call carries out what
/// <see cref="TryNext"/> says, outside the lock and off the request path.
/// </summary>
/// <remarks>
/// The rules:
/// <list type="number">
/// <item>What is resident, being loaded (by its estimate) and being unloaded never exceeds the budget. Only a load that
/// turns out larger than its estimate can; then the least recently used idle ones go until it holds again.</item>
/// <item>Loads happen in the order in which they were first wanted; a large one is not overtaken by small ones, so
/// nobody waits for ever.</item>
/// <item>Room is made by idle models, least recently used first, and only if they are enough. When the load has waited
/// for <see cref="ResidencyOptions.RoomPatienceMs"/>, busy ones are closed in the same order: they answer whom they
/// have,
/// take nobody new, and go.</item>
/// <item>A request waits for a load when a place among the waiting is free and the predicted end of the load, by the
/// last one of that model, lies before its deadline. A refused one still causes the load.</item>
/// <item>A queued model that nobody waits for, and nobody wanted for <see cref="WishMemory"/>, is forgotten; one that
/// is to be loaded at start or by an operator's word is not.</item>
/// </list>
/// This file is long because the rules share their few numbers, and whoever checks the budget reads one file.
/// </remarks>
/// <param name="options">Limits.</param>
/// <param name="budget">Bytes that the device has for models; 0 sets no limit.</param>
/// <param name="loadsMax">Loads at once.</param>
public sealed class ResidencyPolicy(ResidencyOptions options, long budget, int loadsMax = 1)
{
    /// <summary>How long a wish without waiters keeps its place. 10 s: the retries of a patient client.</summary>
    public static readonly TimeSpan WishMemory = TimeSpan.FromSeconds(10);

    /// <summary>Weight of the newest load in the learned time per byte.</summary>
    private const double Weight = 0.3;

    private readonly List<ResidentModel> _models = [];
    private readonly List<ResidentModel> _queue = [];
    private readonly long _budget = budget > 0 ? budget : long.MaxValue;
    private readonly TimeSpan _patience = TimeSpan.FromMilliseconds(options.RoomPatienceMs);
    private double _ticksPerByte;
    private int _loading;
    private long _uses;

    /// <summary>Bytes that are taken from the budget: resident, being loaded, being unloaded.</summary>
    public long Used { get; private set; }

    /// <summary>Requests that wait for a load.</summary>
    public int Waiters { get; private set; }

    /// <summary>
    /// When <see cref="TryNext"/> may have something to do though nothing happened; Never when it will not.
    /// </summary>
    public Instant WakeAt { get; private set; } = Instant.Never;

    /// <summary>A model becomes known; it is absent until somebody wants it.</summary>
    /// <param name="bytes">Its estimated size, at least 1.</param>
    /// <param name="pinned">It is never unloaded to make room.</param>
    /// <returns>Its number, which one that was removed and is gone may have had.</returns>
    public int Add(long bytes, bool pinned = false)
    {
        var place = _models.FindIndex(m => m is { IsGone: true, State: ResidencyState.Absent, Waiters: 0 });
        if (place < 0)
        {
            place = _models.Count;
            _models.Add(null!);
        }

        _models[place] = new(place, Math.Max(bytes, 1), pinned);
        return place;
    }

    /// <summary>
    /// A model is no longer served: it goes when it has answered whom it has, and is not loaded again.
    /// </summary>
    public void Remove(int model)
    {
        var gone = _models[model];
        gone.IsGone = true;
        Close(gone, @for: -1);
    }

    /// <summary>Where a model is.</summary>
    public ResidencyState StateOf(int model) => _models[model].State;

    /// <summary>Its size: measured by its last load, before the first estimated.</summary>
    public long BytesOf(int model) => _models[model].Bytes;

    /// <summary>A request wants a model.</summary>
    public ResidencyDecision Want(int model, Instant now, Instant deadline)
    {
        var wanted = _models[model];
        Wanted(wanted, now);
        if (wanted.State is ResidencyState.Resident)
            return new(ResidencyAnswer.Go, ResidencyReason.Resident);

        if (Wish(wanted, now) is { } refused)
            return refused;
        var readyIn = ReadyIn(wanted, now);
        if (readyIn > TimeSpan.Zero && now + readyIn > deadline)
            return new(ResidencyAnswer.Refuse, ResidencyReason.TooLate, readyIn);
        if (Waiters >= options.LoadWaitersMax)
            return new(ResidencyAnswer.Refuse, ResidencyReason.TooManyWait, readyIn);
        wanted.Waiters++;
        Waiters++;
        return new(ResidencyAnswer.Wait, ResidencyReason.Loading, readyIn);
    }

    /// <summary>
    /// A model is to be loaded though no request waits for it: at start, or because an operator says so.
    /// </summary>
    /// <returns>Why not; null when it is there, or on its way.</returns>
    public ResidencyDecision? Preload(int model, Instant now)
    {
        var wanted = _models[model];
        Wanted(wanted, now);
        wanted.RetryAt = now;
        if (wanted.State is ResidencyState.Resident)
            return null;
        var refused = Wish(wanted, now);
        wanted.IsOrdered |= refused is null;
        return refused;
    }

    /// <summary>
    /// The caller takes a model out of memory by itself, because an operator says so; <see cref="Unloaded"/> follows.
    /// Whoever wants it afterwards has it loaded again. One that is not resident stays as it is.
    /// </summary>
    /// <returns>Whether it was resident.</returns>
    public bool Leave(int model)
    {
        if (_models[model].State is not (ResidencyState.Resident or ResidencyState.Closing))
            return false;
        _models[model].State = ResidencyState.Unloading;
        return true;
    }

    /// <summary>
    /// What the caller sees of a resident model, which is used without asking here. To be told before
    /// <see cref="TryNext"/> whenever room may be needed.
    /// </summary>
    /// <param name="model">Which.</param>
    /// <param name="isBusy">It answers somebody, or is about to.</param>
    /// <param name="usedAt">When somebody last came to it.</param>
    public void Observed(int model, bool isBusy, Instant usedAt)
    {
        var seen = _models[model];
        seen.IsBusy = isBusy;
        seen.UsedAt = usedAt > seen.UsedAt ? usedAt : seen.UsedAt;
    }

    /// <summary>Another size of a model is known: another file took its place, or it grew.</summary>
    public void Resized(int model, long bytes)
    {
        var resized = _models[model];
        resized.Bytes = Math.Max(bytes, 1);
        if (resized.State is ResidencyState.Resident)
            Hold(resized, resized.Bytes);
    }

    /// <summary>Whether a model would fit beside those that are there or on their way.</summary>
    public bool Fits(int model) => _models[model].Bytes <= _budget - Used - _queue.Sum(m => m.Bytes);

    /// <summary>Whether room is wanted that is not there.</summary>
    public bool IsShort => _queue.Count > 0 || Used - Leaving() > _budget;

    /// <summary>A request that waited does so no longer: its deadline came, or its caller left.</summary>
    public void GaveUp(int model) => Forget(_models[model], 1);

    /// <summary>
    /// A load takes so long that it may hang: the next ones no longer wait for its end. Its bytes stay taken.
    /// </summary>
    public void Late(int model)
    {
        var late = _models[model];
        if (late.State is not ResidencyState.Loading || late.IsLate)
            return;
        late.IsLate = true;
        _loading--;
    }

    /// <summary>A load ended well. Nobody waits for it any more.</summary>
    /// <param name="model">Which.</param>
    /// <param name="bytes">What it really takes, or its estimate again when that is not known.</param>
    /// <param name="now">The present.</param>
    public void Loaded(int model, long bytes, Instant now)
    {
        var loaded = _models[model];
        loaded.LastLoad = now - loaded.Since;
        var perByte = loaded.LastLoad.Value.Ticks / (double)Math.Max(bytes, 1);
        _ticksPerByte = _ticksPerByte > 0 ? _ticksPerByte + (Weight * (perByte - _ticksPerByte)) : perByte;
        (loaded.Bytes, loaded.Failures) = (Math.Max(bytes, 1), 0);
        (loaded.LastUse, loaded.UsedAt, loaded.IsBusy) = (++_uses, now, loaded.Waiters > 0);
        Hold(loaded, loaded.Bytes);
        EndLoad(loaded, ResidencyState.Resident);
        Forget(loaded, loaded.Waiters);
        if (loaded.IsGone)
            Close(loaded, @for: -1);
    }

    /// <summary>A load failed. Nobody waits for it any more: the caller refuses them with the reason.</summary>
    public void LoadFailed(int model, Instant now)
    {
        var failed = _models[model];
        var pauseMs = options.FailureBackoffMs * (1 << Math.Min(failed.Failures, 6));
        failed.RetryAt = now + TimeSpan.FromMilliseconds(pauseMs);
        failed.Failures++;
        Hold(failed, 0);
        EndLoad(failed, ResidencyState.Absent);
        Forget(failed, failed.Waiters);
    }

    /// <summary>A model is out of memory.</summary>
    public void Unloaded(int model)
    {
        var gone = _models[model];
        Hold(gone, 0);
        (gone.State, gone.For) = (ResidencyState.Absent, -1);
        // Those who came while it was closing have waited since.
        if (gone.Waiters > 0 || gone.WantedAgain)
            Enqueue(gone);
    }

    /// <summary>
    /// The next thing to do; the caller asks until there is none, after every event and at <see cref="WakeAt"/>.
    /// </summary>
    public bool TryNext(Instant now, out ResidencyStep step)
    {
        WakeAt = Instant.Never;
        if (Used - Leaving() > _budget && LeastRecent(m => m.IsEvictable && !m.IsBusy) is { } excess)
            Close(excess, @for: -1);
        if (LeastRecent(m => m.State is ResidencyState.Closing) is { } closing)
        {
            closing.State = ResidencyState.Unloading;
            step = new(ResidencyWork.Unload, closing.Number, closing.For);
            return true;
        }

        if (_queue.Find(m => m.IsGone || IsForgotten(m, now)) is { } unwanted)
            return Refuse(unwanted, ResidencyReason.Unwanted, out step);
        if (_queue.Count > 0 && _loading < loadsMax)
            return TryLoad(_queue[0], now, out step);
        step = default;
        return false;
    }

    private static bool IsForgotten(ResidentModel queued, Instant now) =>
        queued is { Waiters: 0, IsOrdered: false } && now > queued.WantedAt + WishMemory;

    private bool Refuse(ResidentModel queued, ResidencyReason why, out ResidencyStep step)
    {
        Unqueue(queued);
        Forget(queued, queued.Waiters);
        queued.IsOrdered = false;
        step = new(ResidencyWork.Refuse, queued.Number, Why: why);
        return true;
    }

    private bool TryLoad(ResidentModel head, Instant now, out ResidencyStep step)
    {
        if (NeverFits(head))
            return Refuse(head, ResidencyReason.NeverFits, out step);
        if (head.Bytes <= _budget - Used)
        {
            Unqueue(head);
            (head.State, head.Since) = (ResidencyState.Loading, now);
            Hold(head, head.Bytes);
            _loading++;
            step = new(ResidencyWork.Load, head.Number);
            return true;
        }

        if (head.Since == Instant.Never)
            head.Since = now;
        var patient = now < head.Since + _patience;
        if (MakeRoom(head, withBusy: !patient))
            return TryNext(now, out step);
        WakeAt = patient ? head.Since + _patience : Instant.Never;
        step = default;
        return false;
    }

    /// <summary>Closes models until there is enough on its way out; true when that closed an idle one.</summary>
    private bool MakeRoom(ResidentModel head, bool withBusy)
    {
        var missing = head.Bytes - (_budget - Used) - Leaving();
        var chosen = new List<ResidentModel>();
        var evictable = _models.Where(m => m.IsEvictable && (withBusy || !m.IsBusy));
        foreach (var model in evictable.OrderBy(m => (m.UsedAt.Ticks, m.LastUse)))
        {
            if (missing <= 0)
                break;
            chosen.Add(model);
            missing -= model.Held;
        }

        // Fewer would not be enough, and unloading them would only hurt.
        if (missing > 0)
            return false;
        chosen.ForEach(m => Close(m, head.Number));
        return chosen.Count > 0;
    }

    /// <summary>Puts a model in the queue of loads; or says why not.</summary>
    private ResidencyDecision? Wish(ResidentModel wanted, Instant now)
    {
        if (wanted.IsGone)
            return new(ResidencyAnswer.Refuse, ResidencyReason.Unwanted);
        if (NeverFits(wanted))
            return new(ResidencyAnswer.Refuse, ResidencyReason.NeverFits);
        if (now < wanted.RetryAt)
            return new(ResidencyAnswer.Refuse, ResidencyReason.Failed, wanted.RetryAt - now);
        wanted.WantedAgain |= wanted.State is ResidencyState.Closing or ResidencyState.Unloading;
        if (wanted.State is ResidencyState.Absent)
            Enqueue(wanted);
        return null;
    }

    private void Enqueue(ResidentModel wanted)
    {
        (wanted.State, wanted.Since, wanted.WantedAgain) = (ResidencyState.Queued, Instant.Never, false);
        _queue.Add(wanted);
    }

    /// <summary>Larger than what pinned models leave of the budget, whoever else goes.</summary>
    private bool NeverFits(ResidentModel model)
    {
        var left = _budget;
        foreach (var other in _models)
            left -= other.Pinned && other != model && !other.IsGone ? other.Bytes : 0;
        return model.Bytes > left;
    }

    /// <summary>Until it answers: the loads under way and before it, then its own. 0 when nothing is known.</summary>
    private TimeSpan ReadyIn(ResidentModel wanted, Instant now)
    {
        if (wanted.State is ResidencyState.Loading)
            return Left(wanted, now);
        var ticks = 0L;
        if (_loading >= loadsMax)
        {
            ticks = _models.Where(m => m is { State: ResidencyState.Loading, IsLate: false })
                .Min(m => Left(m, now).Ticks);
        }

        var ahead = 0L;
        foreach (var model in _queue)
        {
            if (model == wanted)
                break;
            ahead += LoadTime(model).Ticks;
        }

        return new(ticks + (ahead / loadsMax) + LoadTime(wanted).Ticks);
    }

    private TimeSpan Left(ResidentModel model, Instant now) =>
        LoadTime(model) - (now - model.Since) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    private TimeSpan LoadTime(ResidentModel model) => model.LastLoad ?? new((long)(_ticksPerByte * model.Bytes));

    private ResidentModel? LeastRecent(Func<ResidentModel, bool> which) =>
        _models.Where(which).MinBy(m => (m.UsedAt.Ticks, m.LastUse));

    private void Wanted(ResidentModel model, Instant now) =>
        (model.WantedAt, model.UsedAt, model.LastUse) = (now, now, ++_uses);

    /// <summary>Bytes that come free without another decision.</summary>
    private long Leaving() =>
        _models.Sum(m => m.State is ResidencyState.Closing or ResidencyState.Unloading ? m.Held : 0);

    private static void Close(ResidentModel model, int @for)
    {
        if (model.State is ResidencyState.Resident)
            (model.State, model.For) = (ResidencyState.Closing, @for);
    }

    private void Hold(ResidentModel model, long bytes)
    {
        Used += bytes - model.Held;
        model.Held = bytes;
    }

    private void EndLoad(ResidentModel model, ResidencyState state)
    {
        _loading -= model.IsLate ? 0 : 1;
        (model.IsLate, model.IsOrdered) = (false, false);
        (model.State, model.Since) = (state, Instant.Never);
    }

    private void Unqueue(ResidentModel model)
    {
        _queue.Remove(model);
        (model.State, model.Since) = (ResidencyState.Absent, Instant.Never);
    }

    private void Forget(ResidentModel model, int waiters)
    {
        model.Waiters -= waiters;
        Waiters -= waiters;
    }
}
