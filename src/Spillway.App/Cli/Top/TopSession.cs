namespace Spillway.App.Cli.Top;

/// <summary>
/// Keeps asking and keeps showing, until somebody quits. Holds two readings at a time, whatever the length.
/// </summary>
/// <param name="poller">Asks.</param>
/// <param name="interval">Between two polls.</param>
/// <param name="time">The clock of the intervals.</param>
internal sealed class TopSession(TopPoller poller, TimeSpan interval, TimeProvider time)
{
    private const int TitlesEvery = 20;

    /// <summary>How long a key press or a new size of the window may go unnoticed.</summary>
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    private Reading? _before;
    private Frame? _frame;
    private string _waiting = "";

    /// <summary>The screen, with keys, until somebody quits.</summary>
    public async Task RunAsync(TopTerminal terminal, TopScreen screen, TopState state, CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var (poll, asked) = (poller.PollAsync(ending.Token), time.GetTimestamp());
        (TopState, Frame?, string, (int, int)) shown = default;
        try
        {
            while (!state.Quit)
            {
                while (terminal.Keys.TryRead(out var key))
                    state = state.Press(key, _frame);
                if (poll is { IsCompleted: true } && await poll.ConfigureAwait(false) is var polled)
                {
                    if (!state.Paused)
                        Take(polled);
                    poll = null;
                }

                if (poll is null && !state.Paused && time.GetElapsedTime(asked) >= interval)
                    (poll, asked) = (poller.PollAsync(ending.Token), time.GetTimestamp());
                var now = (state, _frame, _waiting, TopTerminal.Size());
                if (now != shown)
                    terminal.Show(screen.Draw(state, _frame, _waiting, now.Item4.Width, now.Item4.Height));
                shown = now;
                await Task.Delay(s_look, time, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            if (poll is not null)
                await ((Task)poll).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Lines, until cancelled, or after one interval.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="state">Order and filter.</param>
    /// <param name="json">One object a line in place of text.</param>
    /// <param name="once">End after the first interval; a server that does not answer is then an error.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task RunLinesAsync(
        TextWriter output, TopState state, bool json, bool once, CancellationToken cancellation)
    {
        var (written, said) = (0, "");
        while (true)
        {
            var asked = time.GetTimestamp();
            Take(await poller.PollAsync(cancellation).ConfigureAwait(false));
            if (_waiting.Length > 0 && once)
                throw new CommandException($"{_waiting}. Start one with `spillway up`, or name it with --server.");
            var line = Line(state, json, written, said);
            if (line.Length > 0)
                await WriteAsync(output, line, cancellation).ConfigureAwait(false);
            said = _waiting;
            if (_waiting.Length == 0 && _frame is { Seconds: > 0 })
                written++;
            if (once && written > 0)
                return;
            if (interval - time.GetElapsedTime(asked) is { Ticks: > 0 } rest)
                await Task.Delay(rest, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Elsewhere: whoever reads the lines may have stopped, and Ctrl-C must work all the same.</summary>
    private static Task WriteAsync(TextWriter output, string line, CancellationToken cancellation) => Task.Run(
        () =>
        {
            output.Write(line);
            output.Flush();
        },
        CancellationToken.None).WaitAsync(cancellation);

    /// <summary>The first poll knows no rates: no line. A wait is said once as text, each time as JSON.</summary>
    private string Line(TopState state, bool json, int written, string said)
    {
        if (_waiting.Length > 0)
            return json ? TopLines.Json(_waiting, time.GetUtcNow()) + "\n" : _waiting == said ? "" : _waiting + "\n";
        if (_frame is not { Seconds: > 0 } frame)
            return "";
        return json ? TopLines.Json(frame, state) + "\n"
            : TopLines.Plain(frame, state, titles: written % TitlesEvery == 0);
    }

    private void Take(Poll poll)
    {
        _waiting = poll.Waiting;
        if (poll.Reading is not { } reading)
            return;
        _frame = FrameMaker.Make(_before, reading);
        _before = reading;
    }
}
