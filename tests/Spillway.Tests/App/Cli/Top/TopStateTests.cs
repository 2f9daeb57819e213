using Spillway.App.Cli.Top;

namespace Spillway.Tests.App.Cli.Top;

public sealed class TopStateTests
{
    private static readonly Frame s_frame = Frame();

    [Fact]
    public void Letters_sort_reverse_pause_and_quit()
    {
        var state = Press(new(), 's', 'r', ' ');
        Assert.Equal((SortBy.Rate, true, true, false), (state.Sort, state.Reversed, state.Paused, state.Quit));
        Assert.False(Press(state, ' ').Paused);
        Assert.True(Press(state, 'q').Quit);
        Assert.Equal(SortBy.Name, Press(new(), 's', 's', 's', 's', 's', 's').Sort);
    }

    [Fact]
    public void Rows_are_ordered_by_the_figure_and_what_is_not_known_comes_last()
    {
        Assert.Equal(["broken", "idle", "line-ocr"], Names(new()));
        Assert.Equal(["line-ocr", "idle", "broken"], Names(new() { Sort = SortBy.Rate }));
        Assert.Equal(["broken", "idle", "line-ocr"], Names(new() { Sort = SortBy.Rate, Reversed = true }));
        Assert.All(Enum.GetValues<SortBy>(), sort => Assert.Equal(3, Names(new() { Sort = sort }).Count));
    }

    [Fact]
    public void A_filter_is_typed_corrected_taken_and_cleared()
    {
        var state = Press(new(), '/', 'O', 'q', '\b');
        Assert.Equal((true, "O", false), (state.Editing, state.Filter, state.Quit));
        Assert.Equal(["broken", "line-ocr"], Names(state));
        state = Press(state, '\r');
        Assert.Equal((false, "O"), (state.Editing, state.Filter));
        Assert.Equal("", Press(state, '\e').Filter);
        var longest = Press(new(), ['/', .. Enumerable.Repeat('x', 500)]);
        Assert.Equal(TopState.FilterLengthMax, longest.Filter.Length);
    }

    [Fact]
    public void The_choice_moves_stays_with_its_model_and_opens_the_detail()
    {
        var state = Press(new(), 'j', 'j', 'j', 'k');
        Assert.Equal(Reading.Key("idle", "2"), state.Chosen);
        var sorted = state with { Sort = SortBy.Rate };
        Assert.Equal("idle", sorted.Order(s_frame)[sorted.Index(sorted.Order(s_frame))].State.Name);
        Assert.True(Press(state, '\r').Detail);
        Assert.False(Press(state, '\r', '\e').Detail);
        // Enter without a choice opens the first row and keeps it.
        Assert.Equal(Reading.Key("broken", "1"), Press(new(), '\r').Chosen);
    }

    [Fact]
    public void Keys_before_the_first_figures_do_no_harm()
    {
        var state = new TopState();
        foreach (var key in new[] { 'j', '\r', 'x', '?', 'j' })
            state = state.Press(Key(key), frame: null);
        Assert.False(state.Help);
    }

    private static Frame Frame()
    {
        var pages = new Pages();
        var before = pages.Read(0);
        return FrameMaker.Make(before, pages.Serve(answers: 40).Read(1));
    }

    private static List<string> Names(TopState state) => [.. state.Order(s_frame).Select(r => r.State.Name)];

    private static TopState Press(TopState state, params char[] keys) =>
        keys.Aggregate(state, (now, key) => now.Press(Key(key), s_frame));

    private static ConsoleKeyInfo Key(char letter) => new(
        letter,
        letter switch
        {
            '\r' => ConsoleKey.Enter,
            '\e' => ConsoleKey.Escape,
            '\b' => ConsoleKey.Backspace,
            ' ' => ConsoleKey.Spacebar,
            _ when char.IsAsciiLetter(letter) => (ConsoleKey)char.ToUpperInvariant(letter),
            _ => ConsoleKey.None,
        },
        shift: false, alt: false, control: false);
}
