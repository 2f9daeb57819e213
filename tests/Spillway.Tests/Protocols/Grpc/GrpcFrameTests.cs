using System.IO.Compression;
using Spillway.Tests.Server;

namespace Spillway.Tests.Protocols.Grpc;

/// <summary>Frames and headers that no honest client sends.</summary>
public sealed class GrpcFrameTests(GrpcServer fixture) : IClassFixture<GrpcServer>
{
    private readonly TestServer _server = fixture.Server;
    private readonly HttpClient _client = fixture.Client;

    [Fact]
    public async Task Frames_that_lie_about_their_length_are_refused()
    {
        var row = Proto.Row("echo");
        (await _client.RawAsync([])).Is(13, "there is none");
        (await _client.RawAsync([0, 0, 0])).Is(13, "after 3 of 5 bytes");
        (await _client.RawAsync(Proto.Frame(row, claims: row.Length + 1)))
            .Is(13, $"says {row.Length + 1:N0} bytes, and {row.Length:N0} came");
        (await _client.RawAsync(Proto.Frame(row, claims: row.Length - 1))).Is(13, "longer than its frame says");
        (await _client.RawAsync([.. Proto.Frame(row), .. Proto.Frame(row)])).Is(13, "more than one message");
        (await _client.RawAsync(Proto.Frame(row, flag: 7))).Is(13, "flag of a frame is 7");
        (await _client.RawAsync(Proto.Frame([1, 2, 3]))).Is(13, "no valid protobuf");
        await AssertUnharmedAsync();
    }

    [Theory]
    [InlineData(65_537)]
    [InlineData(uint.MaxValue)]
    public async Task A_claim_beyond_the_limit_is_refused_before_anything_more_is_read(uint claim)
    {
        // The stream stays open: nothing but the five bytes of the head is ever sent.
        await using var call = await GrpcStreamCall.OpenAsync(_server);
        await call.SendRawAsync(Proto.Frame([], claims: claim));
        await call.EndsAsync(8, $"{claim:N0} bytes; at most 65,536", "server.bodyBytesMax");
        await AssertUnharmedAsync();
    }

    [Fact]
    public async Task Compression_must_be_named_and_known()
    {
        var row = Proto.Frame(Proto.Row("echo"), flag: 1);
        (await _client.RawAsync(row)).Is(13, "grpc-encoding names no compression");
        (await _client.RawAsync(row, ("grpc-encoding", "identity"))).Is(13, "grpc-encoding");
        var unknown = (await _client.RawAsync(row, ("grpc-encoding", "snappy")))
            .Is(12, "'snappy'", "identity,deflate,gzip");
        Assert.Equal("identity,deflate,gzip", unknown.Header("grpc-accept-encoding"));
        (await _client.RawAsync(row, ("grpc-encoding", "gzip"))).Is(13, "it is no gzip");
        (await _client.RawAsync(row, ("grpc-encoding", "deflate"))).Is(13, "it is no deflate");
        await AssertUnharmedAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_compressed_message_is_answered(string encoding)
    {
        var packed = Pack(encoding, Proto.Row("echo"));
        var reply = await _client.RawAsync(Proto.Frame(packed, flag: 1), ("grpc-encoding", encoding));
        Assert.Equal(Proto.Floats(1, 2, 3, 4), Proto.Field(reply.Message, 6));
        // An encoding may be announced and not used.
        Assert.Equal(0, (await _client.RawAsync(Proto.Frame(Proto.Row("echo")), ("grpc-encoding", encoding))).Status);
        await AssertUnharmedAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task The_limit_counts_what_comes_out_of_a_compressed_message(string encoding)
    {
        var bomb = Pack(encoding, new byte[30_000_000]);
        Assert.InRange(bomb.Length, 1, 65_000);
        (await _client.RawAsync(Proto.Frame(bomb, flag: 1), ("grpc-encoding", encoding))).Is(8, "at most 65,536");
        (await _client.RawAsync(Proto.Frame(Pack(encoding, Proto.Row("echo"))[..^12], flag: 1), ("grpc-encoding",
            encoding)))
            .Is(13, "incomplete or broken");
        await AssertUnharmedAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_compressed_message_without_its_end_is_refused_wherever_it_was_cut(string encoding)
    {
        var whole = Pack(encoding, Proto.Row("echo"));
        for (var cut = 1; cut < whole.Length; cut++)
        {
            var reply = await _client.RawAsync(Proto.Frame(whole[..^cut], flag: 1), ("grpc-encoding", encoding));
            Assert.True(reply.Status == 13, $"{cut} bytes are missing: status {reply.Status}");
        }

        await AssertUnharmedAsync();
    }

    [Fact]
    public async Task Only_gRPC_is_spoken_on_its_port()
    {
        foreach (var type in new[] { "application/json", "application/grpc-web", "application/grpc+json",
            "text/plain" })
        {
            var content = new ByteArrayContent(Proto.Frame(Proto.Row("echo")));
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            Assert.Equal(415, (await _client.SendAsync(GrpcCalls.Service + "ModelInfer", content)).HttpStatus);
        }

        (await _client.CallAsync("/inference.GRPCInferenceService/Nothing", []))
            .Is(12, "unknown service or method", "/Nothing");
        (await _client.CallAsync("/v2/models/echo/infer", [])).Is(12, "unknown service or method");
        (await _client.InferAsync(Proto.Row("echo"), ("grpc-timeout", "soon"))).Is(3, "'soon' is malformed");
        (await _client.InferAsync(Proto.Row("echo"), ("grpc-timeout", "0m"))).Is(4, "has passed already");
    }

    [Theory]
    [InlineData("Host", "example.org")]
    [InlineData("Host", "127.0.0.1.example.org")]
    [InlineData("Origin", "http://example.org")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task Whoever_REST_would_not_let_in_stays_outside(string header, string value)
    {
        var reply = (await _client.InferAsync(Proto.Row("echo"), (header, value))).Is(7);
        Assert.Equal("forbidden", reply.Header("X-Spillway-Fault"));
    }

    private static byte[] Pack(string encoding, byte[] plain)
    {
        using var packed = new MemoryStream();
        using (Stream stream = encoding == "gzip"
            ? new GZipStream(packed, CompressionLevel.Optimal)
            : new ZLibStream(packed, CompressionLevel.Optimal))
            stream.Write(plain);
        return packed.ToArray();
    }

    /// <summary>It answers, and holds not a byte of what was refused.</summary>
    private async Task AssertUnharmedAsync()
    {
        await _server.AssertAliveAsync();
        await TestServer.UntilAsync(async () =>
            (await _server.GetAsync("/admin/v1/server")).Json.GetProperty("body_bytes_held").GetInt64() == 0);
    }
}
