using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spillway.Bench;

/// <summary>
/// One HTTP/1.1 connection to this machine with blocking calls: the smallest client there is, so that what it measures
/// is the server's. Answers must carry a Content-Length and fit its buffer.
/// </summary>
internal sealed class HttpLine : IDisposable
{
    private const int AnswerMax = 64 * 1024;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true, ReceiveTimeout = 30_000, SendTimeout = 30_000,
    };

    private readonly byte[] _buffer = new byte[AnswerMax];

    private HttpLine()
    {
    }

    /// <summary>Null while nothing listens there.</summary>
    public static HttpLine? TryConnect(int port)
    {
        var line = new HttpLine();
        try
        {
            line._socket.Connect(IPAddress.Loopback, port);
            return line;
        }
        catch (SocketException)
        {
            line.Dispose();
            return null;
        }
    }

    /// <summary>The bytes of a request; headers end with a line break each.</summary>
    public static byte[] Request(string method, string path, string headers, byte[] body) =>
    [
        .. Encoding.ASCII.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
            + $"Content-Length: {body.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n"),
        .. body,
    ];

    /// <summary>Sends it, reads the answer to its end, gives the status.</summary>
    public int Ask(byte[] request)
    {
        _socket.Send(request);
        var (held, end) = (0, -1);
        while (end < 0)
        {
            held += Receive(held);
            end = _buffer.AsSpan(0, held).IndexOf("\r\n\r\n"u8);
        }

        var head = Encoding.ASCII.GetString(_buffer, 0, end);
        for (var whole = end + 4 + ContentLength(head); held < whole;)
            held += Receive(held);
        return int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
    }

    public void Dispose() => _socket.Dispose();

    private static int ContentLength(string head)
    {
        const string Name = "\r\nContent-Length:";
        var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            throw new BenchException("the answer has no Content-Length");
        var rest = head.AsSpan(at + Name.Length);
        var stop = rest.IndexOf('\r');
        return int.Parse(stop < 0 ? rest : rest[..stop], NumberStyles.Integer, CultureInfo.InvariantCulture);
    }

    private int Receive(int from)
    {
        var got = from < AnswerMax ? _socket.Receive(_buffer, from, AnswerMax - from, SocketFlags.None) : 0;
        return got > 0 ? got : throw new BenchException("the answer ended too early, or is larger than 64 KiB");
    }
}
