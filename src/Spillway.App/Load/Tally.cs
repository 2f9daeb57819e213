using System.Text;

namespace Spillway.App.Load;

/// <summary>What became of the requests of one phase or round. Its recorder guards it.</summary>
internal sealed class Tally
{
    private const int ReasonsMax = 32;

    private readonly List<Refusal> _refusals = [];
    private readonly long[] _errors = new long[Enum.GetValues<TransportError>().Length];
    private long _offered;

    /// <summary>Requests that were due (open loop) or begun (closed loop).</summary>
    public long Offered => Volatile.Read(ref _offered);

    /// <summary>Requests whose first byte was handed to the kernel.</summary>
    public long Sent { get; private set; }

    /// <summary>Complete HTTP answers of any status.</summary>
    public long Completed { get; private set; }

    /// <summary>Answers with a 2xx status.</summary>
    public long Ok { get; private set; }

    /// <summary>2xx answers no later than the deadline after their scheduled send.</summary>
    public long Good { get; private set; }

    /// <summary>From the scheduled send to the complete 2xx answer.</summary>
    public LatencyHistogram OkLatency { get; } = new();

    /// <summary>From the scheduled send to the complete answer of another status.</summary>
    public LatencyHistogram RefusedLatency { get; } = new();

    public IReadOnlyList<Refusal> Refusals => _refusals;

    public long ErrorCount(TransportError error) => _errors[(int)error];

    public void Offer() => Interlocked.Increment(ref _offered);

    public void Error(TransportError error, bool sent)
    {
        _errors[(int)error]++;
        Sent += sent ? 1 : 0;
    }

    public void Answer(long latency, long deadline, ResponseParser answer)
    {
        Sent++;
        Completed++;
        if (answer.Status is >= 200 and < 300)
        {
            Ok++;
            Good += latency <= deadline ? 1 : 0;
            OkLatency.Record(latency);
            return;
        }

        RefusedLatency.Record(latency);
        Find(answer).Count++;
    }

    public void Add(Tally other)
    {
        _offered += other.Offered;
        Sent += other.Sent;
        Completed += other.Completed;
        Ok += other.Ok;
        Good += other.Good;
        OkLatency.Add(other.OkLatency);
        RefusedLatency.Add(other.RefusedLatency);
        for (var i = 0; i < _errors.Length; i++)
            _errors[i] += other._errors[i];
        foreach (var refusal in other._refusals)
            Find(refusal.Status, refusal.Fault, refusal.Example, refusal.RetryAfterMs).Count += refusal.Count;
    }

    private Refusal Find(ResponseParser answer)
    {
        foreach (var known in _refusals)
        {
            if (known.Status == answer.Status && answer.Fault.SequenceEqual(known.Fault))
                return known;
        }

        return Find(answer.Status, answer.Fault, OneLine(answer.ErrorText), answer.RetryAfterMs);
    }

    private Refusal Find(int status, ReadOnlySpan<byte> fault, string example, long retryAfterMs)
    {
        foreach (var known in _refusals)
        {
            if (known.Status == status && fault.SequenceEqual(known.Fault))
                return known;
        }

        // A server that invents reasons cannot fill this process: the last place takes them all.
        if (_refusals.Count == ReasonsMax)
            return _refusals[^1];
        var last = _refusals.Count == ReasonsMax - 1;
        var added = last
            ? new Refusal(0, "other"u8.ToArray(), "", -1)
            : new Refusal(status, fault.ToArray(), example, retryAfterMs);
        _refusals.Add(added);
        return added;
    }

    private static string OneLine(ReadOnlySpan<byte> text)
    {
        var line = Encoding.UTF8.GetString(text);
        return string.Create(line.Length, line, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) ? ' ' : source[i];
        }).Trim();
    }
}

/// <summary>One reason for which a server did not answer with 2xx.</summary>
internal sealed class Refusal(int status, byte[] fault, string example, long retryAfterMs)
{
    public int Status { get; } = status;

    /// <summary>The server's <c>x-spillway-fault</c>; empty when it names none.</summary>
    public byte[] Fault { get; } = fault;

    /// <summary>The beginning of the first such body, on one line.</summary>
    public string Example { get; } = example;

    /// <summary>What the first such answer asked to wait; -1 without.</summary>
    public long RetryAfterMs { get; } = retryAfterMs;

    public long Count { get; set; }

    /// <summary>"503 queue_full" or "503".</summary>
    public string Reason => Fault.Length == 0 ? $"{Status}" : $"{Status} {Encoding.ASCII.GetString(Fault)}".Trim();
}
