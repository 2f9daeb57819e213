namespace Spillway.Engine.Gateway;

/// <summary>Where an answer goes: the caller's connection. Used by one exchange at a time.</summary>
internal interface IAnswerSink
{
    /// <summary>Whether the caller has a part of the answer, so that no other one may follow.</summary>
    bool HasBegun { get; }

    /// <summary>An event stream begins: status and headers.</summary>
    void BeginStream();

    /// <summary>Adds to the stream; nothing is sent before <see cref="FlushAsync"/>.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Sends what was written, and waits while the caller does not take it. False: it is gone.</summary>
    ValueTask<bool> FlushAsync();

    /// <summary>A whole answer: status, headers, body. False: the caller is gone.</summary>
    ValueTask<bool> SendAsync(ReadOnlyMemory<byte> body);
}
