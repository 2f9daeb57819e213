using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Spillway.Telemetry;

/// <summary>One line of a request's bill.</summary>
/// <param name="Label">What for: "run", "rows".</param>
/// <param name="Amount">How much.</param>
internal readonly record struct BillLine(string Label, Money Amount);

/// <summary>
/// Everything that can be explained of one request afterwards. A plain value of under 1 KiB that the Engine keeps in
/// the pooled request, fills as the request travels (one owner at a time) and copies into
/// <see cref="RecentRequests"/> at the end. Strings are references; decisions and bill lie inline: 0 B a request.
/// Holds no inputs, outputs or keys.
/// </summary>
internal struct RequestRecord
{
    /// <summary>
    /// The most decisions kept; a request takes about nine, and one that is cancelled or retried one or two more.
    /// </summary>
    public const int DecisionsMax = 14;

    /// <summary>The most lines of a bill.</summary>
    public const int BillLinesMax = 5;

    private Timeline _timeline;
    private DecisionSlots _decisions;
    private BillSlots _bill;
    private byte _decisionCount;
    private byte _billCount;

    /// <summary>Creates an empty record of nothing.</summary>
    public RequestRecord()
    {
    }

    /// <summary>Ours, unique in this process: what explain looks up.</summary>
    public string RequestId { get; set; } = "";

    /// <summary>Who asked.</summary>
    public Caller Caller { get; set; } = Caller.Local;

    /// <summary>The limit or budget that had the say at the gate; empty where there is none.</summary>
    public string Guard { get; set; } = "";

    /// <summary>The caller's own id; empty when it gave none.</summary>
    public string ClientId { get; set; } = "";

    /// <summary>The trace it belongs to; empty when unknown.</summary>
    public TraceId TraceId { get; set; }

    /// <summary>Its own span and its caller's; default when the protocol gave none.</summary>
    public SpanLink Link { get; set; }

    /// <summary>The served name; empty when none was found.</summary>
    public string Model { get; set; } = "";

    /// <summary>Its version.</summary>
    public string Version { get; set; } = "";

    /// <summary>The deployment behind the name.</summary>
    public string Deployment { get; set; } = "";

    /// <summary>Names of its route's steps; empty for a plain model's request.</summary>
    public IReadOnlyList<string> Steps { get; set; } = [];

    /// <summary>What upstreams did for it, as sentences; empty where none was asked.</summary>
    public IReadOnlyList<string> Notes { get; set; } = [];

    /// <summary>SHA-256 of the model that ran it, in hexadecimal; empty when it is not known.</summary>
    public string ModelDigest { get; set; } = "";

    /// <summary>Who signed that model: the id of a trusted key; empty when nobody was asked.</summary>
    public string SignedBy { get; set; } = "";

    /// <summary>SHA-256 of the configuration in force.</summary>
    public string ConfigDigest { get; set; } = "";

    /// <summary>SHA-256 of the price file in force; empty without one.</summary>
    public string PriceDigest { get; set; } = "";

    /// <summary>Wall time of the first instant.</summary>
    public DateTimeOffset Started { get; set; }

    /// <summary>Where its time went.</summary>
    [UnscopedRef]
    public ref Timeline Timeline => ref _timeline;

    /// <summary>The part of <see cref="Stage.Parse"/> that came after the gate: pictures.</summary>
    public TimeSpan Decode { get; set; }

    /// <summary>Who answers for the served name; empty where nobody is declared.</summary>
    public string Owner { get; set; } = "";

    /// <summary>The hardware that it is billed for; empty when it has no price, or nothing ran.</summary>
    public string Hardware { get; set; } = "";

    /// <summary>Its part of the time of its run; only where that has a price.</summary>
    public TimeSpan Busy { get; set; }

    /// <summary>What it is charged; its lines are <see cref="Bill"/>.</summary>
    public Bill Charged { get; set; }

    /// <summary>What ran for it in vain, on nobody's bill.</summary>
    public Bill Wasted { get; set; }

    /// <summary>What is told of an answer of a language model; null for tensors.</summary>
    public ChatFacts? Chat { get; set; }

    /// <summary>The fault that ended it; null when it was answered.</summary>
    public FaultKind? Outcome { get; set; }

    /// <summary>The fault's message; empty without one.</summary>
    public string Message { get; set; } = "";

    /// <summary>The status on the wire; 0 when nothing could be sent.</summary>
    public int Status { get; set; }

    /// <summary>Rows it brought.</summary>
    public long Rows { get; set; }

    /// <summary>Input elements it brought.</summary>
    public long Elements { get; set; }

    /// <summary>Bytes of the body received.</summary>
    public long BytesIn { get; set; }

    /// <summary>Bytes of the body written.</summary>
    public long BytesOut { get; set; }

    /// <summary>Rows of the batch it ran in; 0 when it did not run.</summary>
    public int BatchRows { get; set; }

    /// <summary>Requests of that batch.</summary>
    public int BatchRequests { get; set; }

    /// <summary>Why the batch took no more.</summary>
    public CutReason Cut { get; set; }

    /// <summary>The runner; -1 when it did not run.</summary>
    public int Runner { get; set; } = -1;

    /// <summary>The device; empty when it did not run.</summary>
    public string Device { get; set; } = "";

    /// <summary>From the first instant; zero when none was chosen.</summary>
    public TimeSpan Deadline { get; set; }

    /// <summary>Predicted wait at admission.</summary>
    public TimeSpan PredictedWait { get; set; }

    /// <summary>Predicted time of its run at admission; zero when nothing was learned yet.</summary>
    public TimeSpan PredictedRun { get; set; }

    /// <summary>Places held in the queue at admission, before its own.</summary>
    public int QueueDepth { get; set; }

    /// <summary>True when nothing real ran.</summary>
    public bool Simulated { get; set; }

    /// <summary>Decisions that found no room.</summary>
    public int DecisionsOmitted { get; private set; }

    /// <summary>The decisions in order, valid while this variable lives.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<Decision> Decisions => ((ReadOnlySpan<Decision>)_decisions)[.._decisionCount];

    /// <summary>The bill's lines, valid while this variable lives.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<BillLine> Bill => ((ReadOnlySpan<BillLine>)_bill)[.._billCount];

    /// <summary>The bill's sum.</summary>
    public readonly Money Total
    {
        get
        {
            var sum = Money.Zero;
            foreach (var line in Bill)
                sum += line.Amount;
            return sum;
        }
    }

    /// <summary>The stages, to read.</summary>
    public readonly Timeline Stages => _timeline;

    /// <summary>Keeps a decision; counts it as omitted when there is no room.</summary>
    public void Decide(DecisionKind kind, long a = 0, long b = 0, long c = 0)
    {
        if (_decisionCount == DecisionsMax)
            DecisionsOmitted++;
        else
            _decisions[_decisionCount++] = new(kind, a, b, c);
    }

    /// <summary>
    /// Adds to the bill. Beyond <see cref="BillLinesMax"/> the amount joins the last line as "other", so that the sum
    /// stays the bill.
    /// </summary>
    public void Charge(string label, Money amount)
    {
        if (_billCount < BillLinesMax)
            _bill[_billCount++] = new(label, amount);
        else
            _bill[BillLinesMax - 1] = new("other", _bill[BillLinesMax - 1].Amount + amount);
    }

    [InlineArray(DecisionsMax)]
    private struct DecisionSlots
    {
        private Decision _first;
    }

    [InlineArray(BillLinesMax)]
    private struct BillSlots
    {
        private BillLine _first;
    }
}
