using Spillway.Config;
using Spillway.Policies.Residency;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// Which models are in memory, live: interprets the <see cref="ResidencyPolicy"/> of each device with loads, unloads
/// and a timer. Only models that are away are asked for here; those in memory answer without it, and are looked at when
/// room is wanted. Thread-safe; one short lock.
/// </summary>
/// <remarks>
/// This file is long because every step over the lock stands in it, and half of it are the words of refusals.
/// </remarks>
internal sealed class Residency : IDisposable
{
    /// <summary>
    /// How long a model that somebody waited for counts as busy after its load, unless they have come: the way from
    /// here back to its door.
    /// </summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(100);

    private readonly ResidencyOptions _options;
    private readonly IReadOnlyDictionary<string, IRuntime> _runtimes;
    private readonly Clock _clock;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Room> _rooms = new(StringComparer.Ordinal);
    private readonly Dictionary<ModelRef, Place> _places = [];
    private readonly ITimer _timer;
    private Instant _armedAt = Instant.Never;

    public Residency(ResidencyOptions options, IReadOnlyDictionary<string, IRuntime> runtimes, Clock clock)
    {
        (_options, _runtimes, _clock) = (options, runtimes, clock);
        _timer = clock.Time.CreateTimer(
            static self => ((Residency)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Loads a model; null when it answers, else why not. Calls the action when it takes so long that the next loads
    /// begin beside it. Never throws.
    /// </summary>
    public required Func<ModelOptions, Action, Task<Fault?>> Load { get; init; }

    /// <summary>A model as it is declared now; as it was, when it is not any more.</summary>
    public required Func<ModelOptions, ModelOptions> Declared { get; init; }

    /// <summary>Takes a model out of memory; completes when it is gone. Never throws.</summary>
    public required Func<ModelOptions, Task> Unload { get; init; }

    /// <summary>What can be seen of a resident model.</summary>
    public required Func<ModelRef, Sight> Look { get; init; }

    /// <summary>The budget of each limited device and what its models take, for metrics.</summary>
    public IEnumerable<(string Device, long Budget, Func<double> Used)> Budgets =>
        _options.MemoryBytesMax.Select(b => (b.Key, b.Value, (Func<double>)(() => UsedOf(b.Key))));

    /// <summary>Whether the device of a model has a budget.</summary>
    public bool IsLimited(ModelOptions options) => _options.MemoryBytesMax.ContainsKey(Estimate(options).Device);

    /// <summary>Whether a model would fit without anybody leaving.</summary>
    public bool Fits(ModelOptions options)
    {
        lock (_lock)
            return PlaceOf(options) is var place && place.Room.Policy.Fits(place.Number);
    }

    /// <summary>Whether a model was in memory before, so that a failure to load it again may pass.</summary>
    public bool WasLoaded(ModelRef model)
    {
        lock (_lock)
            return _places.TryGetValue(model, out var place) && place.WasLoaded;
    }

    /// <summary>Loads a model that is away, making room for it; null when it answers, else why it does not.</summary>
    public Task<Fault?> LoadAsync(ModelOptions options)
    {
        Task<Fault?> done;
        lock (_lock)
        {
            var place = PlaceOf(options);
            place.Options = options;
            if (place.Room.Policy.Preload(place.Number, _clock.Now) is { } refused)
                return Task.FromResult<Fault?>(Refused(place, refused));
            if (place.Room.Policy.StateOf(place.Number) is ResidencyState.Resident)
                return Task.FromResult<Fault?>(null);
            done = place.Done().Task;
        }

        Pump();
        return done;
    }

    /// <summary>
    /// A request wants a model that is away: waits until it is there. Null, or why it does not come. Throws when the
    /// caller left or its patience ended.
    /// </summary>
    public async Task<Fault?> WantAsync(ModelOptions options, TimeSpan patience, CancellationToken aborted)
    {
        Place place;
        TaskCompletionSource<Fault?> done;
        lock (_lock)
        {
            place = PlaceOf(options);
            place.Options = options;
            var now = _clock.Now;
            var decision = place.Room.Policy.Want(place.Number, now, now + patience);
            if (decision.Answer is ResidencyAnswer.Go)
                return null;
            done = place.Done();
            if (decision.Answer is ResidencyAnswer.Refuse)
                return PumpedLater(Refused(place, decision));
        }

        Pump();
        try
        {
            return await done.Task.WaitAsync(patience, _clock.Time, aborted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            lock (_lock)
            {
                // Else the load ended at this moment, and nobody is waiting for it any more.
                if (place.IsAwaited(done))
                    place.Room.Policy.GaveUp(place.Number);
            }

            throw;
        }
    }

    /// <summary>
    /// Somebody else takes a model out of memory, now; <see cref="Left"/> follows. Whether it counted as resident.
    /// </summary>
    public bool Leave(ModelRef model)
    {
        lock (_lock)
            return _places.TryGetValue(model, out var place) && place.Room.Policy.Leave(place.Number);
    }

    /// <summary>What <see cref="Leave"/> announced has happened.</summary>
    public void Left(ModelRef model)
    {
        lock (_lock)
        {
            if (_places.TryGetValue(model, out var place))
                place.Room.Policy.Unloaded(place.Number);
        }

        Pump();
    }

    /// <summary>A model was loaded in place of the one of the same name and version: its size now.</summary>
    public void Resized(ModelRef model, long? bytes)
    {
        if (bytes is not { } size)
            return;
        lock (_lock)
        {
            if (_places.TryGetValue(model, out var place))
                place.Room.Policy.Resized(place.Number, size);
        }

        Pump();
    }

    /// <summary>A model is known no more.</summary>
    public void Forget(ModelRef model)
    {
        lock (_lock)
        {
            if (_places.Remove(model, out var place))
                place.Room.Policy.Remove(place.Number);
        }

        // Who waits for it is told.
        Pump();
    }

    public void Dispose() => _timer.Dispose();

    private static ModelRef Key(ModelOptions options) =>
        new(options.Name, options.Version.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private ModelFootprint Estimate(ModelOptions options) =>
        _runtimes[options.Runtime].Estimate(new(options.Name, options.File, options.RuntimeOptions!));

    private double UsedOf(string device)
    {
        lock (_lock)
            return _rooms.TryGetValue(device, out var room) ? room.Policy.Used : 0;
    }

    /// <summary>Under the lock.</summary>
    private Place PlaceOf(ModelOptions options)
    {
        if (_places.TryGetValue(Key(options), out var known))
            return known;
        var (device, bytes) = Estimate(options);
        if (!_rooms.TryGetValue(device, out var room))
        {
            var budget = _options.MemoryBytesMax.GetValueOrDefault(device);
            _rooms[device] = room = new(device, budget, new(_options, budget));
        }

        var place = new Place(room, room.Policy.Add(bytes, options.Pinned), options);
        room.Places[place.Number] = place;
        return _places[Key(options)] = place;
    }

    /// <summary>A refusal may have begun a load all the same, for those who come again.</summary>
    private Fault PumpedLater(Fault fault)
    {
        ThreadPool.UnsafeQueueUserWorkItem(static self => self.Pump(), this, preferLocal: false);
        return fault;
    }

    private void OnTimer()
    {
        // A timer that comes early is set again for the same instant.
        lock (_lock)
            _armedAt = Instant.Never;
        Pump();
    }

    /// <summary>Carries out what the policies say until they say nothing.</summary>
    private void Pump()
    {
        while (Next(out var place, out var step))
        {
            // Each tells the policy of its end by itself, and none throws.
            _ = CarryOutAsync(place, step);
        }
    }

    private Task CarryOutAsync(Place place, in ResidencyStep step)
    {
        switch (step.Work)
        {
            case ResidencyWork.Load:
                return LoadingAsync(place);
            case ResidencyWork.Unload:
                return UnloadingAsync(place);
            case ResidencyWork.Refuse:
                End(place, Refused(place, new(ResidencyAnswer.Refuse, step.Why)));
                break;
        }

        return Task.CompletedTask;
    }

    private bool Next(out Place place, out ResidencyStep step)
    {
        var sights = Sights();
        lock (_lock)
        {
            foreach (var (seen, sight) in sights)
                seen.Room.Policy.Observed(seen.Number, IsBusy(seen, sight), sight.UsedAt);
            var wake = Instant.Never;
            foreach (var room in _rooms.Values)
            {
                if (room.Policy.TryNext(_clock.Now, out step))
                {
                    place = room.Places[step.Model];
                    return true;
                }

                wake = Instant.Earlier(wake, room.Policy.WakeAt);
            }

            if (wake != _armedAt)
            {
                _timer.Change(
                    wake == Instant.Never ? Timeout.InfiniteTimeSpan : _clock.Until(wake), Timeout.InfiniteTimeSpan);
            }

            (_armedAt, place, step) = (wake, null!, default);
            return false;
        }
    }

    /// <summary>Of the models of those devices that want room. Looked at outside the lock.</summary>
    private List<(Place Place, Sight Sight)> Sights()
    {
        List<Place> resident;
        lock (_lock)
        {
            resident = [.. _rooms.Values.Where(r => r.Policy.IsShort).SelectMany(r => r.Places.Values)
                .Where(p => p.Room.Policy.StateOf(p.Number) is ResidencyState.Resident)];
        }

        return [.. resident.Select(p => (p, Look(Key(p.Options))))];
    }

    private bool IsBusy(Place place, in Sight sight) => sight.IsBusy
        || (place.WasAwaited && sight.UsedAt < place.LoadedAt && _clock.Now < place.LoadedAt + s_grace);

    private async Task LoadingAsync(Place place)
    {
        ModelOptions options;
        Fault? fault;
        do
        {
            options = Now(place);
            fault = await Load(options, () => Late(place)).ConfigureAwait(false);
        }
        while (fault is not null && !ReferenceEquals(Now(place), options));

        var bytes = Look(Key(place.Options)).Bytes;
        lock (_lock)
        {
            var (policy, now) = (place.Room.Policy, _clock.Now);
            (place.WasAwaited, place.LoadedAt, place.LastFault) = (policy.Waiters > 0, now, fault);
            place.WasLoaded |= fault is null;
            if (fault is null)
                policy.Loaded(place.Number, bytes ?? policy.BytesOf(place.Number), now);
            else
                policy.LoadFailed(place.Number, now);
        }

        End(place, fault);
        Pump();
    }

    /// <summary>What to load: another declaration may have taken the place of the one that was wanted.</summary>
    private ModelOptions Now(Place place)
    {
        bool isKnown;
        lock (_lock)
            isKnown = ReferenceEquals(_places.GetValueOrDefault(Key(place.Options)), place);
        return isKnown ? Declared(place.Options) : place.Options;
    }

    private void Late(Place place)
    {
        lock (_lock)
            place.Room.Policy.Late(place.Number);
        Pump();
    }

    private async Task UnloadingAsync(Place place)
    {
        await Unload(place.Options).ConfigureAwait(false);
        lock (_lock)
            place.Room.Policy.Unloaded(place.Number);
        Pump();
    }

    private void End(Place place, Fault? fault)
    {
        TaskCompletionSource<Fault?>? done;
        lock (_lock)
            done = place.TakeDone();
        done?.SetResult(fault);
    }

    private static Fault Refused(Place place, in ResidencyDecision decision) => decision.Reason switch
    {
        ResidencyReason.NeverFits => NeverFits(place),
        ResidencyReason.TooManyWait => new(FaultKind.ModelNotReady,
            $"Model {place.Options.Name} is not in memory, and as many requests as may wait for loads on "
            + $"{place.Room.Device} (residency.loadWaitersMax). Retry later.", Later(decision)),
        ResidencyReason.TooLate => new(FaultKind.ModelNotReady,
            $"Model {place.Options.Name} is not in memory and is predicted to be there in "
            + $"{decision.ReadyIn.TotalMilliseconds:0} ms, after the deadline; it is being loaded. Retry then, or "
            + "allow more time (parameter timeout).", Later(decision)),
        ResidencyReason.Failed => new(FaultKind.ModelNotReady,
            $"Model {place.Options.Name} is not in memory, and its last load failed: {place.LastFault?.Message} The "
            + $"next attempt is in {decision.ReadyIn.TotalMilliseconds:0} ms.", Later(decision)),
        ResidencyReason.Unwanted => new(FaultKind.ModelNotReady,
            $"Model {place.Options.Name} is not loaded: it is no longer served, or it was wanted so long ago that "
            + "nobody waited for it any more. Ask again if it is still listed.", Later(decision)),
        ResidencyReason.Resident or ResidencyReason.Loading =>
            throw new InvalidOperationException($"{decision.Reason} is no refusal."),
    };

    private static TimeSpan Later(in ResidencyDecision decision) =>
        decision.ReadyIn > TimeSpan.Zero ? decision.ReadyIn : TimeSpan.FromMilliseconds(100);

    private static Fault NeverFits(Place place) => new(
        FaultKind.ModelNotReady,
        $"Model {place.Options.Name} takes about {place.Room.Policy.BytesOf(place.Number):N0} bytes; models may take "
        + $"{place.Room.Budget:N0} on {place.Room.Device}, and pinned ones stay. Raise residency.memoryBytesMax, or "
        + "pin fewer models.");

    private sealed record Room(string Device, long Budget, ResidencyPolicy Policy)
    {
        public Dictionary<int, Place> Places { get; } = [];
    }

    private sealed class Place(Room room, int number, ModelOptions options)
    {
        private TaskCompletionSource<Fault?>? _done;

        public Room Room => room;

        public int Number => number;

        public ModelOptions Options { get; set; } = options;

        public bool WasLoaded { get; set; }

        public bool WasAwaited { get; set; }

        public Instant LoadedAt { get; set; }

        public Fault? LastFault { get; set; }

        /// <summary>Completes with the end of the load that is wanted now.</summary>
        public TaskCompletionSource<Fault?> Done() =>
            _done ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsAwaited(TaskCompletionSource<Fault?> done) => ReferenceEquals(_done, done);

        public TaskCompletionSource<Fault?>? TakeDone()
        {
            var done = _done;
            _done = null;
            return done;
        }
    }
}

/// <summary>What can be seen of a model in memory.</summary>
/// <param name="IsBusy">It answers somebody.</param>
/// <param name="UsedAt">When somebody last came to it.</param>
/// <param name="Bytes">What it takes; null when nobody can tell.</param>
internal readonly record struct Sight(bool IsBusy, Instant UsedAt, long? Bytes);
