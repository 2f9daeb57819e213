namespace Spillway.App.Cli.Top;

/// <summary>What the rows are ordered by.</summary>
internal enum SortBy
{
    /// <summary>The served name, from A to Z.</summary>
    Name,

    /// <summary>Requests a second, the busiest first.</summary>
    Rate,

    /// <summary>Requests not answered a second.</summary>
    Failed,

    /// <summary>The 99th percentile.</summary>
    P99,

    /// <summary>Places held in the queue.</summary>
    Queue,

    /// <summary>Memory, where the server tells.</summary>
    Memory,
}

/// <summary>What a person has chosen. Immutable; a key makes another one.</summary>
internal sealed record TopState
{
    /// <summary>The longest filter.</summary>
    public const int FilterLengthMax = 64;

    public SortBy Sort { get; init; } = SortBy.Name;

    public bool Reversed { get; init; }

    /// <summary>Part of a name; empty for all.</summary>
    public string Filter { get; init; } = "";

    /// <summary>Letters go into the filter.</summary>
    public bool Editing { get; init; }

    public bool Paused { get; init; }

    public bool Help { get; init; }

    /// <summary>The chosen row's model is shown alone.</summary>
    public bool Detail { get; init; }

    public bool Quit { get; init; }

    /// <summary>Key of the chosen row; empty for the first.</summary>
    public string Chosen { get; init; } = "";

    /// <summary>The rows to show, in their order.</summary>
    public IReadOnlyList<FrameRow> Order(Frame frame)
    {
        var rows = frame.Rows.Where(r => r.State.Name.Contains(Filter, StringComparison.OrdinalIgnoreCase))
            .OrderBy(r => r.State.Name, StringComparer.Ordinal).ThenBy(r => r.State.Version, StringComparer.Ordinal);
        // Sorting is stable: equal figures stay in the order of names.
        var ordered = Sort switch
        {
            SortBy.Name => rows,
            SortBy.Rate => rows.OrderByDescending(r => Known(r.Rate)),
            SortBy.Failed => rows.OrderByDescending(r => Known(r.FailedRate)),
            SortBy.P99 => rows.OrderByDescending(r => Known(r.P99)),
            SortBy.Queue => rows.OrderByDescending(r => Known(r.QueueDepth)),
            SortBy.Memory => rows.OrderByDescending(r => Known(r.MemoryBytes)),
        };
        return Reversed ? [.. ordered.Reverse()] : [.. ordered];
    }

    /// <summary>Where the chosen row stands; 0 when it is not there any more.</summary>
    public int Index(IReadOnlyList<FrameRow> rows)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].Key == Chosen)
                return i;
        }

        return 0;
    }

    /// <summary>What a key makes of it.</summary>
    /// <param name="key">As the console reports it.</param>
    /// <param name="frame">What is shown; null before the first poll.</param>
    public TopState Press(ConsoleKeyInfo key, Frame? frame)
    {
        if (Editing)
            return Edit(key);
        if (Help)
            return this with { Help = false, Quit = key.KeyChar is 'q' };
        return key.Key switch
        {
            ConsoleKey.UpArrow => Move(-1, frame),
            ConsoleKey.DownArrow => Move(1, frame),
            ConsoleKey.PageUp => Move(-10, frame),
            ConsoleKey.PageDown => Move(10, frame),
            ConsoleKey.Enter => Move(0, frame) with { Detail = !Detail },
            ConsoleKey.Escape or ConsoleKey.Backspace or ConsoleKey.LeftArrow => Back(),
            _ => Letter(key.KeyChar, frame),
        };
    }

    private static double Known(double figure) => double.IsNaN(figure) ? double.NegativeInfinity : figure;

    private TopState Letter(char letter, Frame? frame) => letter switch
    {
        'q' => this with { Quit = true },
        ' ' or 'p' => this with { Paused = !Paused },
        's' => this with { Sort = (SortBy)(((int)Sort + 1) % Enum.GetValues<SortBy>().Length) },
        'r' => this with { Reversed = !Reversed },
        '/' => this with { Editing = true, Detail = false },
        '?' or 'h' => this with { Help = true },
        'k' => Move(-1, frame),
        'j' => Move(1, frame),
        _ => this,
    };

    private TopState Back() => Detail ? this with { Detail = false } : this with { Filter = "" };

    private TopState Move(int by, Frame? frame)
    {
        var rows = frame is null ? [] : Order(frame);
        return rows.Count == 0 ? this
            : this with { Chosen = rows[Math.Clamp(Index(rows) + by, 0, rows.Count - 1)].Key };
    }

    private TopState Edit(ConsoleKeyInfo key) => key.Key switch
    {
        ConsoleKey.Enter => this with { Editing = false },
        ConsoleKey.Escape => this with { Editing = false, Filter = "" },
        ConsoleKey.Backspace => this with { Filter = Filter[..Math.Max(0, Filter.Length - 1)] },
        _ when !char.IsControl(key.KeyChar) && Filter.Length < FilterLengthMax =>
            this with { Filter = Filter + key.KeyChar },
        _ => this,
    };
}
