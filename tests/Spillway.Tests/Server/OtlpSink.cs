using System.Collections.Concurrent;
using System.IO.Compression;
using Spillway.Tests.App.Load;
using Spillway.Tests.Telemetry.Otlp;

namespace Spillway.Tests.Server;

/// <summary>An OTLP/HTTP receiver on a free port that keeps what arrives and answers as a test says.</summary>
internal sealed class OtlpSink : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Head, byte[] Body)> _arrived = new();
    private readonly ScriptedServer _server;

    /// <param name="answer">The answer to the n-th request, from 1; null takes everything.</param>
    public OtlpSink(Func<int, Task<byte[]?>>? answer = null) => _server = new(request =>
    {
        _arrived.Enqueue((request.Head, request.Body));
        return answer?.Invoke(request.Number) ?? Task.FromResult<byte[]?>(ScriptedServer.Ok(""));
    });

    public string Url => _server.Url;

    public IReadOnlyList<(string Head, byte[] Body)> Arrived => [.. _arrived];

    /// <summary>Every span so far.</summary>
    public List<Span> Spans => [.. Bodies("/v1/traces").SelectMany(body => Span.Read(body).Spans)];

    /// <summary>Every export of metrics so far, by the names of the families.</summary>
    public List<Dictionary<string, ProtoMessage>> Metrics =>
    [
        .. Bodies("/v1/metrics").Select(body => new ProtoMessage(body).Message(1).Message(2).Messages(2)
            .ToDictionary(metric => metric.Text(1))),
    ];

    public static byte[] Status(int status, string headers = "") => System.Text.Encoding.ASCII.GetBytes(
        $"HTTP/1.1 {status} x\r\n{headers}Content-Length: 0\r\n\r\n");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private IEnumerable<byte[]> Bodies(string path) =>
        Arrived.Where(a => a.Head.StartsWith($"POST {path} HTTP/1.1\r\n", StringComparison.Ordinal)).Select(a =>
        {
            Assert.Contains("Content-Type: application/x-protobuf\r\n", a.Head, StringComparison.Ordinal);
            return a.Head.Contains("Content-Encoding: gzip\r\n", StringComparison.Ordinal) ? Unzip(a.Body) : a.Body;
        });

    private static byte[] Unzip(byte[] body)
    {
        using var into = new MemoryStream();
        using var gzip = new GZipStream(new MemoryStream(body), CompressionMode.Decompress);
        gzip.CopyTo(into);
        return into.ToArray();
    }
}
