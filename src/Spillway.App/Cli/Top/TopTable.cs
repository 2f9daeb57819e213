namespace Spillway.App.Cli.Top;

/// <summary>
/// The table of served names: one line each, as many columns as the width holds. The least needed column gives way
/// first. Pure.
/// </summary>
internal static class TopTable
{
    private const int NameMin = 12;
    private const int NameMax = 40;

    // Rank: which column gives way first, the highest before the others.
    private static readonly Column[] s_columns =
    [
        new("REQ/S", 7, 0, r => Figures.Rate(r.Rate)),
        new("OK/S", 7, 8, r => Figures.Rate(r.OkRate)),
        new("FAIL/S", 7, 2, r => Figures.Rate(r.FailedRate)),
        new("P50", 6, 5, r => Figures.Ms(r.P50)),
        new("P95", 6, 7, r => Figures.Ms(r.P95)),
        new("P99", 6, 1, r => Figures.Ms(r.P99)),
        new("QUEUE", 9, 3, Queue),
        new("RUN", 5, 9, r => Figures.Whole(r.InFlight)),
        new("BUSY", 5, 6, r => Figures.Percent(r.Busy / r.Runners)),
        new("BATCH", 6, 4, r => Figures.Rate(r.BatchRequests)),
        new("CUT", 9, 11, r => r.Cuts.Count > 0 ? r.Cuts[0].Name : "-"),
        new("MEM", 6, 12, r => Figures.Bytes(r.MemoryBytes)),
        new("WHY", 17, 10, Why),
    ];

    /// <summary>Draws header and rows; the chosen row stays in sight.</summary>
    public static void Draw(TextGrid grid, int top, int bottom, IReadOnlyList<FrameRow> rows, int chosen, SortBy sort)
    {
        var columns = Fit(grid.Width);
        var name = Math.Clamp(grid.Width - columns.Sum(c => c.Width + 1) - 2, NameMin, NameMax);
        Head(grid, top, columns, name, sort);
        var room = Math.Max(1, bottom - top);
        var first = Math.Clamp(chosen - room + 1, 0, Math.Max(0, rows.Count - room));
        for (var i = first; i < rows.Count && i < first + room; i++)
            Row(grid, top + 1 + i - first, columns, name, rows[i], i == chosen);
    }

    /// <summary>The header and one line for each row, for output that is no screen.</summary>
    public static IEnumerable<string> Lines(IReadOnlyList<FrameRow> rows, bool header)
    {
        var name = Math.Max(NameMin, rows.Select(r => Name(r).Length).DefaultIfEmpty().Max());
        if (header)
            yield return Join("MODEL", c => c.Title);
        foreach (var row in rows)
            yield return Join(Name(row), c => c.Text(row));

        string Join(string first, Func<Column, string> text) =>
            $"{first.PadRight(name)} {string.Join(' ', s_columns.Select(c => text(c).PadLeft(c.Width)))}";
    }

    private static void Head(TextGrid grid, int y, List<Column> columns, int name, SortBy sort)
    {
        grid.Paint(y, Look.Title);
        grid.Put(2, y, Cut(sort is SortBy.Name ? "MODEL*" : "MODEL", name), Look.Title);
        var x = 2 + name;
        foreach (var column in columns)
        {
            var title = column.Title == Sorted(sort) ? column.Title + "*" : column.Title;
            grid.Put(x + 1 + column.Width - title.Length, y, title, Look.Title);
            x += column.Width + 1;
        }
    }

    private static void Row(TextGrid grid, int y, List<Column> columns, int name, FrameRow row, bool chosen)
    {
        var look = chosen ? Look.Chosen : LookOf(row);
        grid.Paint(y, look);
        grid.Put(0, y, chosen ? ">" : " ", look);
        grid.Put(2, y, Cut(Name(row), name), look);
        var x = 2 + name;
        foreach (var column in columns)
        {
            grid.Put(x + 1, y, Cut(column.Text(row), column.Width).PadLeft(column.Width), look);
            x += column.Width + 1;
        }
    }

    private static List<Column> Fit(int width)
    {
        var columns = s_columns.ToList();
        while (columns.Count > 1 && columns.Sum(c => c.Width + 1) + NameMin + 2 > width)
            columns.Remove(columns.MaxBy(c => c.Rank)!);
        return columns;
    }

    private static string Name(FrameRow row)
    {
        var state = row.State.State is "READY" or "" ? "" : $" ({row.State.State.ToLowerInvariant()})";
        return row.State.Name + state;
    }

    private static Look LookOf(FrameRow row)
    {
        if (row.State.State is not ("READY" or ""))
            return row.State.State == "LOADING" ? Look.Warn : Look.Bad;
        return row.FailedRate > row.OkRate ? Look.Bad : row.FailedRate > 0 ? Look.Warn : Look.Plain;
    }

    private static string Queue(FrameRow row) => double.IsNaN(row.QueueLengthMax)
        ? Figures.Whole(row.QueueDepth) : $"{Figures.Whole(row.QueueDepth)}/{Figures.Whole(row.QueueLengthMax)}";

    private static string Why(FrameRow row) =>
        row.Outcomes.FirstOrDefault(o => o.Name != "ok").Name ?? "-";

    private static string Sorted(SortBy sort) => sort switch
    {
        SortBy.Name => "MODEL",
        SortBy.Rate => "REQ/S",
        SortBy.Failed => "FAIL/S",
        SortBy.P99 => "P99",
        SortBy.Queue => "QUEUE",
        SortBy.Memory => "MEM",
    };

    private static string Cut(string text, int width) => text.Length <= width ? text : text[..(width - 1)] + "…";

    private sealed record Column(string Title, int Width, int Rank, Func<FrameRow, string> Text);
}
