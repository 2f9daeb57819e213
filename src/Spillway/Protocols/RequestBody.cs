using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols;

/// <summary>
/// Reads a body into one pooled buffer with a little room in front. The buffer grows with what arrives, never with
/// what a header claims, and every byte of it is held against the server's limit while it lives.
/// </summary>
internal struct RequestBody
{
    /// <summary>Room before the body, for the length of a raw byte string.</summary>
    public const int Headroom = OpenInference.InferRequestReader.RawHeadroom;

    /// <summary>The first buffer is at most this large, whatever Content-Length claims.</summary>
    private const int FirstMax = 256 * 1024;

    private byte[]? _buffer;

    /// <summary>Bytes of the body.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes held against the server's limit.</summary>
    public long Held { get; private set; }

    /// <summary>Headroom and body.</summary>
    public readonly Memory<byte> Memory => _buffer.AsMemory(0, Headroom + Length);

    /// <summary>
    /// Reads to the end, and inflates what is compressed: the limit then counts what comes out. A fault when it is too
    /// large, stops, is damaged, or the server is full.
    /// </summary>
    public static ValueTask<(RequestBody Body, Fault? Fault)> ReadAsync(HttpContext http, ServerContext server)
    {
        var encoding = http.Request.Headers.ContentEncoding;
        if (encoding.Count == 0)
            return ReadPlainAsync(http, server);
        if (!ContentCodings.Read(encoding).TryGet(out var coding, out var fault))
        {
            http.Response.Headers.AcceptEncoding = ContentCodings.Known;
            return new((default(RequestBody), fault));
        }

        return coding is ContentCoding.Identity ? ReadPlainAsync(http, server) : InflateAsync(http, server, coding);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<(RequestBody Body, Fault? Fault)> ReadPlainAsync(
        HttpContext http, ServerContext server)
    {
        var body = default(RequestBody);
        var most = server.Snapshot.Server.BodyBytesMax;
        if (http.Request.ContentLength > most)
            return (body, TooLarge(http.Request.ContentLength.Value, most));
        var reader = http.Request.BodyReader;
        try
        {
            while (true)
            {
                // Without a token: Kestrel ends the read itself when the connection does, and a token costs every
                // request.
                var read = await reader.ReadAsync().ConfigureAwait(false);
                var fault = body.Append(read.Buffer, server, http.Request.ContentLength, most);
                reader.AdvanceTo(read.Buffer.End);
                if (fault is not null || read.IsCompleted)
                    return (body, fault);
            }
        }
        catch (BadHttpRequestException bad)
        {
            return (body, Judge(bad, most));
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return (body, new(FaultKind.Cancelled, "The caller went away while it sent the body."));
        }
    }

    /// <summary>Hands the buffer to the tensors that refer to it.</summary>
    public readonly void GiveTo(TensorSet tensors)
    {
        if (_buffer is not null)
            tensors.Adopt(_buffer);
    }

    /// <summary>
    /// One byte beyond the limit is asked for and no more, so a bomb is known as soon as it passes the limit.
    /// </summary>
    private static async ValueTask<(RequestBody Body, Fault? Fault)> InflateAsync(
        HttpContext http, ServerContext server, ContentCoding coding)
    {
        var body = default(RequestBody);
        var most = server.Snapshot.Server.BodyBytesMax;
        if (http.Request.ContentLength > most)
            return (body, TooLarge(http.Request.ContentLength.Value, most));
        using var source = new CompressedSource(http.Request.BodyReader, most);
        try
        {
            using var inflated = await source.InflateAsync(coding).ConfigureAwait(false);
            while (true)
            {
                if (body.MakeRoom(server, http.Request.ContentLength ?? 0, most) is { } full)
                    return (body, full);
                var read = await inflated.ReadAsync(body.Room(most)).ConfigureAwait(false);
                body.Length += read;
                if (body.Length > most)
                    return (body, InflatesTooLarge(coding, most));
                if (read == 0)
                    return (body, Ended(source, coding, body.Length, most));
            }
        }
        catch (Exception broken) when (broken is InvalidDataException || (broken is IOException && !source.Failed))
        {
            return (body, source.Exceeded ? TooLarge(most + 1L, most) : Damaged(coding, body.Length));
        }
        catch (BadHttpRequestException bad)
        {
            return (body, Judge(bad, most));
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return (body, new(FaultKind.Cancelled, "The caller went away while it sent the body."));
        }
    }

    private static Fault? Ended(CompressedSource source, ContentCoding coding, int length, int most) =>
        source.Exceeded ? TooLarge(most + 1L, most)
        : source.IsWhole(coding, length) ? null
        : Damaged(coding, length);

    /// <summary>The rest of the buffer, up to one byte beyond the limit.</summary>
    private readonly Memory<byte> Room(int most)
    {
        var free = _buffer.AsMemory(Headroom + Length);
        return free[..(int)Math.Min(free.Length, most + 1L - Length)];
    }

    /// <summary>At least one free byte: at first four times what was announced, then twice what there is.</summary>
    private Fault? MakeRoom(ServerContext server, long announced, int most)
    {
        if (_buffer is not null && Headroom + Length < _buffer.Length)
            return null;
        var wanted = _buffer is null ? Math.Clamp(4 * announced, 4096, FirstMax) : 2L * Length;
        return Grow((int)Math.Min(wanted, most + 1L), server);
    }

    /// <summary>Returns the buffer of a body that nobody took over, and its room.</summary>
    public void Discard(ServerContext server)
    {
        if (_buffer is not null)
            ArrayPool<byte>.Shared.Return(_buffer);
        server.LetGo(Held);
        this = default;
    }

    /// <summary>
    /// Adds what arrived. A fault when it is too large or the server is full; the body stays as it was.
    /// </summary>
    /// <param name="arrived">The next bytes.</param>
    /// <param name="server">Whose room it takes.</param>
    /// <param name="announced">How long the whole is said to be: a hint, never an order.</param>
    /// <param name="most">The longest body.</param>
    public Fault? Append(in ReadOnlySequence<byte> arrived, ServerContext server, long? announced, int most)
    {
        var length = Length + arrived.Length;
        if (length > most)
            return TooLarge(length, most);
        if (_buffer is null || Headroom + length > _buffer.Length)
        {
            var wanted = Math.Max(length, Math.Min(Math.Max(announced ?? 0, 2L * Length), Math.Max(FirstMax, 2L * Length)));
            if (Grow((int)Math.Min(wanted, most), server) is { } full)
                return full;
        }

        arrived.CopyTo(_buffer.AsSpan(Headroom + Length));
        Length = (int)length;
        return null;
    }

    private Fault? Grow(int wanted, ServerContext server)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Headroom + wanted);
        var more = buffer.Length - (_buffer?.Length ?? 0);
        if (!server.TryHold(more))
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return server.Full();
        }

        Held += more;
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, Headroom + Length).CopyTo(buffer);
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = buffer;
        return null;
    }

    private static Fault TooLarge(long bytes, int most) => new(
        FaultKind.InputTooLarge,
        $"The request body has {bytes:N0} bytes or more; at most {most:N0} are taken. Send less at a time, or raise server.bodyBytesMax.");

    private static Fault Damaged(ContentCoding coding, int inflated) => Fault.Invalid(
        $"The request body is not whole {coding.Name()} data (Content-Encoding): it is damaged or cut short after "
        + $"{inflated:N0} inflated bytes. Send it anew, or as it is.");

    private static Fault InflatesTooLarge(ContentCoding coding, int most) => new(
        FaultKind.InputTooLarge,
        $"The request body inflates ({coding.Name()}) to more than {most:N0} bytes, the most that are taken. "
        + "Send less at a time, or raise server.bodyBytesMax.");

    private static Fault Judge(BadHttpRequestException bad, int most) => bad.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => TooLarge(most + 1L, most),
        StatusCodes.Status408RequestTimeout => new(
            FaultKind.InputIncomplete, "The request body arrived too slowly and was given up. Send it faster, or in smaller requests."),
        _ => new(FaultKind.InputIncomplete, $"The request body is incomplete or broken: {bad.Message}"),
    };
}
