using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using Spillway.Tests.Server;

namespace Spillway.Tests.Protocols.Grpc;

/// <summary>Calls by hand over HTTP/2, also such as no honest client makes.</summary>
internal static class GrpcCalls
{
    public const string Service = "/inference.GRPCInferenceService/";

    /// <summary>A client of the gRPC port.</summary>
    public static HttpClient Client(TestServer server) => Client(server.Grpc!);

    /// <summary>A client of an address that speaks HTTP/2.</summary>
    public static HttpClient Client(Uri address) => new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = address,
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TestServer.Patience,
    };

    /// <summary>A call of one message.</summary>
    public static Task<GrpcReply> CallAsync(
        this HttpClient client, string path, byte[] message, params (string Name, string Value)[] headers) =>
        client.SendAsync(path, new ByteArrayContent(Proto.Frame(message)), headers);

    /// <summary>ModelInfer.</summary>
    public static Task<GrpcReply> InferAsync(
        this HttpClient client, byte[] message, params (string Name, string Value)[] headers) =>
        client.CallAsync(Service + "ModelInfer", message, headers);

    /// <summary>A call of any bytes.</summary>
    public static Task<GrpcReply> RawAsync(
        this HttpClient client, byte[] body, params (string Name, string Value)[] headers) =>
        client.SendAsync(Service + "ModelInfer", new ByteArrayContent(body), headers);

    public static async Task<GrpcReply> SendAsync(
        this HttpClient client, string path, HttpContent body, params (string Name, string Value)[] headers)
    {
        using var response = await client.SendAsync(Request(path, body, headers));
        return new(response, await response.Content.ReadAsByteArrayAsync());
    }

    public static HttpRequestMessage Request(string path, HttpContent body, (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = body, Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Add("TE", "trailers");
        body.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");
        foreach (var (name, value) in headers)
        {
            if (name == "Host")
                request.Headers.Host = value;
            else
                Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return request;
    }
}

/// <summary>A whole answer.</summary>
internal sealed class GrpcReply(HttpResponseMessage response, byte[] body)
{
    public int HttpStatus { get; } = (int)response.StatusCode;

    private readonly Dictionary<string, string> _headers = response.Headers.Concat(response.TrailingHeaders)
        .ToDictionary(h => h.Key, h => h.Value.Single(), StringComparer.OrdinalIgnoreCase);

    /// <summary>grpc-status; -1 when there is none.</summary>
    public int Status => int.Parse(Header("grpc-status") ?? "-1", CultureInfo.InvariantCulture);

    /// <summary>grpc-message, decoded.</summary>
    public string Text => Uri.UnescapeDataString(Header("grpc-message") ?? "");

    /// <summary>The one message of the answer.</summary>
    public byte[] Message
    {
        get
        {
            Assert.True(Status == 0, $"{Status}: {Text}");
            Assert.Equal(0, body[0]);
            Assert.Equal(body.Length - 5, BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(1)));
            return body[5..];
        }
    }

    public string? Header(string name) => _headers.GetValueOrDefault(name);

    /// <summary>It is this refusal, in words that hold all of these.</summary>
    public GrpcReply Is(int status, params string[] says)
    {
        Assert.True(status == Status, $"{Status}: {Text}");
        Assert.Empty(body);
        Assert.All(says, s => Assert.Contains(s, Text, StringComparison.Ordinal));
        return this;
    }
}

/// <summary>A call that stays open in both directions.</summary>
internal sealed class GrpcStreamCall : IAsyncDisposable
{
    private readonly OpenContent _content = new();
    private readonly HttpClient _client;
    private HttpResponseMessage? _response;
    private Stream? _answers;

    private GrpcStreamCall(HttpClient client) => _client = client;

    public static Task<GrpcStreamCall> OpenAsync(
        TestServer server, string method = "ModelStreamInfer", params (string Name, string Value)[] headers) =>
        OpenAsync(server.Grpc!, method, headers);

    public static async Task<GrpcStreamCall> OpenAsync(
        Uri address, string method = "ModelStreamInfer", params (string Name, string Value)[] headers)
    {
        var call = new GrpcStreamCall(GrpcCalls.Client(address));
        call._response = await call._client.SendAsync(
            GrpcCalls.Request(GrpcCalls.Service + method, call._content, headers),
                HttpCompletionOption.ResponseHeadersRead);
        call._answers = await call._response.Content.ReadAsStreamAsync();
        return call;
    }

    public Task SendAsync(byte[] message) => SendRawAsync(Proto.Frame(message));

    public async Task SendRawAsync(byte[] bytes)
    {
        var stream = await _content.Opened.WaitAsync(TestServer.Patience);
        await stream.WriteAsync(bytes);
        await stream.FlushAsync();
    }

    /// <summary>No more requests.</summary>
    public void End() => _content.End();

    /// <summary>The next answer; null at the end.</summary>
    public async Task<byte[]?> NextAsync()
    {
        using var patience = new CancellationTokenSource(TestServer.Patience);
        var head = new byte[5];
        if (await _answers!.ReadAtLeastAsync(head, 5, throwOnEndOfStream: false, patience.Token) == 0)
            return null;
        var message = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        await _answers.ReadExactlyAsync(message, patience.Token);
        return message;
    }

    /// <summary>Reads to the end, which is this status.</summary>
    public async Task EndsAsync(int status, params string[] says)
    {
        while (await NextAsync() is not null)
        {
        }

        var trailers = _response!.TrailingHeaders.Concat(_response.Headers)
            .ToDictionary(h => h.Key, h => h.Value.Single(), StringComparer.OrdinalIgnoreCase);
        var text = Uri.UnescapeDataString(trailers.GetValueOrDefault("grpc-message", ""));
        Assert.True(trailers["grpc-status"] == status.ToString(CultureInfo.InvariantCulture),
            $"{trailers["grpc-status"]}: {text}");
        Assert.All(says, s => Assert.Contains(s, text, StringComparison.Ordinal));
    }

    public ValueTask DisposeAsync()
    {
        _response?.Dispose();
        _content.End();
        _client.Dispose();
        return default;
    }

    private sealed class OpenContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Stream> Opened => _opened.Task;

        public void End() => _ended.TrySetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            _opened.TrySetResult(stream);
            await _ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
