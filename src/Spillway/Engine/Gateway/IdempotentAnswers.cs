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

    /// <summary>The longest answer that is remembered.</summary>
    public const int AnswerBytesMax = 1024 * 1024;

    /// <summary>Bytes of all answers that are remembered.</summary>
    public const long BytesMax = 64L * 1024 * 1024;

    /// <summary>How long an answer is given again: a day, as others that offer this do.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    /// <summary>Keys of one tenant that are remembered: a quarter of all.</summary>
    public const int TenantEntriesMax = EntriesMax / 4;

    /// <summary>Bytes of one tenant's answers that are remembered: a quarter of all.</summary>
    public const long TenantBytesMax = BytesMax / 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, IdempotentEntry> _entries = [];
    private readonly Dictionary<string, TenantShelf> _tenants = [];
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
    /// <param name="tenant">Who pays for it.</param>
    /// <param name="scope">Whose key it is, for which path, and the key.</param>
    /// <param name="digest">Of the body.</param>
    /// <param name="isFirst">Whether the caller is to ask.</param>
    public Outcome<IdempotentEntry> Enter(string tenant, string scope, string digest, out bool isFirst)
    {
        lock (_lock)
        {
            isFirst = false;
            Trim();
            if (_entries.TryGetValue(scope, out var known))
            {
                if (known.Digest != digest)
                    return Fault.Invalid(
                        "The Idempotency-Key came with another body before. Send the same body, or another key.");
                known.Waiting++;
                return known;
            }

            isFirst = true;
            var entry = new IdempotentEntry(tenant, scope, digest, clock.Now + Kept);
            if (!_tenants.TryGetValue(tenant, out var shelf))
                _tenants.Add(tenant, shelf = new());
            _entries.Add(scope, entry);
            _order.AddLast(entry.Place);
            shelf.Order.AddLast(entry.OwnPlace);
            Trim(shelf.Order, () => shelf.Order.Count > TenantEntriesMax);
            return entry;
        }
    }

    /// <summary>
    /// Whether an answer of that length is to be held until <see cref="Complete"/>. One that is too long to be kept is
    /// held for those who wait for it at this moment; where there are none it is forgotten at once, and who asks from
    /// now on asks anew.
    /// </summary>
    public bool Holds(IdempotentEntry entry, int length)
    {
        lock (_lock)
        {
            var holds = length <= AnswerBytesMax || entry.Waiting > 0;
            if (length > AnswerBytesMax)
                Remove(entry);
            return holds;
        }
    }

    /// <summary>The first one has its answer; null when it has none, and then the next may ask.</summary>
    public void Complete(IdempotentEntry entry, KeptAnswer? answer)
    {
        lock (_lock)
        {
            entry.IsDone = true;
            if (answer is null)
                Remove(entry);
            else if (entry.Place.List is not null)
            {
                var shelf = _tenants[entry.Tenant];
                entry.Bytes = answer.Bytes;
                _bytes += answer.Bytes;
                shelf.Bytes += answer.Bytes;
                Trim(shelf.Order, () => shelf.Bytes > TenantBytesMax);
                Trim();
            }
        }

        entry.Answer.TrySetResult(answer);
    }

    private void Trim()
    {
        while (_order.First is { Value: { IsDone: true } oldest } && oldest.Until <= clock.Now)
            Remove(oldest);
        Trim(_order, () => _entries.Count >= EntriesMax || _bytes > BytesMax);
    }

    /// <summary>The oldest go first; those who are under way stay, for somebody may wait for them.</summary>
    private void Trim(LinkedList<IdempotentEntry> order, Func<bool> isTooMuch)
    {
        for (var at = order.First; at is not null && isTooMuch();)
        {
            var entry = at.Value;
            at = at.Next;
            if (entry.IsDone)
                Remove(entry);
        }
    }

    private void Remove(IdempotentEntry entry)
    {
        if (entry.Place.List is null)
            return;
        _order.Remove(entry.Place);
        _entries.Remove(entry.Scope);
        _bytes -= entry.Bytes;
        var shelf = _tenants[entry.Tenant];
        shelf.Order.Remove(entry.OwnPlace);
        shelf.Bytes -= entry.Bytes;
        if (shelf.Order.Count == 0)
            _tenants.Remove(entry.Tenant);
    }

    /// <summary>What one tenant has of it.</summary>
    private sealed class TenantShelf
    {
        /// <summary>The oldest first.</summary>
        public LinkedList<IdempotentEntry> Order { get; } = [];

        /// <summary>Of all its answers.</summary>
        public long Bytes { get; set; }
    }
}

/// <summary>One key's answer, or the wait for it.</summary>
internal sealed class IdempotentEntry
{
    /// <summary>Nobody answered yet.</summary>
    /// <param name="tenant">Who pays for it.</param>
    /// <param name="scope">The key and whose it is.</param>
    /// <param name="digest">Of the body.</param>
    /// <param name="until">Until when it is kept.</param>
    public IdempotentEntry(string tenant, string scope, string digest, Instant until)
    {
        (Tenant, Scope, Digest, Until) = (tenant, scope, digest, until);
        (Place, OwnPlace) = (new(this), new(this));
    }

    /// <summary>Who pays for it.</summary>
    public string Tenant { get; }

    /// <summary>The key and whose it is.</summary>
    public string Scope { get; }

    /// <summary>Of the body.</summary>
    public string Digest { get; }

    /// <summary>Until when it is kept.</summary>
    public Instant Until { get; }

    /// <summary>Where it stands in the order. Guarded by the shelf's lock.</summary>
    public LinkedListNode<IdempotentEntry> Place { get; }

    /// <summary>Where it stands among its tenant's. Guarded by the shelf's lock.</summary>
    public LinkedListNode<IdempotentEntry> OwnPlace { get; }

    /// <summary>How many asked the same while it was there. Guarded by the shelf's lock.</summary>
    public int Waiting { get; set; }

    /// <summary>Whether the first one has its answer, or failed. Guarded by the shelf's lock.</summary>
    public bool IsDone { get; set; }

    /// <summary>Bytes of the answer. Guarded by the shelf's lock.</summary>
    public long Bytes { get; set; }

    /// <summary>The answer; null when there was none.</summary>
    public TaskCompletionSource<KeptAnswer?> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>An answer as it was given. Immutable.</summary>
/// <param name="Body">Its bytes on the wire.</param>
/// <param name="Headers">What its headers told of it: who answered, what rules did.</param>
internal sealed record KeptAnswer(byte[] Body, IReadOnlyList<(string Name, string Value)> Headers)
{
    /// <summary>Of a stream that was given to its end; its bytes are not kept.</summary>
    public static readonly KeptAnswer Streamed = new([], []);

    /// <summary>What it takes of the room for answers.</summary>
    public long Bytes { get; } = Body.Length + Headers.Sum(h => 2L * (h.Name.Length + h.Value.Length));
}
