using System.Text.RegularExpressions;
using Spillway.App.Hosting;
using Spillway.Tests.Config;
using Spillway.Tests.Support;

namespace Spillway.Tests.Server;

/// <summary>The first command that a newcomer copies, run by a shell on a pseudo-terminal.</summary>
public sealed partial class ReadmeCommandTests(DemoServer fixture) : IClassFixture<DemoServer>
{
    [NeedsFact(Need.CurlOnATerminal)]
    public async Task The_curl_command_of_the_README_prints_text_and_confidence_readably_on_a_terminal()
    {
        var command = Command();
        Assert.NotNull(command);
        var here = command.Replace("http://127.0.0.1:8000", fixture.Server.Address.ToString().TrimEnd('/'), StringComparison.Ordinal);
        await using var child = ChildProcess.Start(
            "script", ["-qec", $"cd '{ConfigFolder.Repository}' && {here}", "/dev/null"], ("TERM", "xterm"));
        var (code, output, errors) = await child.EndAsync();

        Assert.True(code == 0, output + errors);
        Assert.Contains("Invoice total 1,284.50 EUR", output, StringComparison.Ordinal);
        Assert.Matches("\"confidence\".*\"data\":\\[(0\\.[0-9]+|1)\\]", output);
        // Nothing that a terminal would not show as it is.
        Assert.DoesNotContain(output.Trim('\r', '\n', '\b', '^', 'D', '\u0004'), c => char.IsControl(c) && c is not ('\r' or '\n'));
    }

    [Fact]
    public void The_hints_of_a_start_show_the_same_command_as_the_README()
    {
        var readme = Path.Combine(ConfigFolder.Repository, "README.md");
        if (File.Exists(readme))
            Assert.Contains(Curl().Match(Hints.Text("http://127.0.0.1:8000")).Value.Trim(), Joined(readme), StringComparison.Ordinal);
    }

    /// <summary>From README.md where there is one, else from what `up --hints` says.</summary>
    private static string? Command()
    {
        var readme = Path.Combine(ConfigFolder.Repository, "README.md");
        var found = Curl().Match(File.Exists(readme) ? Joined(readme) : Hints.Text("http://127.0.0.1:8000"));
        return found.Success ? found.Value.Trim() : null;
    }

    /// <summary>With lines that end in a backslash joined to the next.</summary>
    private static string Joined(string file) => Continued().Replace(File.ReadAllText(file), " ");

    [GeneratedRegex(@"curl [^\n`]*invoice\.png[^\n`]*/v2/models/line-ocr/infer")]
    private static partial Regex Curl();

    [GeneratedRegex(@"\s*\\\r?\n\s*")]
    private static partial Regex Continued();
}
