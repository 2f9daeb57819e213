using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// Compressed messages: gzip, and deflate, which means zlib's format here as in HTTP. The limit counts what comes out,
/// and unpacking stops there, so that a small message cannot become a large one.
/// </summary>
internal static class MessageInflater
{
    /// <summary>The encodings that are taken, as grpc-accept-encoding lists them.</summary>
    public const string Accepted = "identity,deflate,gzip";

    private const int ChunkSize = 16 * 1024;

    /// <summary>
    /// What a compressed message was compressed with; a fault when nobody said so, or it is not known.
    /// </summary>
    public static Fault? Check(IHeaderDictionary headers, out string? encoding)
    {
        encoding = headers.TryGetValue("grpc-encoding", out var given) ? given.ToString() : null;
        return encoding switch
        {
            "gzip" or "deflate" => null,
            null or "identity" => new(
                FaultKind.InputIncomplete,
                "The message is incomplete or broken: its compressed flag is set, and the header grpc-encoding names "
                + "no compression."),
            _ => new(
                FaultKind.Unsupported,
                $"The compression '{(encoding.Length > 40 ? encoding[..40] + "…" : encoding)}' (grpc-encoding) is not "
                + $"supported. Use one of {Accepted}."),
        };
    }

    /// <summary>Replaces a body by what it holds.</summary>
    public static Fault? Inflate(string encoding, ref RequestBody body, ServerContext server)
    {
        var packed = body;
        body = default;
        var chunk = ArrayPool<byte>.Shared.Rent(ChunkSize);
        try
        {
            using var stream = Open(encoding, packed, out var source);
            while (stream.Read(chunk) is > 0 and var count)
            {
                var piece = new ReadOnlySequence<byte>(chunk, 0, count);
                if (body.Append(piece, server, announced: null, server.Snapshot.Server.BodyBytesMax) is { } fault)
                    return fault;
            }

            return source.IsWhole(encoding, body.Length) ? null : new(FaultKind.InputIncomplete,
                $"The message is incomplete or broken: its {encoding} data ends too early.");
        }
        catch (InvalidDataException bad)
        {
            return new(FaultKind.InputIncomplete,
                $"The message is incomplete or broken: it is no {encoding}: {bad.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
            packed.Discard(server);
        }
    }

    private static Stream Open(string encoding, in RequestBody packed, out Packed source)
    {
        var bytes = packed.Length == 0 ? default : packed.Memory[RequestBody.Headroom..];
        MemoryMarshal.TryGetArray<byte>(bytes, out var array);
        source = new Packed(array.Array ?? [], array.Offset, array.Count);
        return encoding == "gzip"
            ? new GZipStream(source, CompressionMode.Decompress)
            : new ZLibStream(source, CompressionMode.Decompress);
    }

    /// <summary>
    /// The packed bytes. The inflater tells damaged data but not a missing end, so this does: zlib has ended when no
    /// more was asked for than there is; gzip is asked for a further member, but ends with the length of what it held.
    /// </summary>
    private sealed class Packed(byte[] bytes, int offset, int count) : MemoryStream(bytes, offset, count, writable: false)
    {
        /// <summary>A header and a trailer around nothing.</summary>
        private const int GzipBytesMin = 18;

        private readonly ReadOnlyMemory<byte> _all = bytes.AsMemory(offset, count);
        private bool _ranDry;

        public override int Read(Span<byte> buffer) => Noted(base.Read(buffer), buffer.Length);

        public override int Read(byte[] buffer, int offset, int count) => Noted(base.Read(buffer, offset, count), count);

        public bool IsWhole(string encoding, long inflated) => _all.IsEmpty || (encoding == "gzip"
            ? _all.Length >= GzipBytesMin && BinaryPrimitives.ReadUInt32LittleEndian(_all.Span[^4..]) == (uint)inflated
            : !_ranDry);

        private int Noted(int read, int asked)
        {
            _ranDry |= read == 0 && asked > 0;
            return read;
        }
    }
}
