using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Spillway.Policies.Rollout;
using Spillway.Store.Rollout;

namespace Spillway.Engine.Rollout;

/// <summary>
/// The rollouts of a server: gives each request its side, takes how it ended, carries out what the guards and people
/// decide, and keeps it in the state folder. What a person changes is on the disk when the command returns; what a
/// guard changes holds at once and is written in the background. Thread-safe.
/// </summary>
/// <param name="optionsOf">The declared options of a served name.</param>
/// <param name="clock">Of steps and of the history.</param>
/// <param name="logger">Told of every change.</param>
internal sealed class RolloutDesk(
    Func<string, RolloutOptions> optionsOf, Clock clock, ILogger logger) : IAsyncDisposable
{
    // Guards who may add a seat, and the order of what is written. Never taken on a request's path.
    private readonly Lock _writing = new();

    // Guards the two after it, for an instant.
    private readonly Lock _saving = new();
    private Task _saved = Task.CompletedTask;
    private bool _isDue;

    private volatile ImmutableDictionary<string, RolloutSeat> _seats =
        ImmutableDictionary.Create<string, RolloutSeat>(StringComparer.Ordinal);

    private Func<Outcome<string>> _folder = static () => new Fault(FaultKind.StoreFailed, "There is no state folder.");

    /// <summary>Every rollout.</summary>
    public IReadOnlyList<RolloutView> All =>
        [.. _seats.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value.Look())];

    /// <summary>
    /// Takes over what an earlier process left. A fault when that cannot be read: then nobody knows which version is
    /// the champion.
    /// </summary>
    /// <param name="folder">The state folder's path; it need not exist.</param>
    /// <param name="take">Takes the folder for this process when something is to be kept; its path, or why not.</param>
    public Fault? Open(string folder, Func<Outcome<string>> take)
    {
        _folder = take;
        var file = Path.Combine(folder, RolloutFile.FileName);
        if (!RolloutFile.Read(file).TryGet(out var rows, out var fault))
            return fault;
        var seats = _seats.ToBuilder();
        foreach (var row in rows)
        {
            if (RolloutRows.Read(row) is not var (state, history))
                return RolloutFile.Damaged(file, $"the phase or history of '{row.Name}' is of a newer Spillway");
            var options = optionsOf(row.Name);
            seats[row.Name] = new(options, new(options, state, clock.Now), history);
        }

        _seats = seats.ToImmutable();
        return null;
    }

    /// <summary>One rollout as a person looks at it; null when the name never had one.</summary>
    public RolloutView? Find(string name) => _seats.GetValueOrDefault(name)?.Look();

    /// <summary>What one rollout has come to; null when the name never had one. Allocates nothing.</summary>
    public RolloutState? StateOf(string name) => _seats.GetValueOrDefault(name)?.State;

    /// <summary>
    /// Where a request goes; null when the name has no rollout and never had one: then the declared version answers.
    /// Allocates nothing.
    /// </summary>
    /// <param name="name">The served name.</param>
    /// <param name="key">Whose side is kept: the caller's key, or its session.</param>
    /// <param name="request">A number of this request, for the copies.</param>
    public RolloutRoute? Decide(string name, ReadOnlySpan<char> key, ulong request) =>
        _seats.GetValueOrDefault(name)?.Decide(key, request);

    /// <summary>A request ended, and not by a fault of its caller.</summary>
    public void Observe(in RolloutRoute route, bool succeeded, TimeSpan latency, Money cost = default) =>
        Applied(route.Seat.Observe(
            new(route.Decision.Side, succeeded, latency, cost), clock.Now, clock.Time.GetUtcNow()));

    /// <summary>A copy was compared with the champion's answer; one that failed agrees with none.</summary>
    public void Observe(in RolloutRoute route, bool agrees) =>
        Applied(route.Seat.Observe(agrees, clock.Time.GetUtcNow()));

    /// <summary>Begins a rollout.</summary>
    /// <param name="name">The served name.</param>
    /// <param name="declared">The version that answers when no rollout ever decided otherwise.</param>
    /// <param name="challenger">The version that is to take over.</param>
    /// <param name="who">Who begins it.</param>
    /// <param name="why">In words.</param>
    public Outcome<RolloutDone> Start(string name, string declared, string challenger, string who, string why)
    {
        lock (_writing)
        {
            var before = _seats.GetValueOrDefault(name)?.Kept;
            if (before is { State.IsOpen: true } running)
            {
                return Fault.Invalid($"{name} has a rollout of version {running.State.Challenger} under way. Promote "
                    + "or abort it first.");
            }

            var options = optionsOf(name);
            if (RolloutPolicy.Check(options) is { } wrong)
                return Fault.Invalid($"The rollout of {name} cannot begin: {wrong}");
            var at = clock.Time.GetUtcNow();
            var salt = string.Create(CultureInfo.InvariantCulture, $"{name} {challenger} {at.UtcTicks}");
            var champion = before?.State is { } past && past.Concerns(declared) ? past.Champion : declared;
            if (!RolloutPolicy.Begin(name, champion, challenger, salt).TryGet(out var state, out var fault))
            {
                return fault;
            }

            var seat = new RolloutSeat(options, new(options, state, clock.Now), before?.History ?? []);
            var change = seat.Begun(who, why, at);
            _seats = _seats.SetItem(name, seat);
            return Done(change);
        }
    }

    /// <summary>The challenger becomes the champion.</summary>
    public Outcome<RolloutDone> Promote(string name, string who, string why) =>
        Change(name, static (policy, who, why) => policy.Promote(who, why), who, why);

    /// <summary>The champion gets everything again.</summary>
    public Outcome<RolloutDone> Abort(string name, string who, string why) =>
        Change(name, static (policy, who, why) => policy.Abort(who, why), who, why);

    /// <summary>The champion of before is it again.</summary>
    public Outcome<RolloutDone> Rollback(string name, string who, string why) =>
        Change(name, static (policy, who, why) => policy.Rollback(who, why), who, why);

    /// <summary>Everything until now is on the disk, as far as it can be.</summary>
    public Task FlushAsync()
    {
        lock (_saving)
            return _saved;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await FlushAsync();

    private Outcome<RolloutDone> Change(
        string name, Func<RolloutPolicy, string, string, Outcome<RolloutChange>> change, string who, string why)
    {
        lock (_writing)
        {
            if (!_seats.TryGetValue(name, out var seat))
                return Fault.Invalid($"{name} has no rollout. Start one.");
            return seat.Change(change, who, why, clock.Time.GetUtcNow()).TryGet(out var changed, out var fault)
                ? Done(changed) : fault;
        }
    }

    /// <summary>Under the lock of writing: told, and on the disk.</summary>
    private RolloutDone Done(RolloutChange change)
    {
        Tell(change);
        return new(change, Save());
    }

    /// <summary>On the path of a request, outside every lock: told, and written soon.</summary>
    private void Applied(RolloutChange? change)
    {
        if (change is null)
            return;
        Tell(change);
        lock (_saving)
        {
            // One that is due writes this too.
            if (_isDue)
                return;
            _isDue = true;
            _saved = _saved.ContinueWith(
                _ => SaveDue(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    private void SaveDue()
    {
        lock (_saving)
            _isDue = false;
        lock (_writing)
            Save();
    }

    private Fault? Save()
    {
        RolloutRow[] rows = [.. _seats
            .OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => RolloutRows.Write(s.Value.Kept))];
        if (_folder().TryGet(out var folder, out var fault))
            fault = RolloutFile.Write(Path.Combine(folder, RolloutFile.FileName), rows);
        if (fault is not null)
            RolloutLog.NotKept(logger, fault.Message);
        return fault;
    }

    private void Tell(RolloutChange change)
    {
        var (name, words, state) = (change.State.Name, RolloutRows.Word(change.What), change.State);
        if (change.What is RolloutEvent.Aborted or RolloutEvent.RolledBack)
            RolloutLog.Stopped(logger, name, words, change.Who, state.Champion, state.Challenger, change.Why);
        else
            RolloutLog.Changed(logger, name, words, change.Who, state.Champion, state.Challenger, change.Why);
    }
}
