using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Spillway.Tests.Server.Upstreams;

/// <summary>
/// An Open Inference server on a free port of 127.0.0.1 that describes its model honestly (x and y, FP32 [-1,4]) and
/// answers inferences in whatever manner a test gives it, over the bare stream.
/// </summary>
internal sealed class RogueServer : IAsyncDisposable
{
    public const string Description = """
        {"name":"gpu","versions":["1"],"platform":"p","inputs":[{"name":"x","datatype":"FP32","shape":[-1,4]}],
         "outputs":[{"name":"y","datatype":"FP32","shape":[-1,4]}]}
        """;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Socket> _clients = [];
    private Task _accepting = Task.CompletedTask;
    private int _calls;
    private int _left;

    /// <param name="manner">How inferences are answered.</param>
    /// <param name="listens">Else it only has its port, where nobody is found until <see cref="Listen"/>.</param>
    public RogueServer(Manner manner, bool listens = true)
    {
        Infer = manner;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        if (listens)
            Listen();
    }

    /// <summary>Answers one inference, or does not.</summary>
    public delegate Task Manner(Call call);

    /// <summary>One inference.</summary>
    public sealed record Call(NetworkStream Stream, string Head, byte[] Body, CancellationToken Stop)
    {
        public Task WriteAsync(string latin) => Stream.WriteAsync(Encoding.Latin1.GetBytes(latin), Stop).AsTask();

        public Task WriteAsync(byte[] bytes) => Stream.WriteAsync(bytes, Stop).AsTask();

        /// <summary>Until the caller closes the connection.</summary>
        public async Task AwaitLeavingAsync()
        {
            var one = new byte[1];
            try
            {
                if (await Stream.ReadAsync(one, Stop) != 0)
                    throw new InvalidOperationException("More came.");
            }
            catch (IOException)
            {
                // It did not say goodbye.
            }
        }

        /// <summary>The connection ends with this call.</summary>
        public bool Closes { get; set; }
    }

    public int Port { get; }

    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>How inferences are answered from now on.</summary>
    public Manner Infer { get; set; }

    /// <summary>What GET answers with, for the model.</summary>
    public string Describes { get; set; } = Description;

    /// <summary>Inferences that came.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Inferences whose caller went away while they were not answered.</summary>
    public int Left => Volatile.Read(ref _left);

    /// <summary>The inferences that came.</summary>
    public ConcurrentQueue<Call> Seen { get; } = new();

    /// <summary>From now on it is found at its port.</summary>
    public void Listen()
    {
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    /// <summary>y is x.</summary>
    public static Task Echo(Call call) => call.WriteAsync(Reply(Output(), call.Body[^16..]));

    /// <summary>Any bytes; the connection is closed then, or stays open.</summary>
    public static Manner Bytes(byte[] bytes, bool closes = false) => async call =>
    {
        await call.WriteAsync(bytes);
        call.Closes = closes;
    };

    public static Manner Text(string latin, bool closes = false) => Bytes(Encoding.Latin1.GetBytes(latin), closes);

    /// <summary>A refusal.</summary>
    public static Manner Status(int status, string headers = "") =>
        Text($"HTTP/1.1 {status} x\r\n{headers}Content-Length: 16\r\n\r\n{{\"error\":\"says\"}}");

    /// <summary>Writes that and nothing more, until the caller leaves.</summary>
    public Manner HangAfter(string latin = "") => async call =>
    {
        await call.WriteAsync(latin);
        await call.AwaitLeavingAsync();
        Interlocked.Increment(ref _left);
        call.Closes = true;
    };

    public static string Output(string name = "y", string type = "FP32", string shape = "[1,4]", string size = "16") =>
        $$$"""{"name":"{{{name}}}","datatype":"{{{type}}}","shape":{{{shape}}},"parameters":{"binary_data_size":{{{size}}}}}""";

    /// <summary>A whole answer of these outputs and bytes.</summary>
    public static byte[] Reply(string outputs, byte[] binary, int? claims = null)
    {
        var json = $"{{\"model_name\":\"gpu\",\"outputs\":[{outputs}]}}";
        return Json(json, binary, claims);
    }

    /// <summary>A whole answer of this JSON and bytes.</summary>
    public static byte[] Json(string json, byte[] binary, int? claims = null)
    {
        var length = claims ?? json.Length + binary.Length;
        var head = $"HTTP/1.1 200 OK\r\nInference-Header-Content-Length: {json.Length}\r\n"
            + $"Content-Length: {length}\r\n\r\n";
        return [.. Encoding.Latin1.GetBytes(head + json), .. binary];
    }

    /// <summary>Refuses connections from now on, and cuts those that there are.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        foreach (var client in _clients)
            client.Dispose();
        await _accepting;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptAsync(_stop.Token)));
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException
            or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        _clients.Add(client);
        using var _ = client;
        try
        {
            await using var stream = new NetworkStream(client);
            while (await ReadAsync(stream) is { } call && !call.Closes)
            {
                if (call.Head.StartsWith("GET", StringComparison.Ordinal))
                {
                    await call.WriteAsync(
                        $"HTTP/1.1 200 OK\r\nContent-Length: {Describes.Length}\r\n\r\n{Describes}");
                    continue;
                }

                Interlocked.Increment(ref _calls);
                Seen.Enqueue(call);
                await Infer(call);
                if (call.Closes)
                    return;
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The caller went away, or the test is over.
        }
    }

    private async Task<Call?> ReadAsync(NetworkStream stream)
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
            .Where(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
            .Select(l => int.Parse(l[15..], CultureInfo.InvariantCulture)).FirstOrDefault();
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return new(stream, head.ToString(), body, _stop.Token);
    }
}
