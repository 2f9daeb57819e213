using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace Spillway.Tests.Server;

/// <summary>The real executable as a child: `dotnet Spillway.App.dll …`. Ended by its own process id, never by a name.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(10_000);
    private readonly StringBuilder _output = new();
    private readonly Task<string> _errors;
    private readonly Task _reading;

    private ChildProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
        _reading = ReadAsync();
    }

    /// <summary>The application beside the tests.</summary>
    public static string App => Path.Combine(AppContext.BaseDirectory, "Spillway.App.dll");

    /// <summary>Starts a command of Spillway's.</summary>
    public static ChildProcess Spillway(string[] arguments, params (string Name, string Value)[] environment) =>
        Start(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet", [App, .. arguments], environment);

    /// <summary>Starts any program.</summary>
    public static ChildProcess Start(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        start.Environment.Remove("SPILLWAY_SERVER");
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        await using var child = Spillway(arguments);
        return await child.EndAsync();
    }

    /// <summary>Sends it a signal: TERM or INT.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>The first line of its output that begins so; fails when it ends without.</summary>
    public async Task<string> LineAsync(string begin)
    {
        using var patience = new CancellationTokenSource(TestServer.Patience);
        await foreach (var line in _lines.Reader.ReadAllAsync(patience.Token))
        {
            if (line.StartsWith(begin, StringComparison.Ordinal))
                return line;
        }

        Assert.Fail($"No line begins with '{begin}'.\n{_output}\n{await _errors}");
        return "";
    }

    /// <summary>Waits for its end.</summary>
    /// <param name="patience">How long at most; what no test else waits longer than when null.</param>
    public async Task<(int ExitCode, string Output, string Errors)> EndAsync(TimeSpan? patience = null)
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(patience ?? TestServer.Patience);
        await _reading;
        return (_process.ExitCode, _output.ToString(), await _errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(TestServer.Patience);
        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _output.AppendLine(line);
            _lines.Writer.TryWrite(line);
        }

        _lines.Writer.Complete();
    }
}
