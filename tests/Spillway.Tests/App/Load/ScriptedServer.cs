using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spillway.Tests.App.Load;

/// <summary>
/// A tiny HTTP server on a free port that answers with the very bytes a test gives it, so that it can also answer
/// wrongly. A null answer closes the connection.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    public const string Metadata =
        """
        {"name":"m","versions":["1"],"platform":"p","inputs":[{"name":"x","datatype":"FP32","shape":[-1,4]}],
         "outputs":[],"properties":{"deadline_ms":"5000"}}
        """;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<Request, Task<byte[]?>> _answer;
    private readonly Task _accepting;
    private readonly bool _closing;
    private int _count;

    /// <param name="answer">The bytes of each answer.</param>
    /// <param name="closing">Closes the connection after each, whatever its head says.</param>
    public ScriptedServer(Func<Request, Task<byte[]?>> answer, bool closing = false)
    {
        (_answer, _closing) = (answer, closing);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>A request: its number from 1, its head and its body.</summary>
    public sealed record Request(int Number, string Head, byte[] Body);

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    public string Url => $"http://127.0.0.1:{Address.Port}";

    public static ScriptedServer Always(string answer) =>
        new(r => Task.FromResult<byte[]?>(r.Head.StartsWith("GET", StringComparison.Ordinal)
            ? Ok(Metadata) : Encoding.ASCII.GetBytes(answer)));

    /// <summary>
    /// The time that a server takes: it is what is measured, and nobody waits for anything else to happen in it.
    /// </summary>
    public static Task WorkAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System);

    public static byte[] Ok(string body = "{}", string headers = "") =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        // The last for a listener that was stopped just before it is asked for the next one.
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException
            or InvalidOperationException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            var stream = client.GetStream();
            while (await ReadAsync(stream) is { } request)
            {
                if (await _answer(request).WaitAsync(_stop.Token) is not { } answer)
                    return;
                await stream.WriteAsync(answer, _stop.Token);
                if (_closing)
                    return;
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The client went away, or the test is over.
        }
    }

    private async Task<Request?> ReadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return null;
            head.Append((char)one[0]);
        }

        var length = head.ToString().Split("\r\n")
            .Where(l => l.StartsWith("Content-Length:", StringComparison.Ordinal))
            .Select(l => int.Parse(l[15..], System.Globalization.CultureInfo.InvariantCulture)).FirstOrDefault();
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new(Interlocked.Increment(ref _count), head.ToString(), body);
    }
}
