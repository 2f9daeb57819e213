using System.Text.Json;
using System.Text.RegularExpressions;
using Spectre.Console;
using Spillway.App.Cli;
using Spillway.Telemetry;
using Spillway.Tests.Telemetry;

namespace Spillway.Tests.App.Cli;

public class ExplainViewTests
{
    [Fact]
    public void A_record_is_explained_in_80_columns_without_a_terminal() =>
        Golden.Check("tests/Spillway.Tests/App/Cli/explain.golden.txt", Explain(Records.Answered()));

    [Fact]
    public void A_waterfall_follows_from_the_header_alone() =>
        Golden.Check("tests/Spillway.Tests/App/Cli/waterfall.golden.txt", Waterfall(
            "receive;dur=0.1, parse;dur=0.5, gate;dur=0, cache;dur=0, queue;dur=0, batch;dur=0.02, execute;dur=12.3, "
            + "output;dur=0.1, total;dur=13.02"));

    [Fact]
    public void One_line_holds_the_stages_that_took_time() =>
        Assert.Equal(
            "receive 0.10 · execute 12.3 · output 0.002 · total 12.4 ms",
            WaterfallView.FromServerTiming(
                "receive;dur=0.1, gate;dur=0, execute;dur=12.3, output;dur=0.002, total;dur=12.402")!.OneLine());

    [Fact]
    public void A_header_without_timings_gives_no_waterfall() =>
        Assert.Null(WaterfallView.FromServerTiming("cache;desc=hit"));

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(200)]
    public void No_line_is_wider_than_the_console(int width) =>
        Assert.All(Explain(Records.Answered(), width).Split('\n'), line => Assert.InRange(line.Length, 0, width));

    [Fact]
    public void Control_characters_and_markup_of_a_client_do_not_reach_the_terminal()
    {
        var record = Records.Answered() with { ClientId = "\u001b]0;x\u0007[red]", Message = "a\u001b[2Jb" };
        var text = Explain(record);
        Assert.DoesNotContain('\u001b', text);
        Assert.Contains("·]0;x·[red]", text, StringComparison.Ordinal);
        Assert.Contains("a·[2Jb", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_simulated_answer_says_so_and_a_fault_stands_on_top()
    {
        var record = new RequestRecord
        {
            RequestId = "r9", Model = "m", Version = "1", Simulated = true, Outcome = FaultKind.QueueFull, Status = 503,
            Message = "The queue of model m holds 64 requests.",
        };
        var lines = Explain(record).Split('\n');
        Assert.Equal("request r9  queue_full  status 503", lines[0]);
        Assert.StartsWith("  SIMULATED:", lines[1]);
        Assert.Equal("  The queue of model m holds 64 requests.", lines[2]);
    }

    [Fact]
    public void A_record_with_members_missing_is_still_explained()
    {
        using var document = JsonDocument.Parse("""{"id":"r1","outcome":"ok"}""");
        var (console, written) = Plain(80);
        ExplainView.Write(document.RootElement, console);
        Assert.StartsWith("request r1  ok\n", written.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void A_terminal_adds_colour_and_nothing_else()
    {
        var coloured = Explain(Records.Answered(), 80, colour: true);
        Assert.Contains("\u001b[", coloured, StringComparison.Ordinal);
        Assert.Equal(Explain(Records.Answered()), Regex.Replace(coloured, "\u001b\\[[0-9;]*m", ""));
    }

    [Fact]
    public void A_console_without_unicode_gets_plain_bars()
    {
        var (console, written) = Plain(80);
        console.Profile.Capabilities.Unicode = false;
        new WaterfallView([("queue", 0.01m), ("execute", 99.99m)]).Write(console);
        Assert.Matches(@"queue .* 0%  \|\s", written.ToString());
        Assert.Matches(@"execute .* 100%  #{30,}\s", written.ToString());
    }

    [Fact]
    public void Short_stages_are_slivers_and_long_ones_as_long_as_their_share()
    {
        var (console, written) = Plain(80);
        new WaterfallView([("gate", 0.1m), ("queue", 49.9m), ("execute", 50m)]).Write(console);
        var lines = written.ToString().ReplaceLineEndings("\n").Split('\n');
        Assert.EndsWith("  ▏", lines[1]);
        Assert.EndsWith("50%  " + new string('█', 20), lines[2]);
        Assert.EndsWith("50%  " + new string(' ', 20) + new string('█', 20), lines[3]);
    }

    [Fact]
    public void Text_is_broken_at_spaces_and_long_words_inside() =>
        Assert.Equal(["one two", "three", "fourfiv", "e"], TerminalText.Wrap("one two three fourfive", 7));

    private static string Explain(in RequestRecord record, int width = 80, bool colour = false)
    {
        using var document = JsonDocument.Parse(RequestRecordJsonTests.Write(record));
        var (console, written) = Plain(width, colour);
        ExplainView.Write(document.RootElement, console);
        return written.ToString().ReplaceLineEndings("\n");
    }

    private static string Waterfall(string header)
    {
        var (console, written) = Plain(80);
        WaterfallView.FromServerTiming(header)!.Write(console);
        return written.ToString().ReplaceLineEndings("\n");
    }

    private static (IAnsiConsole Console, StringWriter Written) Plain(int width, bool colour = false)
    {
        var written = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(written),
        });
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = true;
        return (console, written);
    }
}
