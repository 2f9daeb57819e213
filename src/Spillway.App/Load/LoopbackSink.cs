using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spillway.App.Load;

/// <summary>
/// A server inside this process on a free port of the loopback: it counts the bytes of requests of one known length
/// and answers each with the next of a few prebuilt answers. What the generator runs against before it measures
/// (<see cref="SelfWarmUp"/>).
/// </summary>
internal sealed class LoopbackSink : IDisposable
{
    private const string Timing = "Server-Timing: queue;dur=0.01, execute;dur=0.5, total;dur=0.6\r\n";

    // One of each kind that a run may meet, so that no branch of the parser is compiled while it measures.
    private static readonly byte[][] s_answers =
    [
        Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{Timing}Content-Length: 2\r\n\r\n{{}}"),
        Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{Timing}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        Encoding.ASCII.GetBytes("HTTP/1.1 503 Busy\r\nx-spillway-fault: queue_full\r\nretry-after-ms: 1\r\n"
            + "Content-Length: 16\r\n\r\n{\"error\":\"full\"}"),
    ];

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly int _requestBytes;
    private readonly Thread _accepting;

    /// <param name="requestBytes">The length of every request, head and body.</param>
    public LoopbackSink(int requestBytes)
    {
        _requestBytes = requestBytes;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _accepting = new(Accept) { IsBackground = true, Name = "load sink" };
        _accepting.Start();
    }

    public IPEndPoint Address => (IPEndPoint)_listener.LocalEndPoint!;

    public void Dispose()
    {
        _listener.Dispose();
        _accepting.Join();
    }

    /// <summary>Plain blocking threads: whatever else they used would be compiled beside what is to be warm.</summary>
    private void Accept()
    {
        List<(Socket Client, Thread Thread)> serving = [];
        try
        {
            while (true)
            {
                var client = _listener.Accept();
                var thread = new Thread(() => Serve(client)) { IsBackground = true, Name = "load sink" };
                serving.Add((client, thread));
                thread.Start();
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException)
        {
            foreach (var (client, thread) in serving)
            {
                client.Dispose();
                thread.Join();
            }
        }
    }

    private void Serve(Socket client)
    {
        var buffer = new byte[64 * 1024];
        var (left, answered) = (_requestBytes, 0);
        try
        {
            while (client.Receive(buffer) is > 0 and var read)
            {
                left -= read;
                if (left > 0)
                    continue;
                left = _requestBytes;
                client.Send(s_answers[answered++ % s_answers.Length]);
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The warm-up is over.
        }
    }
}
