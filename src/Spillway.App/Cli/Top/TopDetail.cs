namespace Spillway.App.Cli.Top;

/// <summary>One served name alone: its stages as a waterfall, its queue, batches and refusals. Pure.</summary>
internal static class TopDetail
{
    private const int NameWidth = 9;
    private const int NumberWidth = 10;
    private const int BarsFrom = 2 + NameWidth + (3 * NumberWidth) + 2;

    /// <summary>Draws from a row of the grid on; returns the row after the last.</summary>
    public static int Draw(TextGrid grid, int y, FrameRow row, bool unicode)
    {
        y = Head(grid, y, row);
        y = Stages(grid, y + 1, row, unicode) + 1;
        foreach (var (title, text) in Facts(row))
        {
            grid.Put(2, y, title, Look.Faint);
            foreach (var line in TerminalText.Wrap(text, Math.Max(20, grid.Width - 16)))
                grid.Put(14, y++, line);
        }

        return y;
    }

    private static int Head(TextGrid grid, int y, FrameRow row)
    {
        var state = row.State;
        var x = grid.Put(0, y, state.Name, Look.Bold);
        x = grid.Put(x, y, $"  version {state.Version}  deployment {state.Deployment}  ");
        x = grid.Put(x, y, state.State, state.State == "READY" ? Look.Good : Look.Bad);
        if (state.Simulated)
            grid.Put(x, y, "  SIMULATED: nothing real runs", Look.Warn);
        y++;
        if (state.Reason.Length > 0)
            grid.Put(2, y++, state.Reason, Look.Bad);
        grid.Put(2, y++, $"requests {Figures.Rate(row.Rate)}/s   answered {Figures.Rate(row.OkRate)}/s   "
            + $"p50 {Figures.Ms(row.P50)}   p95 {Figures.Ms(row.P95)}   p99 {Figures.Ms(row.P99)} ms");
        return y;
    }

    private static int Stages(TextGrid grid, int y, FrameRow row, bool unicode)
    {
        var titles = $"{"stage",-NameWidth}{"mean ms",NumberWidth}{"p95 ms",NumberWidth}{"share",NumberWidth}";
        grid.Put(2, y++, titles, Look.Title);
        var total = row.Stages.Sum(s => double.IsFinite(s.MeanMs) ? s.MeanMs : 0);
        var (at, bars) = (0d, Math.Max(0, grid.Width - BarsFrom));
        foreach (var stage in row.Stages)
        {
            var mean = double.IsFinite(stage.MeanMs) ? stage.MeanMs : 0;
            var share = total > 0 ? mean / total : double.NaN;
            grid.Put(2, y, $"{Short(stage.Name),-NameWidth}{Figures.Ms(stage.MeanMs),NumberWidth}"
                + $"{Figures.Ms(stage.P95Ms),NumberWidth}{Figures.Percent(share),NumberWidth}",
                mean > 0 ? Look.Plain : Look.Faint);
            if (mean > 0)
                Bar(grid, y, at / total * bars, mean / total * bars, bars, unicode);
            at += mean;
            y++;
        }

        grid.Put(2, y++, $"{"total",-NameWidth}{Figures.Ms(total > 0 ? total : double.NaN),NumberWidth}", Look.Bold);
        return y;
    }

    /// <summary>Less than half a cell is a sliver, so that nothing that took time is invisible.</summary>
    private static void Bar(TextGrid grid, int y, double from, double length, int bars, bool unicode)
    {
        var (full, sliver) = unicode ? ('█', '▏') : ('#', '|');
        var start = Math.Min((int)from, Math.Max(0, bars - 1));
        var cells = Math.Min((int)Math.Round(length), bars - start);
        grid.Put(BarsFrom + start, y, cells < 1 ? sliver.ToString() : new string(full, cells), Look.Bar);
    }

    private static IEnumerable<(string Title, string Text)> Facts(FrameRow row)
    {
        yield return ("queue", $"{Figures.Whole(row.QueueDepth)} of {Figures.Whole(row.QueueLengthMax)}, "
            + $"predicted wait {Figures.Ms(row.PredictedWaitMs)} ms");
        yield return ("runners", $"{Figures.Whole(row.Runners)}, {Figures.Percent(row.Busy / row.Runners)} busy, "
            + $"{Figures.Whole(row.InFlight)} requests inside runs");
        yield return ("batches", $"{Figures.Rate(row.BatchRate)}/s, {Figures.Rate(row.BatchRequests)} requests "
            + $"on average; rows {Figures.Shares(row.Sizes)}");
        yield return ("cut because", Figures.Shares(row.Cuts));
        yield return ("outcomes", Figures.Rates(row.Outcomes));
        yield return ("drops", Figures.Rates(row.Drops));
        if (row.Service.Count > 0)
        {
            yield return ("a run takes", string.Join(
                ", ", row.Service.Select(s => $"{s.Rows} row{(s.Rows == "1" ? "" : "s")} {Figures.Ms(s.Ms)} ms")));
        }

        if (double.IsFinite(row.MemoryBytes))
            yield return ("memory", Figures.Bytes(row.MemoryBytes));
    }

    private static string Short(string name) => name.Length < NameWidth ? name : name[..(NameWidth - 1)];
}
