using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Simulation;

/// <summary>
/// Where each request inside is: with a model, or on its way between two; and whose turn it is to go. Thread-safe.
/// </summary>
internal sealed class RouteWhereabouts
{
    private static readonly AsyncLocal<string?> s_mine = new();

    private readonly Lock _lock = new();
    private readonly Dictionary<string, string?> _with = [];
    private readonly LinkedList<string> _toGo = new();
    private readonly Dictionary<string, TaskCompletionSource> _held = [];

    /// <summary>The request that the present flow of control is about; null for none.</summary>
    public static string? Mine
    {
        get => s_mine.Value;
        set => s_mine.Value = value;
    }

    /// <summary>Nobody is on the way but those that are not to go yet.</summary>
    public bool IsAtRest
    {
        get
        {
            lock (_lock)
                return _with.Values.Count(model => model is null) == _toGo.Count;
        }
    }

    /// <summary>It is to go on when its turn has come.</summary>
    /// <param name="id">Which.</param>
    /// <param name="from">Only if it is there; null from anywhere.</param>
    public void Moves(string id, string? from = null)
    {
        lock (_lock)
        {
            if (from is not null && !(_with.TryGetValue(id, out var at) && at == from))
                return;
            _with[id] = null;
            _toGo.AddLast(id);
            _held[id] = new();
        }
    }

    /// <summary>The first that is to go goes; false when nobody is.</summary>
    public bool LetNextGo()
    {
        lock (_lock)
        {
            if (_toGo.First is not { Value: var id })
                return false;
            _toGo.RemoveFirst();
            if (_held.Remove(id, out var held))
                held.SetResult();
            return true;
        }
    }

    /// <summary>Holds a request that is not to go yet.</summary>
    public void Hold()
    {
        // The thread of a runner was made by some request, and is nobody's.
        if (Mine is not { } id || Thread.CurrentThread.Name?.StartsWith("spillway ", StringComparison.Ordinal) is true)
            return;
        TaskCompletionSource? held;
        lock (_lock)
            _held.TryGetValue(id, out held);
        held?.Task.Wait(TestServer.Patience);
    }

    /// <summary>It waits at a model.</summary>
    public void Waits(string id, string model)
    {
        lock (_lock)
            _with[id] = model;
    }

    /// <summary>It is over; one that was answered does nothing more, and may not even look at the clock.</summary>
    public void Leaves(string id)
    {
        lock (_lock)
        {
            _with.Remove(id);
            _toGo.Remove(id);
            _held.Remove(id);
        }
    }

    public override string ToString()
    {
        lock (_lock)
            return $"{string.Join(", ", _with.Select(w => $"{w.Key} at {w.Value ?? "nobody"}"))}, {_toGo.Count} to go";
    }
}

/// <summary>A clock at which requests are held that are not to go yet.</summary>
/// <param name="time">The clock.</param>
/// <param name="inside">Says who is.</param>
internal sealed class TurnTimeProvider(ManualTimeProvider time, RouteWhereabouts inside) : TimeProvider
{
    /// <inheritdoc/>
    public override long TimestampFrequency => time.TimestampFrequency;

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        inside.Hold();
        return time.GetTimestamp();
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => time.GetUtcNow();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        time.CreateTimer(callback, state, dueTime, period);
}
