using System.Net.Sockets;
using System.Text;

namespace Spillway.Tests.Server;

/// <summary>A connection that sends any bytes, also those that no honest client sends. Text is Latin-1.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);

    private RawConnection()
    {
    }

    public static async Task<RawConnection> OpenAsync(Uri server)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(server.Host, server.Port);
        return connection;
    }

    /// <summary>Sends one text on a new connection and reads all that comes until the server closes it.</summary>
    public static async Task<string> AskAsync(Uri server, string text)
    {
        using var connection = await OpenAsync(server);
        await connection.SendAsync(text);
        return await connection.ReadToEndAsync();
    }

    /// <summary>The head of an infer request; the connection closes after its answer.</summary>
    public static string InferHead(string model, string headers, bool close = true) =>
        $"POST /v2/models/{model}/infer HTTP/1.1\r\nHost: localhost\r\n{(close ? "Connection: close\r\n" : "")}{headers}\r\n";

    /// <summary>One piece of a chunked body.</summary>
    public static string Chunk(string text) => $"{text.Length:x}\r\n{text}\r\n";

    public async Task SendAsync(string text) => await _socket.SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends until the server no longer takes it; true when it took everything.</summary>
    public async Task<bool> TrySendAsync(string text)
    {
        try
        {
            await SendAsync(text);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Reads until the text has come, or the connection ends.</summary>
    public Task<string> ReadUntilAsync(string text) => ReadAsync(so_far => so_far.Contains(text, StringComparison.Ordinal));

    /// <summary>Reads until the server closes.</summary>
    public Task<string> ReadToEndAsync() => ReadAsync(_ => false);

    /// <summary>Nothing more will be sent.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Vanishes: the server sees a reset, not an orderly end.</summary>
    public void Reset()
    {
        _socket.LingerState = new(enable: true, seconds: 0);
        _socket.Dispose();
    }

    public void Dispose() => _socket.Dispose();

    private async Task<string> ReadAsync(Func<string, bool> isEnough)
    {
        using var patience = new CancellationTokenSource(TestServer.Patience);
        var (text, buffer) = (new StringBuilder(), new byte[64 * 1024]);
        while (!isEnough(text.ToString()))
        {
            int count;
            try
            {
                count = await _socket.ReceiveAsync(buffer, patience.Token);
            }
            catch (SocketException)
            {
                break;
            }

            if (count == 0)
                break;
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }

        return text.ToString();
    }
}
