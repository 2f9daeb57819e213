using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Spillway.Runtimes.Simulated.Chat;

namespace Spillway.App.Simulate;

/// <summary>
/// A simulated language model's server on a port of this machine, for whoever tests a gateway: paces its answers and
/// misbehaves over a real connection. A request asks for a misbehaviour by its model's name, or by the header
/// X-Simulate.
/// </summary>
internal sealed class SimulatedModelServer : IAsyncDisposable
{
    /// <summary>In: the misbehaviour of one request, in the words of its models.</summary>
    public const string HeaderName = "X-Simulate";

    private const int BodyBytesMax = 64 * 1024 * 1024;

    private readonly WebApplication _app;
    private readonly SimulatedChat _chat;
    private readonly TimeProvider _time;
    private int _requests;
    private int _under;
    private int _left;

    private SimulatedModelServer(SimulatedChatOptions options, TimeProvider time, int port)
    {
        (_chat, _time) = (new(options, time), time);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>Such as http://127.0.0.1:18080.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features
        .Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Requests that came.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Requests that are being answered.</summary>
    public int Under => Volatile.Read(ref _under);

    /// <summary>Requests whose caller went away before the answer's end.</summary>
    public int Left => Volatile.Read(ref _left);

    /// <summary>The last request's body, as it came.</summary>
    public ReadOnlyMemory<byte> LastBody { get; private set; }

    /// <summary>The last request's key: Authorization without Bearer, or api-key.</summary>
    public string LastKey { get; private set; } = "";

    /// <summary>The last request's path and query.</summary>
    public string LastPath { get; private set; } = "";

    /// <summary>The only key that is taken; empty takes every one. For tests of keys.</summary>
    public string KeyTaken { get; set; } = "";

    /// <summary>Starts one.</summary>
    /// <param name="options">Speed and faults.</param>
    /// <param name="port">0 takes a free one.</param>
    /// <param name="time">The clock of its pace.</param>
    public static async Task<SimulatedModelServer> StartAsync(
        SimulatedChatOptions options, int port = 0, TimeProvider? time = null)
    {
        var server = new SimulatedModelServer(options, time ?? TimeProvider.System, port);
        await server._app.StartAsync().ConfigureAwait(false);
        return server;
    }

    /// <summary>Until a signal ends it.</summary>
    public async Task UntilStoppedAsync(CancellationToken stop)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await _app.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private async Task AnswerAsync(HttpContext http)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Increment(ref _under);
        try
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted).ConfigureAwait(false);
            Remember(http.Request, body);
            var model = KeyTaken.Length > 0 && LastKey != KeyTaken
                ? SimulatedChat.NameOf(Misbehaviour.Unauthorized)
                : http.Request.Headers.TryGetValue(HeaderName, out var how) ? how.ToString() : null;
            var reply = _chat.Answer(
                http.Request.Path.Value ?? "", body.GetBuffer().AsSpan(0, (int)body.Length), model);
            await SendAsync(http, reply).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            Interlocked.Increment(ref _left);
        }
        finally
        {
            Interlocked.Decrement(ref _under);
        }
    }

    private void Remember(HttpRequest request, MemoryStream body)
    {
        (LastBody, LastPath) = (body.ToArray(), request.Path + request.QueryString);
        LastKey = request.Headers.TryGetValue("api-key", out var azure) ? azure.ToString()
            : request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal);
    }

    private async Task SendAsync(HttpContext http, SimulatedReply reply)
    {
        var gone = http.RequestAborted;
        if (reply.HangsBeforeHead)
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, gone).ConfigureAwait(false);
        var isStream = reply.ContentType == "text/event-stream";
        // A whole answer's head comes with its body.
        if (!isStream && reply.Pieces is [var first, ..])
            await WaitAsync(first.After, gone).ConfigureAwait(false);
        (http.Response.StatusCode, http.Response.ContentType) = (reply.Status, reply.ContentType);
        foreach (var (name, value) in reply.Headers)
            http.Response.Headers[name] = value;
        if (reply is { End: SimulatedEnd.Whole, Pieces: [var only] } && !isStream)
            http.Response.ContentLength = only.Bytes.Length;
        await http.Response.Body.FlushAsync(gone).ConfigureAwait(false);
        foreach (var (after, bytes) in reply.Pieces)
        {
            if (isStream)
                await WaitAsync(after, gone).ConfigureAwait(false);
            await http.Response.Body.WriteAsync(bytes, gone).ConfigureAwait(false);
            await http.Response.Body.FlushAsync(gone).ConfigureAwait(false);
        }

        if (reply.End is SimulatedEnd.Hangs)
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, gone).ConfigureAwait(false);
        // Kestrel then closes the connection behind what was sent; an abort could overtake it.
        if (reply.End is SimulatedEnd.Breaks)
            throw new BreakException();
    }

    /// <summary>An answer that ends too early, as it was asked to.</summary>
    private sealed class BreakException : Exception;

    private async Task WaitAsync(TimeSpan time, CancellationToken gone)
    {
        if (time > TimeSpan.Zero)
            await Task.Delay(time, _time, gone).ConfigureAwait(false);
        gone.ThrowIfCancellationRequested();
    }
}
