using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;

namespace Spillway.Tests.Server;

/// <summary>Compressed bodies, both ways. The server of the class takes 64 KiB a body.</summary>
public sealed class CompressionTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private const string HeaderLength = "Inference-Header-Content-Length";
    private readonly TestServer _server = fixture.Server;

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("deflate")]
    [InlineData("bare")]
    [InlineData("identity")]
    public async Task A_compressed_body_is_answered_like_the_plain_one(string form)
    {
        var body = Pack(form, Encoding.UTF8.GetBytes(TestServer.Row()));
        var reply = await SendAsync(body, form is "bare" ? "deflate" : form);
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
    }

    /// <summary>zlib.compress and gzip.compress of Python, as Triton's own client sends them.</summary>
    [Theory]
    [InlineData("deflate", "eJyrVsrMKygtKVayUoiuVspLzE0FspQqlHQUlIozEgtAvGhDHQWTWKBASmJJYkklWEzJLcDYSAkqBlVj"
        + "pKNgDFJZG1sLAD44F7g=")]
    [InlineData("gzip", "H4sIAAAAAAACA6tWyswrKC0pVrJSiK5WykvMTQWylCqUdBSUijMSC0C8aEMdBZNYoEBKYkliSSVYTMkt"
        + "wNhICSoGVWOko2AMUlkbWwsAJ6lfrVYAAAA=")]
    public async Task What_Python_compresses_is_read(string encoding, string base64)
    {
        var reply = await SendAsync(Convert.FromBase64String(base64), encoding);
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal([1, 2, 3, 4], reply.Numbers("y"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task The_header_length_counts_the_inflated_JSON_of_a_binary_request(string encoding)
    {
        const string x = """{"name":"x","shape":[1,4],"datatype":"FP32","parameters":{"binary_data_size":16}}""";
        const string json = $$"""{"inputs":[{{x}}]}""";
        byte[] body = [.. Encoding.UTF8.GetBytes(json), .. new byte[16]];
        var reply = await SendAsync(Pack(encoding, body), encoding, (HeaderLength, $"{json.Length}"));
        Assert.True(reply.Status == 200, reply.Text);
        Assert.Equal([0, 0, 0, 0], reply.Numbers("y"));
        (await SendAsync(Pack(encoding, body), encoding, (HeaderLength, $"{body.Length + 1}")))
            .Is(400, "invalid_input", "inference header size should be in range (0, 110)");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_bomb_is_refused_as_soon_as_it_passes_the_limit(string encoding)
    {
        var bomb = Pack(encoding, new byte[50_000_000]);
        Assert.InRange(bomb.Length, 1, 65_536);
        var reply = await SendAsync(bomb, encoding, ("X-Request-Id", $"bomb-{encoding}"));
        reply.Is(413, "input_too_large", $"inflates ({encoding}) to more than 65,536 bytes", "server.bodyBytesMax");
        var record = await _server.RecordAsync($"bomb-{encoding}");
        Assert.Equal(65_537, record.GetProperty("bytes_in").GetInt64());
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task A_body_that_is_exactly_the_limit_is_read_and_one_byte_more_is_not()
    {
        var row = TestServer.Row();
        var exact = row + new string(' ', 65_536 - row.Length);
        Assert.Equal(200, (await SendAsync(Pack("gzip", Encoding.UTF8.GetBytes(exact)), "gzip")).Status);
        (await SendAsync(Pack("gzip", Encoding.UTF8.GetBytes(exact + " ")), "gzip")).Is(413, "input_too_large");
    }

    [Fact]
    public async Task Compressed_bytes_without_end_that_inflate_to_nothing_are_bounded_too()
    {
        // Empty stored blocks of bare deflate, each five bytes, none the last.
        var blocks = Enumerable.Repeat<byte[]>([0, 0, 0, 0xff, 0xff], 40_000).SelectMany(b => b).ToArray();
        using var content = new StreamContent(new MemoryStream(blocks));
        content.Headers.ContentEncoding.Add("deflate");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/echo/infer") { Content = content };
        request.Headers.TransferEncodingChunked = true;
        (await _server.SendAsync(request)).Is(413, "input_too_large");
        await _server.AssertAliveAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("bare")]
    public async Task A_damaged_or_truncated_body_is_a_400_that_says_so(string form)
    {
        var encoding = form is "bare" ? "deflate" : form;
        var random = new Random(7);
        var numbers = string.Join(',', Enumerable.Range(0, 4).Select(_ => random.NextSingle()));
        var text = Encoding.UTF8.GetBytes(TestServer.Row().Replace("1,2,3,4", numbers, StringComparison.Ordinal));
        var whole = Pack(form, text);
        foreach (var length in (int[])[1, 2, whole.Length / 2, whole.Length - 5])
            (await SendAsync(whole[..length], encoding)).Is(400, "invalid_input", $"not whole {encoding} data");
        if (form is not "bare")
        {
            whole[^3] ^= 0x55;
            (await SendAsync(whole, encoding)).Is(400, "invalid_input", $"not whole {encoding} data");
        }

        (await SendAsync("{\"inputs\":[]}"u8.ToArray(), encoding)).Is(400, "invalid_input");
        (await SendAsync([], encoding)).Is(400, "invalid_input", "The request body is empty");
        await _server.AssertAliveAsync();
    }

    [Fact]
    public async Task A_preset_dictionary_is_no_reason_to_hang_or_to_blame_the_caller_for_leaving() =>
        (await SendAsync([0x78, 0xbb, 1, 2, 3, 4, 5, 6, 7, 8], "deflate"))
            .Is(400, "invalid_input", "not whole deflate data");

    [Theory]
    [InlineData("br")]
    [InlineData("gzip, deflate")]
    [InlineData("zstd")]
    public async Task Another_or_a_double_encoding_is_a_501_that_names_it_and_what_is_taken(string encoding)
    {
        var reply = await SendAsync([1, 2, 3], encoding);
        reply.Is(501, "unsupported", $"Content-Encoding: {encoding}");
        Assert.Equal("gzip, deflate", reply.Header("Accept-Encoding"));
    }

    [Theory]
    [InlineData("gzip", false)]
    [InlineData("deflate", false)]
    [InlineData("gzip", true)]
    [InlineData("deflate", true)]
    public async Task An_answer_is_compressed_for_who_takes_it_and_inflates_to_the_plain_one(
        string encoding, bool binary)
    {
        var plain = await AskWideAsync(width: 4_000, binary, "");
        var packed = await AskWideAsync(width: 4_000, binary, encoding);
        Assert.Null(plain.Header("Vary"));
        Assert.Null(plain.Header("Content-Encoding"));
        Assert.Equal(encoding, packed.Header("Content-Encoding"));
        Assert.Equal("Accept-Encoding", packed.Header("Vary"));
        Assert.Equal(plain.Header(HeaderLength), packed.Header(HeaderLength));
        Assert.Equal(plain.Header("Content-Type"), packed.Header("Content-Type"));
        Assert.Equal($"{packed.Body.Length}", packed.Header("Content-Length"));
        Assert.InRange(packed.Body.Length, 1, plain.Body.Length / 4);
        Assert.Equal(plain.Body, Unpack(encoding, packed.Body));
        var record = await _server.RecordAsync(packed.Header("X-Request-Id")!);
        Assert.Equal(packed.Body.Length, record.GetProperty("bytes_out").GetInt64());
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_large_answer_goes_out_in_pieces_and_is_whole(string encoding)
    {
        var plain = await AskWideAsync(width: 300_000, binary: true, "");
        var packed = await AskWideAsync(width: 300_000, binary: true, encoding);
        var json = int.Parse(plain.Header(HeaderLength)!, CultureInfo.InvariantCulture);
        Assert.Equal(json + 1_200_000, plain.Body.Length);
        Assert.Equal(plain.Body, Unpack(encoding, packed.Body));
        Assert.Equal(plain.Header(HeaderLength), packed.Header(HeaderLength));
    }

    [Theory]
    [InlineData("gzip;q=0")]
    [InlineData("br")]
    [InlineData("identity, gzip;q=0.5")]
    public async Task Who_does_not_want_it_gets_the_plain_answer(string accept)
    {
        var reply = await AskWideAsync(width: 4_000, binary: false, accept);
        Assert.Null(reply.Header("Content-Encoding"));
        Assert.Equal("Accept-Encoding", reply.Header("Vary"));
        Assert.Equal(4_000, reply.Numbers("y").Length);
    }

    [Fact]
    public async Task A_small_answer_and_a_refusal_are_sent_as_they_are()
    {
        var small = await _server.InferAsync("echo", TestServer.Row(), ("Accept-Encoding", "gzip"));
        Assert.Null(small.Header("Content-Encoding"));
        Assert.Equal([1, 2, 3, 4], small.Numbers("y"));
        var refused = await _server.InferAsync("echo", "{", ("Accept-Encoding", "gzip"));
        Assert.Null(refused.Header("Content-Encoding"));
        refused.Is(400, "invalid_input");
    }

    [Fact]
    public async Task Metrics_are_compressed_too()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        var reply = await _server.SendAsync(request);
        Assert.Equal("gzip", reply.Header("Content-Encoding"));
        Spillway.Tests.Telemetry.Exposition.Parse(Unpack("gzip", reply.Body));
    }

    private Task<Reply> AskWideAsync(int width, bool binary, string accept) => _server.InferAsync(
        width == 4_000 ? "wide" : "widest",
        Encoding.UTF8.GetBytes(TestServer.Row($"\"binary_data_output\":{(binary ? "true" : "false")}")),
        accept.Length > 0 ? [("Accept-Encoding", accept)] : []);

    private Task<Reply> SendAsync(byte[] body, string encoding, params (string Name, string Value)[] more)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/echo/infer");
        request.Content = new ByteArrayContent(body);
        Assert.True(request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding));
        foreach (var (name, value) in more)
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        return _server.SendAsync(request);
    }

    private static byte[] Pack(string form, byte[] data)
    {
        if (form is "identity")
            return data;
        var packed = new MemoryStream();
        using (Stream deflater = form switch
        {
            "deflate" => new ZLibStream(packed, CompressionMode.Compress),
            "bare" => new DeflateStream(packed, CompressionMode.Compress),
            _ => new GZipStream(packed, CompressionMode.Compress),
        })
            deflater.Write(data);
        return packed.ToArray();
    }

    private static byte[] Unpack(string encoding, byte[] data)
    {
        var plain = new MemoryStream();
        using (Stream inflater = encoding is "gzip"
            ? new GZipStream(new MemoryStream(data), CompressionMode.Decompress)
            : new ZLibStream(new MemoryStream(data), CompressionMode.Decompress))
            inflater.CopyTo(plain);
        return plain.ToArray();
    }
}
