using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Spillway.App.Load;

namespace Spillway.Bench;

/// <summary>
/// Process start to the first answer of the demo: starts the server as a child, asks with a picture until the first
/// 200, and takes the CPU time (user and system) of its process tree at that moment, and the wall time.
/// </summary>
internal static class StartCommand
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly record struct Start(double CpuSeconds, double WallSeconds, int Asked);

    public static async Task RunAsync(Arguments arguments)
    {
        var model = arguments.Text("--model", "line-ocr");
        var picture = await File.ReadAllBytesAsync(arguments.Text("--picture", null));
        var request = HttpLine.Request(
            "POST", $"/v2/models/{model}/infer",
            "Inference-Header-Content-Length: 0\r\nAccept: application/json\r\n", picture);
        List<Start> starts = [];
        for (var run = 0; run < arguments.Number("--runs", 7); run++)
            starts.Add(await OnceAsync(arguments, request));
        Report.Print(new
        {
            Runs = starts.Count,
            CpuSeconds = Report.Spread(starts.Select(static s => s.CpuSeconds)),
            WallSeconds = Report.Spread(starts.Select(static s => s.WallSeconds)),
            Asked = Report.Spread(starts.Select(static s => (double)s.Asked)),
        });
    }

    private static async Task<Start> OnceAsync(Arguments arguments, byte[] request)
    {
        var port = arguments.Number("--port", 0);
        if (port == 0)
            port = FreePort();
        string[] words = [arguments.Text("--app", null), "up", arguments.Text("--config", "samples/demo")];
        var how = new ProcessStartInfo("dotnet", words) { RedirectStandardOutput = true };
        how.Environment["SPILLWAY__SERVER__PORT"] = port.ToString(CultureInfo.InvariantCulture);
        var began = TimeProvider.System.GetTimestamp();
        using var server = Process.Start(how) ?? throw new BenchException("dotnet did not start");
        server.OutputDataReceived += static (_, _) => { };
        server.BeginOutputReadLine();
        try
        {
            var asked = await AskAsync(server, port, request, began);
            var wall = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
            var cpu = new ProcessCpu().ReadSeconds(server.Id) ?? throw new BenchException("the server is gone");
            return new(cpu, wall, asked);
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync();
        }
    }

    /// <summary>How often it took to ask.</summary>
    private static async Task<int> AskAsync(Process server, int port, byte[] request, long began)
    {
        HttpLine? line = null;
        try
        {
            for (var asked = 0; TimeProvider.System.GetElapsedTime(began) < s_patience && !server.HasExited;)
            {
                line ??= HttpLine.TryConnect(port);
                if (line is not null && ++asked > 0 && line.Ask(request) == 200)
                    return asked;
                await Task.Delay(s_pause, TimeProvider.System);
            }
        }
        finally
        {
            line?.Dispose();
        }

        throw new BenchException(server.HasExited
            ? $"the server ended with {server.ExitCode} before its first answer"
            : $"no answer within {s_patience.TotalSeconds} s");
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
