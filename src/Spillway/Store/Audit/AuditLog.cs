using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Spillway.Store.Audit;

/// <summary>
/// The audit log of a running server. Whoever offers a record copies it into a bounded queue and goes on; one thread
/// writes, forces to the disk and signs. Thread-safe.
/// </summary>
/// <remarks>
/// A kill of the process takes what waited in memory, at most <see cref="GatherTime"/> and a write; how many records
/// that were is known exactly afterwards (<see cref="AcceptedCounter"/>), and is written into the log. A loss of power
/// may take what was not forced to the disk, at most audit.headMs.
/// </remarks>
public sealed partial class AuditLog : IAuditLog, IAsyncDisposable
{
    /// <summary>How long the writer gathers before it writes.</summary>
    public static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(50);

    /// <summary>The key ring in the state folder; seals other secrets too.</summary>
    internal const string RingName = "keyring";

    /// <summary>Refusals without a request that are listed in one second.</summary>
    internal const int DeniedListedMax = 100;

    private const int BatchMax = 1024;

    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_stopMax = TimeSpan.FromSeconds(5);

    private readonly AuditFolder _folder;
    private readonly AuditOptions _options;
    private readonly AuditKeys _keys;
    private readonly AuditFiles _files;
    private readonly AcceptedCounter _counter;
    private readonly AuditQueue _queue;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Thread _writer;
    private readonly ManualResetEventSlim _work = new(false);
    private readonly ManualResetEventSlim _stop = new(false);
    private readonly AuditEntry[] _batch = new AuditEntry[BatchMax];
    private readonly PayloadPlace[] _places = new PayloadPlace[BatchMax];
    private readonly int _refuseFrom;
    private int _taken;
    private int _placed;
    private volatile Fault? _failure;
    private long _lost;
    private long _lostTold;
    private long _lostLogged;
    private long _refused;
    private long _refusedTold;
    private long _denied;
    private long _deniedTold;
    private long _deniedSecond;
    private int _deniedListed;
    private long _payloadBytes;
    private long _publishFailures;
    private long _signedAt;
    private volatile AuditHead? _last;
    private volatile bool _retain;
    private bool _publishing = true;

    private AuditLog(
        AuditFolder folder, AuditOptions options, AuditKeys keys, AuditFiles files, TimeProvider time, ILogger logger)
    {
        (_folder, _options, _keys, _files, _time, _logger) = (folder, options, keys, files, time, logger);
        _counter = new(keys.Log);
        _queue = new(options.QueueLengthMax, _counter);
        _refuseFrom = options.QueueLengthMax / 4 * 3;
        _last = files.Last;
        _signedAt = time.GetTimestamp();
        _writer = new(Write) { IsBackground = true, Name = "audit" };
    }

    /// <summary>Where it is.</summary>
    public AuditFolder Folder => _folder;

    /// <summary>Its id.</summary>
    public string Id => _keys.Log;

    /// <summary>The last signed head; null before the first.</summary>
    public AuditHead? Last => _last;

    /// <summary>Records in its files.</summary>
    public long Written => _files.Written;

    /// <summary>Records that wait for the writer.</summary>
    public int Waiting => _queue.Count;

    /// <summary>The most that ever waited.</summary>
    public int WaitingMax => _queue.CountMax;

    /// <summary>Records that found no room, and requests that nobody could write down, in this process.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Requests refused because the log could not be written; they are counted in it and not listed.</summary>
    public long RefusedRequests => Interlocked.Read(ref _refused);

    /// <summary>Heads that could not be written to where they are published.</summary>
    public long PublishFailures => Interlocked.Read(ref _publishFailures);

    /// <summary>Records that an earlier process accepted and lost with its memory.</summary>
    public long LostBefore { get; private set; }

    /// <summary>Files of inputs that this process deleted because they were old enough, the last time it did.</summary>
    internal IReadOnlyList<string> Deleted { get; private set; } = [];

    /// <summary>Why the log cannot be written now; null while it can.</summary>
    public Fault? Failure => _failure;

    /// <inheritdoc/>
    public Fault? Refusal => _options.OnFailure is AuditFailure.Refuse && (_failure is not null
        || Waiting >= _refuseFrom)
        ? Refuse()
        : null;

    /// <summary>
    /// Opens the log of a state folder, or begins one; says in the log and in the server's log what a crash left.
    /// </summary>
    /// <param name="state">Held by this process.</param>
    /// <param name="options">The section audit:, its paths absolute.</param>
    /// <param name="variables">Environment variables, for keys.</param>
    /// <param name="about">What the first record says of the server: version, digest of the configuration.</param>
    /// <param name="time">The clock of records and heads.</param>
    /// <param name="logger">Told what a person must know.</param>
    /// <param name="action">
    /// Who opens it, as its first record says: a server, or a command beside a stopped one.
    /// </param>
    public static Outcome<AuditLog> Open(
        StateFolder state, AuditOptions options, IReadOnlyDictionary<string, string> variables, string about,
        TimeProvider time, ILogger logger, string action = "server.started")
    {
        var folder = new AuditFolder(state.FileOf(AuditFolder.Name));
        try
        {
            if (!AuditKeys.Open(folder, options, state.FileOf(RingName), variables).TryGet(out var keys, out var fault))
                return fault;
            if (!AuditFiles.Open(folder, keys, options).TryGet(out var files, out fault))
                return fault;
            var log = new AuditLog(folder, options, keys, files, time, logger);
            log.Begin(action, about);
            return log;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Fault(FaultKind.StoreFailed, $"The audit log {folder.Path} cannot be opened: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void Administration(Caller who, string action, string subject, FaultKind? fault = null, string detail = "")
    {
        var entry = new AuditEntry
        {
            Kind = AuditKind.Administration, Caller = who, Action = action, Subject = subject, Reason = detail,
            Outcome = fault is { } kind ? Label(kind) : "ok",
        };
        Offer(entry);
    }

    /// <inheritdoc/>
    public void Denied(Caller? who, FaultKind why, string what)
    {
        var second = _time.GetTimestamp() / _time.TimestampFrequency;
        if (Interlocked.Exchange(ref _deniedSecond, second) != second)
            Interlocked.Exchange(ref _deniedListed, 0);
        if (Interlocked.Increment(ref _deniedListed) > DeniedListedMax)
        {
            Interlocked.Increment(ref _denied);
            return;
        }

        Offer(new AuditEntry
        {
            Kind = AuditKind.Refusal, Caller = who, Action = "access.denied", Subject = what, Outcome = Label(why),
        });
    }

    /// <summary>
    /// Takes a copy for the log; false when it found no room, which is counted. Gives a rented payload back then.
    /// </summary>
    internal bool Offer(in AuditEntry entry) => Offer(entry, isLast: false);

    private bool Offer(in AuditEntry entry, bool isLast)
    {
        var timed = entry;
        if (timed.Time == 0)
            timed.Time = Micros();
        if (!_queue.TryAdd(timed, out var count, isLast))
        {
            Interlocked.Increment(ref _lost);
            GiveBack(timed);
            return false;
        }

        if (count == 1 || count == _refuseFrom)
            _work.Set();
        return true;
    }

    /// <summary>
    /// A request was refused because of this log; counted, because listing it would fill what is full.
    /// </summary>
    internal void RefusedRequest() => Interlocked.Increment(ref _refused);

    /// <summary>Room for a copy of inputs; false, and counted, when as many wait as may.</summary>
    internal bool TryHoldPayload(int bytes)
    {
        if (Interlocked.Add(ref _payloadBytes, bytes) <= _options.PayloadBytesInFlightMax)
            return true;
        Interlocked.Add(ref _payloadBytes, -bytes);
        Interlocked.Increment(ref _lost);
        return false;
    }

    /// <summary>
    /// Has the inputs deleted that are older than audit.payloadDays, soon, by the writer; the log says so.
    /// </summary>
    public void Retain()
    {
        _retain = true;
        _work.Set();
    }

    /// <summary>Writes what is left, signs the last head and ends. After the last request.</summary>
    public ValueTask DisposeAsync()
    {
        if (_stop.IsSet)
            return ValueTask.CompletedTask;
        _stop.Set();
        _work.Set();
        _writer.Join();
        _files.Dispose();
        _counter.Forget();
        _keys.Dispose();
        _stop.Dispose();
        _work.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string Label(FaultKind kind) => JsonNamingPolicy.SnakeCaseLower.ConvertName(kind.ToString());

    private void GiveBack(in AuditEntry entry)
    {
        if (entry.Payload is not { } rented)
            return;
        Interlocked.Add(ref _payloadBytes, -entry.PayloadLength);
        ArrayPool<byte>.Shared.Return(rented);
    }

    private Fault Refuse() => new(
        FaultKind.StoreFailed,
        (_failure?.Message ?? $"The audit log is behind: {Waiting:N0} of {_queue.Capacity:N0} records wait for the "
            + "disk "
            + "(audit.queueLengthMax).") + " Nothing is answered that cannot be written down (audit.onFailure: "
            + "refuse).",
        s_retry);

    private void Begin(string action, string about)
    {
        var found = _files.Found;
        LostBefore = found.IsClean ? 0 : Math.Max(0, (_counter.Before ?? 0) - found.Range.Size);
        _counter.Set(found.Range.Size);
        if (!found.IsClean)
            Recovered(found);

        Server(action, about);
        _writer.Start();
    }

    /// <summary>Says what was found; also what no crash leaves, because whoever wrote it left no other trace.</summary>
    private void Recovered(AuditRecovery found)
    {
        var lost = _counter.Before is null ? "an unknown number of records (at most what came in its last "
            + $"{GatherTime.TotalMilliseconds} ms)" : $"{LostBefore} record(s)";
        Log.Recovered(_logger, _folder.Path, found.Unsigned, found.CutBytes, lost);
        var odd = "";
        if (found.LacksHeads(TimeSpan.FromMilliseconds(_options.HeadMs)))
        {
            odd = FormattableString.Invariant($"; these records span {found.UnsignedFor.TotalSeconds:0.#} s")
                + (found.Ended ? " and end with a clean stop, which signs all" : "")
                + ": no crash leaves that, heads were taken away, and nothing proves these records";
            Log.HeadsGone(_logger, _folder.Path, found.Unsigned);
        }

        Server(AuditRecovery.Recovered, $"the server before did not stop; {found.Unsigned} whole record(s) behind the "
            + $"last head kept, {found.CutBytes} byte(s) of a half-written one set aside, {lost} lost with its memory"
            + odd, LostBefore);
    }

    private bool Server(string action, string detail, long count = 0) => Offer(
        new() { Kind = AuditKind.Server, Action = action, Reason = detail, Outcome = "ok", Count = count },
        isLast: action == AuditRecovery.Stopped);

    private long Micros() => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
