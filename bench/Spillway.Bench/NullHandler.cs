using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Spillway.Bench;

/// <summary>
/// What HTTP alone costs here: Kestrel set up as the server sets it up, the same body read to its end, an answer of the
/// same size that was made beforehand. Any method, any path.
/// </summary>
internal static class NullHandler
{
    /// <summary>As the command line says.</summary>
    public static async Task RunAsync(Arguments arguments)
    {
        var batch = arguments.Number("--batch", 0);
        using var held = batch > 0 ? new HeldHandler(batch, arguments.Number("--busy-us", 0)) : null;
        await RunAsync(arguments.Number("--port", null), arguments.Number("--bytes", 64), held);
    }

    /// <param name="port">Of 127.0.0.1.</param>
    /// <param name="answerBytes">Size of the answer.</param>
    /// <param name="held">Holds requests up in batches; null answers at once.</param>
    private static async Task RunAsync(int port, int answerBytes, HeldHandler? held)
    {
        var answer = new byte[answerBytes];
        answer.AsSpan().Fill((byte)' ');
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, port, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.Configure<SocketTransportOptions>(static o => o.UnsafePreferInlineScheduling = true);
        await using var app = builder.Build();
        app.Run(http => held is null ? AnswerAsync(http, answer) : held.AnswerAsync(http, answer));
        await app.StartAsync();
        Console.WriteLine($"Ready: null on {app.Urls.First()}");
        await app.WaitForShutdownAsync();
    }

    private static async Task AnswerAsync(HttpContext http, byte[] answer)
    {
        await ReadAsync(http);
        await WriteAsync(http, answer);
    }

    /// <summary>The body, to its end.</summary>
    public static async ValueTask ReadAsync(HttpContext http)
    {
        var body = http.Request.BodyReader;
        while (true)
        {
            var read = await body.ReadAsync();
            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }
    }

    /// <summary>The answer.</summary>
    public static async ValueTask WriteAsync(HttpContext http, byte[] answer)
    {
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = answer.Length;
        http.Response.BodyWriter.Write(answer);
        await http.Response.BodyWriter.FlushAsync();
    }
}
