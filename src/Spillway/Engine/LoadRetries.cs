using Spillway.Config.Repository;

namespace Spillway.Engine;

/// <summary>
/// Versions of the repository whose load failed, to be tried again at later looks at the folder: what failed for want
/// of memory, or because a file was still being copied, mends itself. Thread-safe.
/// </summary>
internal sealed class LoadRetries(RepositoryOptions options)
{
    /// <summary>The pause doubles up to this; a file that stays broken costs a load in ten minutes.</summary>
    private static readonly TimeSpan s_most = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Model, int Version), Failure> _failed = [];

    /// <summary>A load ended; null for well.</summary>
    public void Ended(RepositoryChange change, Fault? fault, Instant now)
    {
        lock (_lock)
        {
            var key = (change.Model, change.Version);
            if (fault is null)
            {
                _failed.Remove(key);
                return;
            }

            var pause = _failed.TryGetValue(key, out var before)
                ? before.Pause * 2 : TimeSpan.FromMilliseconds(options.PollMs);
            pause = pause < s_most ? pause : s_most;
            _failed[key] = new(change, pause, now + pause);
        }
    }

    /// <summary>Whether a version is fine, and another one of its model failed.</summary>
    public bool IsFallback(RepositoryChange change)
    {
        lock (_lock)
        {
            return !_failed.ContainsKey((change.Model, change.Version))
                && _failed.Keys.Any(k => k.Model == change.Model);
        }
    }

    /// <summary>Those whose pause is over. What is not served any more is forgotten.</summary>
    public List<RepositoryChange> Due(Instant now, Func<RepositoryChange, bool> isServed)
    {
        lock (_lock)
        {
            foreach (var (key, failure) in _failed)
            {
                if (!isServed(failure.Change))
                    _failed.Remove(key);
            }

            return [.. _failed.Values.Where(f => f.At <= now).Select(f => f.Change)];
        }
    }

    private sealed record Failure(RepositoryChange Change, TimeSpan Pause, Instant At);
}
