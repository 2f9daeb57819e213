using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols.Grpc;

/// <summary>What reading a message brought.</summary>
/// <param name="Body">The message, decompressed; whoever gets it gives it on or discards it, also beside a
/// fault.</param>
/// <param name="Fault">Why there is no message; null when there is one, or at the end.</param>
/// <param name="Ended">The caller sends no more, or the read was called off.</param>
/// <param name="Began">When its first byte was seen.</param>
internal readonly record struct MessageRead(RequestBody Body, Fault? Fault, bool Ended, Instant Began)
{
    /// <summary>The message's bytes.</summary>
    public ReadOnlyMemory<byte> Message =>
        Body.Length == 0 ? default : Body.Memory[RequestBody.Headroom..];
}

/// <summary>
/// Hears of every piece that arrives on a stream, so that somebody can tell a slow caller from a dead one.
/// </summary>
internal interface IArrivals
{
    /// <summary>Something arrived.</summary>
    /// <param name="within">Whether a message has begun and not ended.</param>
    void Arrived(bool within);
}

/// <summary>
/// Reads gRPC's frames: a compressed flag, a big-endian length, that many bytes. What a length claims is checked before
/// anything is rented, memory grows with what arrives, and each byte is held against the server's limit.
/// </summary>
internal static class MessageReader
{
    /// <summary>The one message of a unary call: read to the end, and nothing may follow.</summary>
    public static ValueTask<MessageRead> ReadOnlyAsync(HttpContext http, ServerContext server) =>
        ReadAsync(http, server, isAlone: true, arrivals: null);

    /// <summary>The next message of a stream.</summary>
    public static ValueTask<MessageRead> ReadNextAsync(HttpContext http, ServerContext server, IArrivals arrivals) =>
        ReadAsync(http, server, isAlone: false, arrivals);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<MessageRead> ReadAsync(
        HttpContext http, ServerContext server, bool isAlone, IArrivals? arrivals)
    {
        var reader = http.Request.BodyReader;
        var frame = new Frame(http.Request.Headers, server, isAlone);
        try
        {
            while (true)
            {
                // Without a token: Kestrel ends the read itself when the caller resets the stream.
                var read = await reader.ReadAsync().ConfigureAwait(false);
                var done = frame.Take(read, out var consumed);
                reader.AdvanceTo(consumed, done ? consumed : read.Buffer.End);
                if (done)
                    return frame.Close();
                arrivals?.Arrived(frame.HasBegun);
            }
        }
        catch (BadHttpRequestException bad)
        {
            return frame.Close(new(FaultKind.InputIncomplete, $"The message is incomplete or broken: {bad.Message}"));
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return frame.Close(new(FaultKind.Cancelled, "The caller went away while it sent a message."));
        }
    }

    /// <summary>One frame as it arrives.</summary>
    private struct Frame(IHeaderDictionary headers, ServerContext server, bool isAlone)
    {
        private readonly int _most = server.Snapshot.Server.BodyBytesMax;
        private RequestBody _body;
        private Fault? _fault;
        private Instant _began;
        private string? _encoding;
        private long _length = -1;
        private bool _ended;

        /// <summary>Its head has come.</summary>
        public readonly bool HasBegun => _length >= 0;

        /// <summary>Takes what arrived; true when the frame, or the stream, is at its end.</summary>
        public bool Take(in ReadResult read, out SequencePosition consumed)
        {
            var rest = read.Buffer;
            consumed = rest.Start;
            if (read.IsCanceled)
                return _ended = true;
            if (!HasBegun && (rest.Length < WireBuffer.FrameHead || ReadHead(ref rest)))
                return _fault is not null || (read.IsCompleted && EndsEarly(rest));
            var done = TakeBody(ref rest, read.IsCompleted);
            consumed = rest.Start;
            return done;
        }

        /// <summary>As above, behind the head.</summary>
        private bool TakeBody(ref ReadOnlySequence<byte> rest, bool isLast)
        {
            var part = rest.Slice(0, Math.Min(rest.Length, _length - _body.Length));
            _fault = part.IsEmpty ? null : _body.Append(part, server, _length, _most);
            rest = rest.Slice(part.End);
            if (_fault is not null)
                return true;
            if (_body.Length < _length)
                return isLast && EndsEarly(rest);
            if (!isAlone)
                return true;
            if (!rest.IsEmpty)
                _fault = Broken("more than one message came, or the message is longer than its frame says");
            return isLast || _fault is not null;
        }

        /// <summary>The message, decompressed.</summary>
        public MessageRead Close(Fault? fault = null)
        {
            _fault ??= fault;
            if (_fault is null && !_ended && _encoding is not null)
                _fault = MessageInflater.Inflate(_encoding, ref _body, server);
            return new(_body, _fault, _ended, _began);
        }

        /// <summary>True when there is nothing more to take because of what it says.</summary>
        private bool ReadHead(ref ReadOnlySequence<byte> rest)
        {
            Span<byte> head = stackalloc byte[WireBuffer.FrameHead];
            rest.Slice(0, WireBuffer.FrameHead).CopyTo(head);
            rest = rest.Slice(WireBuffer.FrameHead);
            _began = server.Serving.Clock.Now;
            _length = BinaryPrimitives.ReadUInt32BigEndian(head[1..]);
            if (_length > _most)
            {
                _fault = new(
                    FaultKind.InputTooLarge,
                    $"The message has {_length:N0} bytes; at most {_most:N0} are taken. Send less at a time, or raise "
                    + "server.bodyBytesMax.");
            }
            else if (head[0] > 1)
            {
                _fault = Broken($"the compressed flag of a frame is {head[0]}; it is 0 or 1");
            }
            else if (head[0] == 1)
            {
                _fault = MessageInflater.Check(headers, out _encoding);
            }

            return _fault is not null;
        }

        /// <summary>The caller sends no more: well between two messages of a stream, badly anywhere else.</summary>
        private bool EndsEarly(in ReadOnlySequence<byte> rest)
        {
            if (HasBegun)
                _fault = Broken($"its frame says {_length:N0} bytes, and {_body.Length:N0} came");
            else if (!rest.IsEmpty)
                _fault = Broken($"it ends inside a frame's head, after {rest.Length} of {WireBuffer.FrameHead} bytes");
            else if (isAlone)
                _fault = Broken("there is none");
            else
                _ended = true;
            return true;
        }

        private static Fault Broken(string how) => new(
            FaultKind.InputIncomplete, $"The message is incomplete or broken: {how}.");
    }
}
