using Microsoft.Extensions.Logging;
using Spillway.Policies.Identity;
using Spillway.Store.Keys;

namespace Spillway.Engine.Access;

/// <summary>
/// The keys of a server: who the holder of a text is, and what changes them. Readers take an immutable set; changes
/// happen under a lock, on the disk first. A known text costs a keyed hash and a look-up; an unknown one costs one HMAC
/// whether its id exists or not, and leaves nothing behind. Thread-safe.
/// This file is long because every way to find and to change a key stands in it, over one lock.
/// </summary>
internal sealed class KeyRing : IAsyncDisposable
{
    /// <summary>How often uses are written to the store.</summary>
    private static readonly TimeSpan s_writing = TimeSpan.FromSeconds(30);

    private static readonly Fault s_mistyped = new(
        FaultKind.Unauthenticated,
        "The key is mistyped or cut off: its form or its checksum is wrong. Copy it again, whole.");

    private static readonly Fault s_unknown = new(
        FaultKind.Unauthenticated, "No such key is known to this server. Ask its operator for one.");

    private static readonly Fault s_noTenant = new(
        FaultKind.Unauthenticated,
        "The key's tenant is no more among those of this server (tenants). Ask its operator.");

    private readonly Lock _changing = new();
    private readonly KeyStore _store;
    private readonly byte[] _pepper;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AccessCounts _counts;
    private readonly IReadOnlyCollection<string> _tenants;
    private readonly SipHash _tags = SipHash.Random();

    // Revoked keys of which the store does not know that; under the lock.
    private readonly HashSet<string> _unsaved = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private volatile KeySet _keys = new([]);
    private Task _writing = Task.CompletedTask;
    private bool _disposed;

    private KeyRing(KeyStore store, KeyRingParts parts) =>
        (_store, _pepper, _time, _logger, _counts, _tenants, Check) =
        (store, parts.Pepper, parts.Time, parts.Logger, parts.Counts, parts.Tenants, new(parts.Pepper));

    /// <summary>Reads the keys of a store, which it owns from then on.</summary>
    public static Outcome<KeyRing> Open(string file, KeyRingParts parts)
    {
        if (!KeyStore.Open(file, KeyDigest.ProofOf(parts.Pepper)).TryGet(out var store, out var fault))
            return fault;
        if (!store.List().TryGet(out var keys, out fault))
        {
            store.Dispose();
            return fault;
        }

        return new KeyRing(store, parts) { _keys = new(keys.Select(k => new LiveKey(k, before: null))) };
    }

    /// <summary>Holds texts against digests.</summary>
    internal KeyCheck Check { get; }

    /// <summary>Every key, oldest first.</summary>
    public IReadOnlyList<AccessKey> List() =>
        [.. _keys.All.Select(Look).OrderBy(k => k.Created).ThenBy(k => k.Id, StringComparer.Ordinal)];

    /// <summary>How many keys there are in each state now.</summary>
    public (int Live, int Expired, int Revoked) Count()
    {
        var (now, live, expired, revoked) = (_time.GetUtcNow(), 0, 0, 0);
        foreach (var key in _keys.All)
        {
            if (key.Stored.Key.Revoked is not null)
                revoked++;
            else if (key.Stored.Key.Expires <= now)
                expired++;
            else
                live++;
        }

        return (live, expired, revoked);
    }

    /// <summary>Who holds a key. Allocates nothing when it is known.</summary>
    /// <param name="text">The key as presented.</param>
    /// <param name="why">The reason of a refusal, for the counter.</param>
    public Outcome<Caller> Identify(ReadOnlySpan<char> text, out Refusal why)
    {
        why = Refusal.Malformed;
        if (text.Length > KeyText.LengthMax)
            return s_mistyped;
        var keys = _keys;
        var tag = _tags.Of(text);
        var now = _time.GetUtcNow();
        if (!keys.Known.TryGetValue(tag, out var known) || now.UtcTicks >= known.UntilTicks)
            return Verify(keys, text, tag, now, out why);
        known.Key.Touch(now.UtcTicks);
        return known.Key.Caller;
    }

    /// <summary>Makes a key.</summary>
    public Outcome<IssuedKey> Create(KeyOrder order)
    {
        if (order.Check(_tenants) is { } wrong)
            return wrong;
        lock (_changing)
        {
            if (_keys.All.Count >= AccessOptions.KeysMax)
            {
                return new Fault(FaultKind.StoreFailed, $"This server has {_keys.All.Count:N0} keys and takes no more, "
                    + "revoked ones included. Move the database of keys away, and make those that are used anew.");
            }

            var id = KeyText.NewId();
            while (_keys.Find(id) is not null)
                id = KeyText.NewId();
            var now = Now();
            var key = new AccessKey
            {
                Id = id,
                Environment = order.Environment,
                Tenant = order.Tenant,
                Name = order.Name,
                Roles = order.Roles,
                Models = order.Models is null ? null : [.. order.Models.Distinct(StringComparer.Ordinal)],
                Detail = order.Detail == AnswerDetail.Full ? AnswerDetail.Full : order.Detail,
                Criticality = order.Criticality,
                Created = now,
                Expires = order.Lifetime is { } lifetime ? now + lifetime : null,
            };
            var text = KeyText.Create(key.Environment, id);
            return Put(new(key, KeyDigest.Of(_pepper, text), Previous: null)) is { } fault
                ? fault
                : new IssuedKey(text, key);
        }
    }

    /// <summary>Gives a key another secret; the one before works on for a while.</summary>
    /// <param name="id">Which.</param>
    /// <param name="grace">How long both work; zero drops the former at once. An earlier former one ends now.</param>
    public Outcome<IssuedKey> Rotate(string id, TimeSpan grace)
    {
        lock (_changing)
        {
            if (!Find(id).TryGet(out var live, out var unknown))
                return unknown;
            var (now, old) = (Now(), live.Stored);
            if (KeyRules.Judge(old.Key, isPrevious: false, now, out _) is { } over)
                return Fault.Invalid(over.Message + " A new key takes its place: create one.");
            var text = KeyText.Create(old.Key.Environment, id);
            var key = Look(live) with
            {
                Rotated = now, PreviousUntil = grace > TimeSpan.Zero ? now + grace : null,
            };
            var fault = Put(new(key, KeyDigest.Of(_pepper, text), grace > TimeSpan.Zero ? old.Digest : null));
            return fault is null ? new IssuedKey(text, key) : fault;
        }
    }

    /// <summary>Refuses a key from now on, for good; the next request that brings it is refused.</summary>
    public Outcome<AccessKey> Revoke(string id)
    {
        lock (_changing)
        {
            if (!Find(id).TryGet(out var live, out var unknown))
                return unknown;
            var key = Look(live);
            if (key.Revoked is not null && !_unsaved.Contains(id))
                return key;
            key = key with { Revoked = key.Revoked ?? Now() };
            var revoked = live.Stored with { Key = key };
            if (Put(revoked) is not { } fault)
                return key;
            // Taking rights away waits for no disk.
            if (_disposed)
                return fault;
            Swap(revoked);
            _unsaved.Add(id);
            AccessLog.RevocationNotWritten(_logger, id, fault.Message);
            return fault with
            {
                Message = $"The key {id} is refused by this process from now on, but that holds until a restart only: "
                    + $"it could not be written down ({fault.Message}). It is tried again every half a minute; mend "
                    + "the disk, and revoke it again to see that it is kept.",
            };
        }
    }

    /// <summary>Tells the log of a change.</summary>
    public void Log(AccessKey key, string what, string by) =>
        AccessLog.KeyChanged(_logger, key.Id, key.Tenant, what, by);

    /// <summary>Begins to write uses to the store now and then.</summary>
    public void Start() => _writing = WriteAsync();

    /// <summary>
    /// Writes uses, and revocations, that the store does not know; what cannot be written is counted, and tried again.
    /// </summary>
    public void WriteUses()
    {
        lock (_changing)
        {
            WriteRevoked();
            var used = _keys.All.Where(k => k.UsedSecond > k.WrittenSecond).Select(
                k => (Key: k, At: k.UsedSecond)).ToList();
            if (used.Count == 0 || _disposed)
                return;
            var rows = used.ConvertAll(u => (u.Key.Stored.Key.Id, DateTimeOffset.FromUnixTimeSeconds(u.At)));
            if (_store.Used(rows) is { } fault)
            {
                _counts.StoreFailed();
                AccessLog.UsesNotWritten(_logger, fault.Message);
                return;
            }

            foreach (var (key, at) in used)
                key.WrittenSecond = at;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _writing.ConfigureAwait(false);
        WriteUses();
        lock (_changing)
        {
            _disposed = true;
            _store.Dispose();
        }

        _stop.Dispose();
    }

    private void WriteRevoked()
    {
        foreach (var id in _disposed ? [] : _unsaved.ToArray())
        {
            if (_keys.Find(id) is { } key && Put(key.Stored) is not null)
                return;
            _unsaved.Remove(id);
        }
    }

    private Outcome<Caller> Verify(
        KeySet keys, ReadOnlySpan<char> text, UInt128 tag, DateTimeOffset now, out Refusal why)
    {
        why = Refusal.Malformed;
        if (!KeyText.TryParse(text, out var parts))
            return s_mistyped;
        why = Refusal.Unknown;
        var key = keys.Find(parts.Id);
        var (isCurrent, isPrevious) = Check.Match(text, key?.Stored);
        if (key is null || !(isCurrent | isPrevious))
            return s_unknown;
        if (KeyRules.Judge(key.Stored.Key, isPrevious, now, out why) is { } refused)
            return refused;
        if (_tenants.Count > 0 && !_tenants.Contains(key.Caller.Tenant))
        {
            why = Refusal.Unknown;
            return s_noTenant;
        }

        keys.Known[tag] = new(key, KeyRules.GoodUntil(key.Stored.Key, isPrevious).UtcTicks);
        key.Touch(now.UtcTicks);
        return key.Caller;
    }

    /// <summary>The key with its latest use.</summary>
    private static AccessKey Look(LiveKey key) => key.UsedSecond == 0 ? key.Stored.Key
        : key.Stored.Key with { LastUsed = DateTimeOffset.FromUnixTimeSeconds(key.UsedSecond) };

    private Outcome<LiveKey> Find(string id) => KeyText.IsId(id) && _keys.Find(id) is { } key ? key : new Fault(
        FaultKind.InvalidInput, "There is no key of that id. `spillway keys list` shows all; the id is the third part "
            + "of "
            + "a key's text.");

    private Fault? Put(StoredKey stored)
    {
        if (_disposed)
            return new(FaultKind.ShuttingDown, "The server is stopping.");
        if (_store.Put(stored) is { } fault)
        {
            _counts.StoreFailed();
            return fault;
        }

        Swap(stored);
        _unsaved.Remove(stored.Key.Id);
        return null;
    }

    private void Swap(StoredKey stored)
    {
        var before = _keys.Find(stored.Key.Id);
        _keys = new(_keys.All.Where(k => k != before).Append(new(stored, before)));
    }

    /// <summary>
    /// One line for however many were refused since the last: a flood of wrong keys is none of the log.
    /// </summary>
    private long Tell(long told)
    {
        var total = _counts.Total;
        if (total > told)
            AccessLog.Refused(_logger, total - told, s_writing.TotalSeconds);
        return total;
    }

    /// <summary>To the millisecond, which is what the store keeps.</summary>
    private DateTimeOffset Now() => DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());

    private async Task WriteAsync()
    {
        using var timer = new PeriodicTimer(s_writing, _time);
        try
        {
            for (var told = 0L; await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false);)
            {
                WriteUses();
                told = Tell(told);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }
}

/// <summary>What a ring of keys works with.</summary>
/// <param name="Pepper">Of the digests.</param>
/// <param name="Tenants">The tenants that there are; empty when any name will do.</param>
/// <param name="Time">The clock.</param>
/// <param name="Counts">What is counted.</param>
/// <param name="Logger">Hears of a store that cannot be written.</param>
internal sealed record KeyRingParts(
    byte[] Pepper, IReadOnlyCollection<string> Tenants, TimeProvider Time, AccessCounts Counts, ILogger Logger);
