using System.Diagnostics;
using System.Text;
using Spillway.Tests.Server;

namespace Spillway.Tests.App.Cli.Top;

/// <summary>
/// A program on a pseudo-terminal (script of util-linux), to type at and to read from. Ended by its own process id.
/// </summary>
internal sealed class PseudoTerminal : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly SemaphoreSlim _grew = new(0);
    private readonly Task _reading;

    private PseudoTerminal(Process process, bool reads)
    {
        _process = process;
        _reading = reads ? ReadAsync() : Task.CompletedTask;
    }

    /// <summary>Everything it wrote, escape sequences included.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Runs a shell command.</summary>
    public static PseudoTerminal Start(string command, params (string Name, string Value)[] environment) =>
        Start(command, reads: true, environment);

    /// <summary>Runs a shell command on a terminal that may take nothing, as after Ctrl-S.</summary>
    public static PseudoTerminal Start(
        string command, bool reads, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("script", ["-qec", command, "/dev/null"])
        {
            RedirectStandardOutput = true, RedirectStandardInput = true, StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new(Process.Start(start)!, reads);
    }

    /// <summary>Presses keys.</summary>
    public async Task TypeAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until what came after a place in the output holds a text; where the output ends now.</summary>
    public async Task<int> UntilAsync(string text, int from = 0)
    {
        using var patience = new CancellationTokenSource(TestServer.Patience);
        while (true)
        {
            var output = Output;
            if (output.IndexOf(text, Math.Min(from, output.Length), StringComparison.Ordinal) >= 0)
                return output.Length;
            Assert.False(_reading.IsCompleted, $"It ended without '{text}':\n{output}");
            await Task.WhenAny(_grew.WaitAsync(patience.Token), _reading);
            Assert.False(patience.IsCancellationRequested, $"'{text}' does not come:\n{output}");
        }
    }

    /// <summary>Waits for its end; its exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TestServer.Patience);
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync().WaitAsync(TestServer.Patience);
        await _reading;
        _process.Dispose();
        _grew.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new char[4096];
        for (int read; (read = await _process.StandardOutput.ReadAsync(buffer)) > 0;)
        {
            lock (_output)
                _output.Append(buffer, 0, read);
            _grew.Release();
        }
    }
}
