namespace Spillway.Telemetry.Otlp;

/// <summary>
/// Finished requests on their way to becoming spans: a fixed ring between the request path, which copies a record in
/// under one short lock and never waits, and the exporter. Full: the newest is dropped and counted. Thread-safe.
/// </summary>
internal sealed class SpanQueue
{
    private readonly Lock _lock = new();
    private readonly RequestRecord[] _ring;
    private readonly SpanSampler _sampler;
    private readonly Action _wake;
    private readonly int _wakeAt;
    private int _first;
    private int _count;

    /// <param name="capacity">Records that it holds, from 1; about 1 KiB each, taken at once.</param>
    /// <param name="wakeAt">How many make an export worth while before its time.</param>
    /// <param name="sampler">Which requests it takes at all.</param>
    /// <param name="wake">Told, on the request path, when that many are there: must not wait.</param>
    public SpanQueue(int capacity, int wakeAt, SpanSampler sampler, Action wake)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (_ring, _wakeAt, _sampler, _wake) = (new RequestRecord[capacity], Math.Min(wakeAt, capacity), sampler, wake);
    }

    /// <summary>Requests that found no room.</summary>
    public Counter Dropped { get; } = new();

    /// <summary>Keeps a copy of a request that is sampled, if there is room.</summary>
    public void Offer(in RequestRecord record)
    {
        if (!_sampler.Wants(record))
            return;
        int count;
        lock (_lock)
        {
            count = _count;
            if (count < _ring.Length)
            {
                _ring[(_first + count) % _ring.Length] = record;
                _count = ++count;
            }
            else
            {
                count = -1;
            }
        }

        if (count < 0)
            Dropped.Add();
        else if (count == _wakeAt)
            _wake();
    }

    /// <summary>Moves the oldest out, as many as there are and fit; their slots let go of their texts.</summary>
    public int Take(Span<RequestRecord> into)
    {
        lock (_lock)
        {
            var taken = Math.Min(into.Length, _count);
            for (var i = 0; i < taken; i++)
            {
                ref var slot = ref _ring[(_first + i) % _ring.Length];
                into[i] = slot;
                slot = new();
            }

            _first = (_first + taken) % _ring.Length;
            _count -= taken;
            return taken;
        }
    }
}
