using System.Text.Json;
using System.Text.RegularExpressions;
using Spillway.App.Cli.Top;
using Spillway.Tests.App.Load;
using Spillway.Tests.Config;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.App.Cli.Top;

/// <summary>The command as a person or a script meets it. Each run is a process.</summary>
public sealed partial class TopCommandTests(SimulatedServer fixture)
    : IClassFixture<SimulatedServer>
{
    private string At => fixture.Server.Address.ToString();

    [Fact]
    public async Task Once_prints_one_interval_and_ends_also_without_a_terminal()
    {
        var (code, output, errors) = await ChildProcess.RunAsync(
            "top", "--once", "--interval", "100ms", "--server", At);
        Assert.True(code == 0, errors);
        foreach (var word in new[] { "REQ/S", "P99", "echo", "pair", "memory" })
            Assert.Contains(word, output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output);
    }

    [Fact]
    public async Task JSON_is_one_object_a_line_of_the_filtered_models()
    {
        var (code, output, _) = await ChildProcess.RunAsync(
            "top", "--once", "--json", "--filter", "ech", "--interval", "100ms", "--server", At);
        Assert.Equal(0, code);
        var line = JsonElement.Parse(Assert.Single(output.TrimEnd().Split('\n')));
        var model = Assert.Single(line.GetProperty("models").EnumerateArray());
        Assert.Equal("echo", model.GetProperty("model").GetString());
        Assert.True(line.GetProperty("server").GetProperty("memory_bytes").GetDouble() > 1e6);
    }

    [Theory]
    [InlineData(1, "waiting for http://127.0.0.1:1: ConnectionError", "--once", "--server", "http://127.0.0.1:1")]
    [InlineData(2, "is not the address of a server", "--server", "nowhere")]
    [InlineData(2, "outside 100ms to 1h", "--interval", "1ms")]
    [InlineData(2, "is not a time", "--interval", "soon")]
    public async Task What_cannot_be_is_a_sentence_and_an_exit_code(
        int expected, string says, params string[] arguments)
    {
        var (code, output, errors) = await ChildProcess.RunAsync(["top", .. arguments]);
        Assert.Equal((expected, ""), (code, output));
        Assert.Contains(says, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    [NeedsFact(Need.PseudoTerminal)]
    public async Task On_a_terminal_it_shows_answers_keys_follows_the_size_and_leaves_the_screen_as_it_was()
    {
        await using var terminal = PseudoTerminal.Start(
            $"tty; stty rows 24 cols 100; exec dotnet '{ChildProcess.App}' top --interval 100ms --server {At}",
            ("TERM", "xterm"), ("NO_COLOR", "1"), ("LANG", "C.UTF-8"));
        var seen = await terminal.UntilAsync("REQ/S");
        Assert.DoesNotMatch(Colour(), terminal.Output);

        await terminal.TypeAsync("/ech\r");
        seen = await terminal.UntilAsync("filter: ech", seen);
        await terminal.TypeAsync("\r");
        seen = await terminal.UntilAsync("deployment echo", seen);
        // The foot stands in the last row, wherever that is now.
        var line = TerminalName().Match(terminal.Output).Value;
        var (code, _, errors) = await RunAsync("stty", "-F", line, "rows", "40", "cols", "60");
        Assert.True(code == 0, errors);
        await terminal.UntilAsync("\e[40;1Hq quit", seen);

        await terminal.TypeAsync("q");
        Assert.Equal(0, await terminal.EndAsync());
        Assert.EndsWith(AnsiText.Leave, terminal.Output.TrimEnd('\r', '\n'), StringComparison.Ordinal);
    }

    [NeedsFact(Need.PseudoTerminal)]
    public async Task It_goes_on_while_its_terminal_reads_nothing_and_Ctrl_C_ends_it()
    {
        var polls = 0;
        await using var server = new ScriptedServer(request =>
        {
            if (request.Head.StartsWith("GET /metrics", StringComparison.Ordinal))
                Interlocked.Increment(ref polls);
            return Task.FromResult<byte[]?>(OtlpSink.Status(500 + (Volatile.Read(ref polls) % 90)));
        });
        using var folder = new ConfigFolder();
        var pid = folder.PathOf("pid");
        await using var terminal = PseudoTerminal.Start(
            $"echo $$ > '{pid}'; stty rows 300 cols 200; exec dotnet '{ChildProcess.App}' top --interval 100ms "
            + $"--server {server.Url}", reads: false, ("TERM", "xterm"), ("LANG", "C.UTF-8"));
        // Each answer makes another picture of 300 rows: far more than the terminal and its pipe hold.
        await TestServer.UntilAsync(async () =>
        {
            await Task.Yield();
            return Volatile.Read(ref polls) >= 50;
        });

        var process = (await File.ReadAllTextAsync(pid)).Trim();
        var (code, _, errors) = await RunAsync("kill", "-INT", process);
        Assert.True(code == 0, errors);
        await TestServer.UntilAsync(async () =>
        {
            await Task.Yield();
            return IsOver(process);
        });
    }

    /// <summary>Gone, or waiting for a parent that hangs in the terminal to take notice.</summary>
    private static bool IsOver(string process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[stat.LastIndexOf(')')..].StartsWith(") Z", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string program, params string[] arguments)
    {
        await using var child = ChildProcess.Start(program, arguments);
        return await child.EndAsync();
    }

    [GeneratedRegex(@"\e\[[0-9;]+m")]
    private static partial Regex Colour();

    [GeneratedRegex(@"/dev/pts/[0-9]+")]
    private static partial Regex TerminalName();
}
