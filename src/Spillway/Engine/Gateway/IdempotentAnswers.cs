namespace Spillway.Engine.Gateway;

/// <summary>
/// Answers that are given again to who asks the same under the same Idempotency-Key: a client that lost its connection
/// asks once more and pays once. Who asks while the first is under way waits for it. Answers that stream are not kept.
/// Bounded in number, bytes and time; the oldest go first. Thread-safe.
/// </summary>
/// <param name="clock">The clock.</param>
internal sealed class IdempotentAnswers(Clock clock)
{
    /// <summary>Keys that are remembered.</summary>
    public const int EntriesMax = 10_000;

    /// <summary>Bytes of all answers that are remembered.</summary>
    public const long BytesMax = 64L * 1024 * 1024;

    /// <summary>How long an answer is given again: a day, as others that offer this do.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, IdempotentEntry> _entries = [];
    private readonly LinkedList<IdempotentEntry> _order = [];
    private long _bytes;

    /// <summary>Keys that are remembered now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _entries.Count;
        }
    }

    /// <summary>
    /// The entry of a key; <paramref name="isFirst"/> when nobody asked under it before, and then it must be completed.
    /// A fault when the key stands for another body.
    /// </summary>
    /// <param name="scope">Whose key it is, for which path, and the key.</param>
    /// <param name="digest">Of the body.</param>
    /// <param name="isFirst">Whether the caller is to ask.</param>
    public Outcome<IdempotentEntry> Enter(string scope, string digest, out bool isFirst)
    {
        lock (_lock)
        {
            isFirst = false;
            Trim();
            if (_entries.TryGetValue(scope, out var known))
            {
                return known.Digest == digest ? known : Fault.Invalid(
                    "The Idempotency-Key came with another body before. Send the same body, or another key.");
            }

            isFirst = true;
            var entry = new IdempotentEntry(scope, digest, clock.Now + Kept);
            _entries.Add(scope, entry);
            _order.AddLast(entry.Place);
            return entry;
        }
    }

    /// <summary>The first one has its answer; null when it has none, and then the next may ask.</summary>
    public void Complete(IdempotentEntry entry, byte[]? answer)
    {
        lock (_lock)
        {
            if (answer is null)
                Remove(entry);
            else if (entry.Place.List is not null)
            {
                entry.Bytes = answer.Length;
                _bytes += answer.Length;
                Trim();
            }
        }

        entry.Answer.TrySetResult(answer);
    }

    private void Trim()
    {
        while (_order.First is { Value: var oldest }
            && (_entries.Count >= EntriesMax || _bytes > BytesMax || oldest.Until <= clock.Now))
            Remove(oldest);
    }

    private void Remove(IdempotentEntry entry)
    {
        if (entry.Place.List is null)
            return;
        _order.Remove(entry.Place);
        _entries.Remove(entry.Scope);
        _bytes -= entry.Bytes;
    }
}

/// <summary>One key's answer, or the wait for it.</summary>
internal sealed class IdempotentEntry
{
    /// <summary>Nobody answered yet.</summary>
    /// <param name="scope">The key and whose it is.</param>
    /// <param name="digest">Of the body.</param>
    /// <param name="until">Until when it is kept.</param>
    public IdempotentEntry(string scope, string digest, Instant until)
    {
        (Scope, Digest, Until) = (scope, digest, until);
        Place = new(this);
    }

    /// <summary>The key and whose it is.</summary>
    public string Scope { get; }

    /// <summary>Of the body.</summary>
    public string Digest { get; }

    /// <summary>Until when it is kept.</summary>
    public Instant Until { get; }

    /// <summary>Where it stands in the order. Guarded by the shelf's lock.</summary>
    public LinkedListNode<IdempotentEntry> Place { get; }

    /// <summary>Bytes of the answer. Guarded by the shelf's lock.</summary>
    public long Bytes { get; set; }

    /// <summary>The answer's body; null when there was none.</summary>
    public TaskCompletionSource<byte[]?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
