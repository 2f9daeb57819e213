using System.Buffers;
using System.Numerics;
using Spillway.Policies.Caching;

namespace Spillway.Engine.Caching;

/// <summary>
/// Remembered answers, live: interprets <see cref="CachePolicy"/> for any number of threads. A hit allocates nothing,
/// copies nothing and takes two short locks of one stripe: the question is hashed and compared where it lies, and the
/// outputs point into the remembered bytes. A question that is new is copied once, and so is its answer.
/// <code>
/// LookUp  Hit                 Answer.WriteTo(outputs), say Age
///         Stale               the same; when Lead is there, ask the model beside, then Store or Fail
///         Miss, Refresh       ask the model, then Store or Fail: exactly once, however it ends
///         Join                Await: an answer, a fault, or the lead
///         Bypass              ask the model
/// LookUpAfterError            what may be given though it is old, because the model cannot answer
/// </code>
/// </summary>
internal sealed class AnswerCache : IDisposable
{
    /// <summary>Stripes: more than threads that meet in a lock of 20 ns on any machine that serves models.</summary>
    private const int StripesMax = 64;

    /// <summary>A stripe holds at least so many of the largest entries, or there are fewer stripes.</summary>
    private const int LargestMin = 8;

    /// <summary>The head of a question of a few inputs; a longer one is rented.</summary>
    private const int HeadOnStack = 512;

    private readonly CacheOptions _options;
    private readonly KeyHash _hash;
    private readonly CacheStripe[] _stripes;

    /// <summary>Requests that came no further than here; no stripe knows of them.</summary>
    private long _excluded;

    /// <summary>An empty one.</summary>
    /// <param name="options">Limits, validated.</param>
    /// <param name="clock">Of the deadlines of those that wait.</param>
    /// <param name="hash">The process's; null makes one.</param>
    public AnswerCache(CacheOptions options, Clock clock, KeyHash? hash = null)
    {
        (_options, _hash) = (options, hash ?? KeyHash.Random());
        var fit = Math.Clamp(options.BytesMax / ((long)options.EntryBytesMax * LargestMin), 1, StripesMax);
        var count = 1 << BitOperations.Log2((uint)fit);
        var part = options.BytesMax / count;
        _stripes = [.. Enumerable.Range(0, count).Select(_ => new CacheStripe(options, part, clock))];
    }

    /// <summary>What happened, and what there is.</summary>
    public CacheCounts Counts => _stripes.Aggregate(
        new CacheCounts { Bypasses = Interlocked.Read(ref _excluded) }, (sum, stripe) => sum + stripe.Counts);

    /// <summary>What a request does.</summary>
    public CacheDecision LookUp(in CacheRequest request, Instant now)
    {
        if (Excludes(request) is { } reason)
        {
            Interlocked.Increment(ref _excluded);
            return new(CacheStep.Bypass, reason);
        }

        var length = HeadBytes(request);
        byte[]? rented = null;
        var head = length <= HeadOnStack ? stackalloc byte[HeadOnStack] : rented = ArrayPool<byte>.Shared.Rent(length);
        var key = KeyOf(request, head);
        var decision = StripeOf(key.Hash)
            .LookUp(key, request.Directive is CacheDirective.Refresh, now);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return decision;
    }

    /// <summary>
    /// The model cannot answer: Stale with what may be given then, or Bypass. A caller that asked not to read gets
    /// nothing.
    /// </summary>
    public CacheDecision LookUpAfterError(in CacheRequest request, Instant now)
    {
        if (request.Directive is not CacheDirective.Use)
            return new(CacheStep.Bypass, CacheReason.Asked);
        if (Excludes(request) is { } reason)
            return new(CacheStep.Bypass, reason);
        var length = HeadBytes(request);
        byte[]? rented = null;
        var head = length <= HeadOnStack ? stackalloc byte[HeadOnStack] : rented = ArrayPool<byte>.Shared.Rent(length);
        var key = KeyOf(request, head);
        var decision = StripeOf(key.Hash).LookUpAfterError(key, now);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return decision;
    }

    /// <summary>Whether <see cref="LookUpAfterError"/> would give an answer now. Counts nothing.</summary>
    public bool Remembers(in CacheRequest request, Instant now)
    {
        if (request.Directive is not CacheDirective.Use || Excludes(request) is not null)
            return false;
        var head = new byte[HeadBytes(request)];
        var key = KeyOf(request, head);
        return StripeOf(key.Hash).Remembers(key, now);
    }

    /// <summary>Waits for the one that leads. Exactly once for each Join.</summary>
    /// <param name="join">The decision.</param>
    /// <param name="deadline">The request's own.</param>
    /// <param name="cancellation">Its caller left.</param>
    public static ValueTask<CacheOutcome> AwaitAsync(
        in CacheDecision join, Instant deadline, CancellationToken cancellation) =>
        ((CacheJoiner)join.Waiter!).WaitAsync(deadline, cancellation);

    /// <summary>The answer of the one that leads; those that wait get it, and it is kept where it fits.</summary>
    /// <param name="lead">Of its decision, or of what it waited for.</param>
    /// <param name="outputs">As the served name's signature has them; copied.</param>
    /// <param name="now">The instant.</param>
    /// <param name="origin">Which model they are of; null for none.</param>
    public void Store(CacheLead lead, TensorSet outputs, Instant now, AnswerOrigin? origin = null)
    {
        if (CachedAnswer.Measure(outputs) > Array.MaxLength)
        {
            Fail(lead, new(FaultKind.Internal, "An answer of more than 2 GB cannot be shared."), now);
            return;
        }

        StripeOf(lead.Flight.Entry.Hash).Store(lead, CachedAnswer.Copy(outputs, origin), now);
    }

    /// <summary>
    /// The one that leads ended without an answer. By the fault's kind those that wait get it too, or one of them
    /// leads.
    /// </summary>
    public void Fail(CacheLead lead, Fault fault, Instant now) =>
        StripeOf(lead.Flight.Entry.Hash).Fail(lead, LeadEnds.Of(fault.Kind), fault, now);

    /// <summary>Forgets every answer; what is being asked goes on, and is kept.</summary>
    public void Clear()
    {
        foreach (var stripe in _stripes)
            stripe.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var stripe in _stripes)
            stripe.Dispose();
    }

    private CacheStripe StripeOf(UInt128 hash) => _stripes[(int)((uint)hash & (uint)(_stripes.Length - 1))];

    private string ScopeOf(in CacheRequest request) => _options.Scope switch
    {
        CacheScope.Tenant => request.Tenant,
        CacheScope.Shared => "",
    };

    private int HeadBytes(in CacheRequest request) =>
        CacheKey.HeadBytes(request.Subject, ScopeOf(request), request.Request, request.Parameters);

    private CacheKey KeyOf(in CacheRequest request, Span<byte> head) =>
        CacheKey.Of(request.Subject, ScopeOf(request), request.Request, request.Parameters, head, _hash);

    private CacheReason? Excludes(in CacheRequest request)
    {
        if (request.Directive is CacheDirective.Bypass)
            return CacheReason.Asked;
        if (request.Request.Sequence is not null)
            return CacheReason.Sequence;
        return CacheKey.InputBytes(request.Request) + HeadBytes(request) + CacheEntry.Overhead > _options.EntryBytesMax
            ? CacheReason.TooLarge : null;
    }
}
