using System.Text.Json;
using System.Text.RegularExpressions;
using Spillway.App.Cli.Top;
using Spillway.Tests.Telemetry;

namespace Spillway.Tests.App.Cli.Top;

public sealed partial class TopScreenTests
{
    private static readonly TopScreen s_screen = new("http://127.0.0.1:8000", unicode: true);
    private static readonly Frame s_frame = Frame();

    [Fact]
    public void The_table_looks_as_it_is_kept() => Golden.Check(
        "tests/Spillway.Tests/App/Cli/Top/table.golden.txt", s_screen.Draw(new(), s_frame, "", 120, 12) + "\n");

    [Fact]
    public void One_model_alone_looks_as_it_is_kept() => Golden.Check(
        "tests/Spillway.Tests/App/Cli/Top/detail.golden.txt",
        s_screen.Draw(new() { Detail = true, Chosen = Reading.Key("line-ocr", "1") }, s_frame, "", 100, 30) + "\n");

    [Theory]
    [InlineData(1, 1)]
    [InlineData(20, 3)]
    [InlineData(40, 8)]
    [InlineData(80, 24)]
    [InlineData(500, 300)]
    public void Every_view_fits_every_size(int width, int height)
    {
        TopState[] states =
        [
            new(), new() { Help = true }, new() { Detail = true }, new() { Editing = true, Filter = "zzz" },
            new() { Paused = true },
        ];
        foreach (var state in states)
        {
            foreach (var frame in new[] { null, s_frame })
            {
                var grid = s_screen.Draw(state, frame, frame is null ? "waiting for it" : "", width, height);
                Assert.Equal((width, height), (grid.Width, grid.Height));
                Assert.All(Enumerable.Range(0, height), y => Assert.True(grid.Line(y).Length <= width));
            }
        }
    }

    [Fact]
    public void A_narrow_terminal_keeps_the_name_the_rate_and_the_slow_end()
    {
        var text = s_screen.Draw(new(), s_frame, "", 40, 12).ToString();
        Assert.All(["line-ocr", "REQ/S", "P99"], word => Assert.Contains(word, text, StringComparison.Ordinal));
        Assert.DoesNotContain("WHY", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_chosen_row_stays_in_sight_in_a_long_list()
    {
        var many = s_frame with
        {
            Rows = [.. Enumerable.Range(0, 200).Select(i => s_frame.Rows[0] with
            {
                State = s_frame.Rows[0].State with { Name = $"m{i:000}" },
            })],
        };
        var text = s_screen.Draw(new() { Chosen = Reading.Key("m150", "1") }, many, "", 100, 20).ToString();
        Assert.Contains("> m150", text, StringComparison.Ordinal);
        Assert.DoesNotContain("m000", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_went_away_is_said_above_its_last_figures()
    {
        const string Waiting = "waiting for http://127.0.0.1:8000: ConnectionError";
        var text = s_screen.Draw(new(), s_frame, Waiting, 120, 12).ToString();
        Assert.Contains(Waiting, text, StringComparison.Ordinal);
        Assert.Contains("line-ocr", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Painting_without_colours_has_none_and_nothing_steers_the_terminal_but_our_own()
    {
        var grid = new TextGrid(20, 2);
        grid.Put(0, 0, "a\e[31mb\nc", Look.Bad);
        var plain = AnsiText.Paint(grid, colours: false);
        Assert.DoesNotMatch(Colour(), plain);
        Assert.Contains("a·[31mb·c", plain, StringComparison.Ordinal);
        Assert.Matches(Colour(), AnsiText.Paint(grid, colours: true));
    }

    [Fact]
    public void Lines_for_a_log_have_every_model_and_JSON_has_null_for_what_is_not_known()
    {
        var lines = TopLines.Plain(s_frame, new(), titles: true).TrimEnd('\n').Split('\n');
        Assert.Equal(5, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("09:21:42Z  ", line, StringComparison.Ordinal));

        var text = TopLines.Json(s_frame, new() { Filter = "ocr" });
        Assert.DoesNotContain('\n', text);
        var model = Assert.Single(JsonElement.Parse(text).GetProperty("models").EnumerateArray());
        Assert.Equal(40, model.GetProperty("ok_per_second").GetDouble());
        Assert.Equal(10, model.GetProperty("drops").GetProperty("queue_full").GetDouble());
        Assert.Equal(JsonValueKind.Null, model.GetProperty("memory_bytes").ValueKind);
        Assert.True(model.GetProperty("stages").GetProperty("execute").GetProperty("mean_ms").GetDouble() > 0);
    }

    [Theory]
    [InlineData(0, "0", "0")]
    [InlineData(0.01, "<0.1", "0.01")]
    [InlineData(9.996, "10.0", "10.0")]
    [InlineData(456.4, "456", "456")]
    [InlineData(12_345, "12.3k", "12.3s")]
    [InlineData(4_500_000, "4.5M", "4500.0s")]
    [InlineData(double.NaN, "-", "-")]
    public void Numbers_are_short(double value, string rate, string ms) =>
        Assert.Equal((rate, ms), (Figures.Rate(value), Figures.Ms(value)));

    private static Frame Frame()
    {
        var pages = new Pages().Serve(answers: 500);
        var before = pages.Read(0);
        pages.Cpu = 3;
        return FrameMaker.Make(before, pages.Serve(answers: 80, refusals: 20).Read(2));
    }

    [GeneratedRegex(@"\e\[[0-9;]*m")]
    private static partial Regex Colour();
}
