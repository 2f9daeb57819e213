using System.Buffers;
using System.Text;
using Spillway.Config;
using Spillway.Engine.Upstreams;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Carries an upstream's event stream to the caller: whole events, as they came, one flush for all that one read
/// brought. It holds back what comes before the first content, so that another attempt is still possible, and reads on
/// only when the caller took what there is. Memory: one event, and the held ones. This file is long because what an
/// event may be, and what becomes of it, stands in it.
/// </summary>
internal sealed class StreamPump : IDisposable
{
    /// <summary>The first buffer; most events are far smaller.</summary>
    private const int FirstBuffer = 16 * 1024;

    /// <summary>The longest event that is taken.</summary>
    private const int EventBytesMax = 1024 * 1024;

    /// <summary>What may come before the first content: as Bifrost has it, 64 events and 256 KiB.</summary>
    private const int HeldBytesMax = 256 * 1024;

    private const int HeldEventsMax = 64;

    private static readonly Fault s_gone = new(
        FaultKind.Cancelled, "The caller went away before the answer was whole.");

    private static readonly TimeSpan s_throughputWindow = TimeSpan.FromSeconds(10);

    private readonly Stream _from;
    private readonly ExchangeState _state;
    private readonly Phase _phase;
    private readonly UpstreamOptions _options;
    private readonly string _target;
    private readonly Action _began;
    private readonly bool _hidesUsage;
    private readonly AnswerGuard? _guard;
    private readonly ArrayBufferWriter<byte> _held = new(1024);
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
    private int _start;
    private int _end;
    private int _looked;
    private int _heldEvents;
    private bool _flows;
    private bool _isDone;
    private bool _named;
    private bool _hasAnswer;
    private ulong _open;
    private ulong _ended;
    private Instant _windowAt;
    private long _windowBytes;

    /// <summary>Begins with an answer's body.</summary>
    /// <param name="from">The body.</param>
    /// <param name="state">Whose answer it is.</param>
    /// <param name="phase">Bounds each wait for the upstream.</param>
    /// <param name="options">The upstream's.</param>
    /// <param name="target">For messages.</param>
    /// <param name="began">Called once, with the upstream's first content, also where rules hold that back.</param>
    public StreamPump(
        Stream from, ExchangeState state, Phase phase, UpstreamOptions options, string target, Action began)
    {
        (_from, _state, _phase, _options, _target, _began) = (from, state, phase, options, target, began);
        (_hidesUsage, _guard) = (!state.Asked.WantsUsage, state.Guard(isStream: true));
    }

    private bool HasBegun => _state.Sink.HasBegun;

    /// <summary>To the end. Null when the answer was whole; else what broke it.</summary>
    public async ValueTask<Fault?> RunAsync()
    {
        while (true)
        {
            if (_flows)
                _phase.Enter("the next bytes", _options.BetweenDeltasMs);
            if (_end == _buffer.Length && !MakeRoom())
                return Failed($"sent an event of more than {EventBytesMax:N0} bytes");
            var read = await _from.ReadAsync(_buffer.AsMemory(_end), _phase.Token).ConfigureAwait(false);
            _state.Mark(Stage.Execute);
            if (read == 0)
                return await EndAsync().ConfigureAwait(false);
            _end += read;
            var fault = TakeEvents() ?? TooSlow(read);
            if (!await FlushAsync().ConfigureAwait(false))
                return s_gone;
            if (fault is not null || _isDone)
                return fault;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private bool MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end, _looked) = (0, _end - _start, _looked - _start);
            return true;
        }

        if (_buffer.Length >= EventBytesMax)
            return false;
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        return true;
    }

    private async ValueTask<bool> FlushAsync()
    {
        _state.Mark(Stage.Output);
        if (!HasBegun)
            return true;
        var flush = _state.Sink.FlushAsync();
        if (flush.IsCompleted)
        {
            _state.Mark(Stage.Write);
            return await flush.ConfigureAwait(false);
        }

        // A caller that takes its time is no fault of the upstream's: its bounds stand still.
        var from = _state.Clock.Now;
        _phase.Pause();
        var isThere = await flush.ConfigureAwait(false);
        var took = _state.Clock.Now - from;
        _phase.Resume(took);
        _windowAt += took;
        _state.Facts.Untaken += took;
        _state.Mark(Stage.Write);
        return isThere;
    }

    private Fault? TakeEvents()
    {
        while (!_isDone)
        {
            var rest = _buffer.AsSpan(_start.._end);
            var length = EventText.FindEnd(rest, Math.Max(0, _looked - _start));
            if (length < 0)
            {
                // The last two bytes may be the beginning of an end.
                _looked = Math.Max(_start, _end - 2);
                break;
            }

            var fault = Take(rest[..length]);
            _start += length;
            _looked = _start;
            if (fault is not null)
                return fault;
        }

        if (_start == _end)
            (_start, _end, _looked) = (0, 0, 0);
        return null;
    }

    private Fault? Take(ReadOnlySpan<byte> text)
    {
        text = text.StartsWith(EventText.Mark) ? text[EventText.Mark.Length..] : text;
        var (at, length) = EventText.Data(text, out var lines);
        if (lines == 0)
            return Comment(text);

        var joined = lines == 1 ? null : EventText.Join(text);
        var data = (joined is null ? text.Slice(at, length) : joined).Trim(" \t\r\n"u8);
        // By the standard an event without data is none.
        if (data.IsEmpty)
            return null;
        if (data.SequenceEqual(EventText.Done))
            return TakeDone(text);
        var part = AnswerScan.Read(data, wantsNames: !_named, _state.Text);
        if (part.IsBroken)
            return Failed("sent an event that is no JSON object");
        if (part.HasError)
            return Broken(part);
        Note(part);
        // Rules write one line of data; between values, where line ends stand, JSON takes a blank as well.
        joined.AsSpan().Replace((byte)'\n', (byte)' ');
        if (_guard is { Changes: true })
            return TakeGuarded(_guard, data, part);
        // Rules that only note change nothing and refuse nothing.
        _guard?.Take(data, default);
        Pass(text, at, data, joined is not null, part);
        return null;
    }

    private void Pass(ReadOnlySpan<byte> text, int at, ReadOnlySpan<byte> data, bool hasLines, in AnswerPart part)
    {
        if (IsAnswer(part))
            Begin();
        if (hasLines)
            ForwardLines(text, data, part);
        else
            // Blanks before the data are no part of it.
            Forward(text, at + text[at..].IndexOfAnyExcept(" \t"u8), part);
    }

    /// <summary>
    /// A comment keeps a connection awake. Before the answer begins it says nothing to anybody, and is not held: a
    /// server that sends many while it waits must not use up another one's chance.
    /// </summary>
    private Fault? Comment(ReadOnlySpan<byte> text)
    {
        if (HasBegun)
            Forward(text);
        return null;
    }

    /// <summary>On a route with rules that change something: what they let pass, perhaps nothing as yet.</summary>
    private Fault? TakeGuarded(AnswerGuard guard, ReadOnlySpan<byte> data, in AnswerPart part)
    {
        var hides = _hidesUsage && part.UsageLength > 0;
        if (hides && part.Usage is not null && !part.HasChoices)
            return null;
        if (guard.Take(data, hides ? (part.UsageAt, part.UsageLength) : default) is { } refused)
            return refused;
        if (guard.HasContent)
        {
            _state.Given();
            Begin();
        }

        Forward(guard.Out);
        return null;
    }

    /// <summary>The caller wants to know what it costs: a comment, which clients pass over.</summary>
    private void TellCost()
    {
        if (!_state.Facts.WantsCost)
            return;
        _state.PriceNow();
        if (_state.Facts.Cost is { } cost)
            Forward(Encoding.UTF8.GetBytes($": x-spillway-cost {cost}\n\n"));
    }

    /// <summary>What rules held back to the end, and what they did: a comment as well.</summary>
    private Fault? EndGuarded()
    {
        TellCost();
        if (_guard is null)
            return null;
        if (_guard.End() is { } refused)
            return refused;
        if (_guard.Changes && _guard.Out.Length > 0)
        {
            _state.Given();
            Forward(_guard.Out);
        }

        if (_state.Facts.Content.Count > 0)
            Forward(Encoding.UTF8.GetBytes($": x-spillway-content {string.Join(", ", _state.Facts.Content)}\n\n"));
        return null;
    }

    private void ForwardLines(ReadOnlySpan<byte> text, ReadOnlySpan<byte> data, in AnswerPart part)
    {
        if (_hidesUsage && part.UsageLength > 0)
            Forward(EventText.OneLine(data), EventText.OneLineAt, part);
        else
            Forward(text);
    }

    private Fault? TakeDone(ReadOnlySpan<byte> text)
    {
        _isDone = true;
        if (!_hasAnswer)
            return Failed("ended its stream without an answer");
        if (_open != 0 && !_options.EndsWithoutReason)
            return Failed("ended its stream without saying why (finish_reason; see endsWithoutReason)");
        if (EndGuarded() is { } refused)
            return refused;
        Begin();
        Forward(text);
        return null;
    }

    private Fault Broken(in AnswerPart part) => Failed(
        part.ErrorMessage.Length > 0 ? $"broke off with an error: {part.ErrorMessage}" : "broke off with an error");

    private static bool IsAnswer(in AnswerPart part) => part.ContentBytes > 0 || part.Finished != 0;

    private void Note(in AnswerPart part)
    {
        if (!_named)
            _state.Name(part);
        _named = true;
        _hasAnswer |= IsAnswer(part);
        // What is said about a choice behind its end, such as a filter's notes, opens it no more; only content does.
        _open = (_open | (part.Choices & ~_ended) | part.Said) & ~part.Finished;
        _ended = (_ended & ~_open) | part.Finished;
        _state.Count(part, isEnded: _open == 0 && _hasAnswer);
        if (_hasAnswer)
            Flow();
    }

    /// <summary>As it came, but for usage that the caller did not ask for.</summary>
    private void Forward(ReadOnlySpan<byte> text, int dataAt, in AnswerPart part)
    {
        if (!_hidesUsage || part.UsageLength == 0)
        {
            Forward(text);
            return;
        }

        // The event that we asked for has usage and nothing else.
        if (part.Usage is not null && !part.HasChoices)
            return;
        Forward(text[..(dataAt + part.UsageAt)], counts: false);
        Forward(text[(dataAt + part.UsageAt + part.UsageLength)..]);
    }

    private void Forward(ReadOnlySpan<byte> text, bool counts = true)
    {
        if (text.IsEmpty)
            return;
        _heldEvents += counts ? 1 : 0;
        if (HasBegun)
            _state.Sink.Write(text);
        else if (_heldEvents > HeldEventsMax || _held.WrittenCount + text.Length > HeldBytesMax)
        {
            Begin();
            _state.Sink.Write(text);
        }
        else
            _held.Write(text);
    }

    /// <summary>The upstream has begun to answer: from here on its silences are bounded, however much of what it says
    /// is held back.</summary>
    private void Flow()
    {
        if (_flows)
            return;
        _flows = true;
        (_windowAt, _windowBytes) = (_state.Clock.Now, 0);
        _began();
    }

    /// <summary>From here on this answer is the caller's, and no other one may take its place.</summary>
    private void Begin()
    {
        if (HasBegun)
            return;
        Flow();
        _state.Sink.BeginStream();
        _state.Sink.Write(_held.WrittenSpan);
    }

    /// <summary>The upstream sends no more, without having said that it is done.</summary>
    private async ValueTask<Fault?> EndAsync()
    {
        // Some servers do not send [DONE]: an answer of which every choice has its end is whole all the same.
        if (_start != _end || !_hasAnswer || _open != 0)
            return Failed("ended its stream in the middle of the answer");
        if (EndGuarded() is { } refused)
            return refused;
        Begin();
        _state.Sink.Write("data: [DONE]\n\n"u8);
        return await FlushAsync().ConfigureAwait(false) ? null : s_gone;
    }

    private Fault? TooSlow(int read)
    {
        if (_options.BytesPerSecondMin <= 0 || _isDone || !_flows)
            return null;
        _windowBytes += read;
        var passed = _state.Clock.Now - _windowAt;
        if (passed < s_throughputWindow)
            return null;
        var isSlow = _windowBytes < _options.BytesPerSecondMin * passed.TotalSeconds;
        (_windowAt, _windowBytes) = (_state.Clock.Now, 0);
        return isSlow ? new(FaultKind.UpstreamTimeout, FormattableString.Invariant(
            $"The upstream {_target} sent less than {_options.BytesPerSecondMin} bytes a second for ten seconds."))
                : null;
    }

    private Fault Failed(string how) => new(FaultKind.UpstreamFailed, $"The upstream {_target} {how}.");
}
