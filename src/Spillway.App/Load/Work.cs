namespace Spillway.App.Load;

/// <summary>One request to send. All times are the load clock's nanoseconds.</summary>
internal struct Work
{
    /// <summary>Head and body as they go over the wire; shared by many requests, never written.</summary>
    public byte[] Bytes;

    /// <summary>When it was due. Latency counts from here, whatever held it up.</summary>
    public long Scheduled;

    /// <summary>When the generator came to it: the difference is the generator's own lateness.</summary>
    public long Dispatched;

    /// <summary>When its first byte was handed to the kernel; 0 before.</summary>
    public long Sent;

    /// <summary>The phase it was due in.</summary>
    public int Phase;

    /// <summary>False during warm-up.</summary>
    public bool Measured;
}

/// <summary>Why a request got no complete answer.</summary>
internal enum TransportError : byte
{
    None,
    ConnectRefused,
    ConnectFailed,
    Reset,
    ClosedEarly,
    Malformed,
    TimedOut,
    BacklogFull,
}

/// <summary>Words for <see cref="TransportError"/>.</summary>
internal static class TransportErrors
{
    public static string Name(this TransportError error) => error switch
    {
        TransportError.None => "none",
        TransportError.ConnectRefused => "connection refused",
        TransportError.ConnectFailed => "connection failed",
        TransportError.Reset => "connection reset",
        TransportError.ClosedEarly => "closed before the answer was complete",
        TransportError.Malformed => "malformed answer",
        TransportError.TimedOut => "timed out",
        TransportError.BacklogFull => "not sent: client backlog full",
    };
}

/// <summary>Hands requests to connections and takes their ends. Called from any connection's thread.</summary>
internal interface IWorkSource
{
    /// <summary>The request has ended: with an answer in <paramref name="answer"/>, or with an error.</summary>
    void Ended(Connection connection, in Work work, long now, TransportError error, ResponseParser answer);

    /// <summary>
    /// The next request for a free connection; false when there is none, after which the connection belongs to the
    /// source until it starts it again.
    /// </summary>
    bool TryNext(Connection connection, out Work work);
}
