using System.Net;
using System.Net.Sockets;

namespace Spillway.App.Load;

/// <summary>
/// A keep-alive HTTP/1.1 connection that sends prebuilt bytes and reads one answer at a time. A state machine over one
/// <see cref="SocketAsyncEventArgs"/>: no task, no allocation per request, 25 times fewer instructions than an HTTP
/// library, because the generator shares the machine with the server it measures. It reconnects when it must.
/// Owned by one thread at a time: whoever starts it, then the socket's completions.
/// </summary>
internal sealed class Connection : IDisposable
{
    private const int ReceiveBytes = 16 * 1024;
    private const long StaleAfterNs = LoadClock.PerSecond / 2;
    private const long Idle = 0;
    private const long Aborted = -1;

    private readonly EndPoint _address;
    private readonly IWorkSource _source;
    private readonly LoadClock _clock;
    private readonly ResponseParser _parser;
    private readonly SocketAsyncEventArgs _args = new();
    private readonly byte[] _buffer = new byte[ReceiveBytes];
    private volatile Socket? _socket;
    private Work _work;
    private Step _step;
    private bool _sendFailed;
    private long _freeSince;

    // The start of the request in the air; Idle without one; Aborted when the watch ended it. Whoever exchanges it
    // away from a start owns its end.
    private long _busySince;

    public Connection(EndPoint address, IWorkSource source, LoadClock clock, StageTable stages)
    {
        (_address, _source, _clock) = (address, source, clock);
        _parser = new ResponseParser(stages);
        _args.RemoteEndPoint = address;
        _args.Completed += (_, _) =>
        {
            if (Advance())
                Drive();
        };
    }

    private enum Step : byte
    {
        Connect,
        Send,
        Receive,
    }

    /// <summary>Whether a request is in the air.</summary>
    public bool Busy => Volatile.Read(ref _busySince) != Idle;

    /// <summary>Sends a request. Only for a connection that is free; returns when the first wait begins.</summary>
    public void Start(in Work work)
    {
        Begin(work);
        Drive();
    }

    /// <summary>Ends the request in the air as timed out if it began before the given instant.</summary>
    public void AbortIfOlder(long began)
    {
        var since = Volatile.Read(ref _busySince);
        if (since is Idle or Aborted || since >= began)
            return;
        if (Interlocked.CompareExchange(ref _busySince, Aborted, since) == since)
            _socket?.Dispose();
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _args.Dispose();
    }

    private void Begin(in Work work)
    {
        _work = work;
        _sendFailed = false;
        _parser.Reset();
        var now = _clock.Now;
        Volatile.Write(ref _busySince, Math.Max(now, 1));
        if (_socket is not null && now - _freeSince > StaleAfterNs && ClosedByServer())
            Close();
        _step = _socket is null ? Step.Connect : Step.Send;
    }

    /// <summary>
    /// Servers close connections that lie idle; a request sent into one would be lost for no fault of theirs.
    /// </summary>
    private bool ClosedByServer()
    {
        try
        {
            return _socket!.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    /// <summary>Begins operation after operation until one must be waited for; then its completion goes on.</summary>
    private void Drive()
    {
        do
        {
            if (BeginOperation())
                return;
        }
        while (Advance());
    }

    /// <summary>True when the operation is pending: from then on this object belongs to its completion.</summary>
    private bool BeginOperation()
    {
        try
        {
            return _step switch
            {
                Step.Connect => BeginConnect(),
                Step.Send => BeginSend(),
                Step.Receive => BeginReceive(),
            };
        }
        catch (ObjectDisposedException)
        {
            _args.SocketError = SocketError.OperationAborted;
            return false;
        }
    }

    private bool BeginConnect()
    {
        _socket = new Socket(_address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _args.SetBuffer(null, 0, 0);
        return _socket.ConnectAsync(_args);
    }

    private bool BeginSend()
    {
        if (_work.Sent == 0)
        {
            _work.Sent = _clock.Now;
            _args.SetBuffer(_work.Bytes, 0, _work.Bytes.Length);
        }

        return _socket!.SendAsync(_args);
    }

    private bool BeginReceive()
    {
        _args.SetBuffer(_buffer, 0, _buffer.Length);
        return _socket!.ReceiveAsync(_args);
    }

    /// <summary>
    /// Takes the result of an operation. False when this connection is free and belongs to its source.
    /// </summary>
    private bool Advance()
    {
        if (Volatile.Read(ref _busySince) == Aborted)
            return Finish(TransportError.TimedOut);
        return _step switch
        {
            Step.Connect => AfterConnect(),
            Step.Send => AfterSend(),
            Step.Receive => AfterReceive(),
        };
    }

    private bool AfterConnect()
    {
        if (_args.SocketError == SocketError.Success)
        {
            _step = Step.Send;
            return true;
        }

        var refused = _args.SocketError == SocketError.ConnectionRefused;
        return Finish(refused ? TransportError.ConnectRefused : TransportError.ConnectFailed);
    }

    private bool AfterSend()
    {
        _step = Step.Receive;
        if (_args.SocketError != SocketError.Success)
        {
            // A server may answer (413, 503) and close before it has read everything: its answer may be waiting.
            _sendFailed = true;
            return true;
        }

        var left = _args.Count - _args.BytesTransferred;
        if (left > 0)
        {
            _args.SetBuffer(_args.Offset + _args.BytesTransferred, left);
            _step = Step.Send;
        }

        return true;
    }

    private bool AfterReceive()
    {
        if (_args.SocketError != SocketError.Success)
            return Finish(TransportError.Reset);
        var state = _args.BytesTransferred == 0 ? _parser.End()
            : _parser.Feed(_buffer.AsSpan(0, _args.BytesTransferred));
        if (state == ParseState.NeedMore)
            return true;
        if (state == ParseState.Complete)
            return Finish(TransportError.None);
        return Finish(_args.BytesTransferred == 0 ? TransportError.ClosedEarly : TransportError.Malformed);
    }

    /// <summary>It is to rest before its next request. Touched by whoever drives it.</summary>
    public bool MustRest { get; set; }

    private bool Finish(TransportError error)
    {
        var now = _clock.Now;
        if (Interlocked.Exchange(ref _busySince, Idle) == Aborted)
            error = TransportError.TimedOut;
        if (error != TransportError.None || _sendFailed || !_parser.KeepAlive || _args.BytesTransferred == 0)
            Close();
        _freeSince = now;
        _source.Ended(this, _work, now, error, _parser);
        if (!_source.TryNext(this, out var next))
            return false;
        Begin(next);
        return true;
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
