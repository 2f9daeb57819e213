using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Spillway.Hosting;

/// <summary>
/// Answers HTTP requests to OpenAI's paths in this process, without a socket: every client that takes an
/// <see cref="HttpMessageHandler"/> asks the routes here as it would those of a server elsewhere, with the same limits,
/// records and bills. Thread-safe.
/// </summary>
/// <param name="server">Whose routes.</param>
/// <param name="caller">As whom.</param>
internal sealed class InProcessHandler(SpillwayServer server, Caller caller) : HttpMessageHandler
{
    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var body = request.Content is { } content
            ? await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false) : Stream.Null;
        var answer = new InProcessAnswer();
        var http = Make(request, body, answer);
        using var leaving = cancellationToken.UnsafeRegister(static a => ((InProcessAnswer)a!).Abort(), answer);
        _ = AnswerAsync(http, answer);
        await answer.Head.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return Response(request, http, answer);
    }

    /// <summary>Ends with the request: whoever leaves aborts it.</summary>
    private async Task AnswerAsync(HttpContext http, InProcessAnswer answer)
    {
        try
        {
            await server.Front.HandleInsideAsync(http, caller).ConfigureAwait(false);
        }
        finally
        {
            await answer.CompleteAsync().ConfigureAwait(false);
            answer.Dispose();
        }
    }

    private static DefaultHttpContext Make(HttpRequestMessage request, Stream body, InProcessAnswer answer)
    {
        var features = new FeatureCollection();
        var asked = new HttpRequestFeature
        {
            Method = request.Method.Method, Path = request.RequestUri!.AbsolutePath, Protocol = "HTTP/1.1",
            Scheme = "http", QueryString = request.RequestUri.Query, Body = body,
        };
        features.Set<IHttpRequestFeature>(asked);
        features.Set<IHttpResponseFeature>(answer);
        features.Set<IHttpResponseBodyFeature>(answer);
        features.Set<IHttpRequestLifetimeFeature>(answer);
        foreach (var (name, values) in request.Headers.NonValidated)
            asked.Headers[name] = values.ToArray();
        if (request.Content is not null)
        {
            foreach (var (name, values) in request.Content.Headers.NonValidated)
                asked.Headers[name] = values.ToArray();
        }

        // It is part of what the application is doing.
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } && asked.Headers.TraceParent.Count == 0)
            asked.Headers.TraceParent = id;
        return new(features);
    }

    private static HttpResponseMessage Response(HttpRequestMessage request, HttpContext http, InProcessAnswer answer)
    {
        var response = new HttpResponseMessage((HttpStatusCode)http.Response.StatusCode)
        {
            RequestMessage = request, Content = new StreamContent(new LeavingStream(answer)),
        };
        foreach (var (name, values) in http.Response.Headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
                response.Content.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        return response;
    }

    /// <summary>The answer's body; who does not read it to its end aborts the request.</summary>
    private sealed class LeavingStream(InProcessAnswer answer) : Stream
    {
        private readonly Stream _from = answer.Reader.AsStream();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => _from.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _from.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(
            byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            _from.ReadAsync(buffer, offset, count, cancellationToken);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _from.Dispose();
                answer.Abort();
            }

            base.Dispose(disposing);
        }
    }
}
