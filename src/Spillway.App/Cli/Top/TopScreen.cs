using System.Globalization;

namespace Spillway.App.Cli.Top;

/// <summary>What the terminal shows, as a function of what is known and what was chosen. Pure.</summary>
/// <param name="server">The address that is watched.</param>
/// <param name="unicode">Whether bars may be drawn with block characters.</param>
internal sealed class TopScreen(string server, bool unicode)
{
    private const int HeadLines = 3;

    private static readonly string[] s_help =
    [
        "up, down, j, k   choose a model          enter      its stages, batches and refusals alone",
        "s                sort by the next column r          reverse the order",
        "/                filter by name          escape     back; without filter again",
        "space, p         pause                   q, Ctrl-C  quit",
        "",
        "REQ/S all requests · OK/S answered · FAIL/S refused, dropped or failed, the most frequent reason in WHY",
        "P50 P95 P99 of the answered, in ms, from the histogram's buckets in this interval: off by at most their width",
        "QUEUE places taken of all · RUN requests inside a run · BUSY of the runners' time · BATCH requests a run",
        "CUT why most batches did not take more · MEM where the server tells it",
        "",
        "Any key goes back.",
    ];

    /// <summary>Draws everything.</summary>
    /// <param name="state">What was chosen.</param>
    /// <param name="frame">The latest figures; null before the first poll.</param>
    /// <param name="waiting">Why there are none now; empty when all is well.</param>
    /// <param name="width">Columns of the terminal.</param>
    /// <param name="height">Its rows.</param>
    public TextGrid Draw(TopState state, Frame? frame, string waiting, int width, int height)
    {
        var grid = new TextGrid(width, height);
        Head(grid, state, frame, waiting);
        var rows = frame is null ? [] : state.Order(frame);
        if (state.Help)
        {
            for (var i = 0; i < s_help.Length; i++)
                grid.Put(2, HeadLines + i, s_help[i]);
        }
        else if (frame is null)
        {
            grid.Put(2, HeadLines, waiting.Length > 0 ? "" : "asking for the first figures …", Look.Faint);
        }
        else if (state.Detail && rows.Count > 0)
        {
            TopDetail.Draw(grid, HeadLines, rows[state.Index(rows)], unicode);
        }
        else
        {
            TopTable.Draw(grid, HeadLines, grid.Height - 2, rows, state.Index(rows), state.Sort);
            if (rows.Count == 0)
            {
                grid.Put(2, HeadLines + 1,
                    frame.Rows.Count == 0 ? "The server serves no model." : "No name fits the filter.");
            }
        }

        Foot(grid, state);
        return grid;
    }

    private void Head(TextGrid grid, TopState state, Frame? frame, string waiting)
    {
        var x = grid.Put(0, 0, "spillway top ", Look.Bold);
        x = grid.Put(x, 0, $" {server} ");
        if (frame is not null)
        {
            var (name, version, ready, stopping) = frame.Now.Server;
            x = grid.Put(x, 0, $" {name} {version}  up {Figures.Uptime(frame.UptimeSeconds)}  ");
            x = stopping ? grid.Put(x, 0, "STOPPING", Look.Bad)
                : ready ? grid.Put(x, 0, "READY", Look.Good) : grid.Put(x, 0, "NOT READY", Look.Bad);
            x = grid.Put(x, 0, frame.Now.At.ToString("  HH:mm:ss'Z'", CultureInfo.InvariantCulture), Look.Faint);
        }

        if (state.Paused)
            grid.Put(x, 0, "  PAUSED", Look.Warn);
        if (waiting.Length > 0)
            grid.Put(0, 1, waiting, Look.Bad);
        else if (frame is not null)
            grid.Put(0, 1, ProcessLine(frame));
    }

    /// <summary>The process in one line.</summary>
    public static string ProcessLine(Frame frame) => string.Join("   ",
        $"cpu {Figures.Percent(frame.Cpu)}",
        $"memory {Figures.Bytes(frame.Now["process_resident_memory_bytes"])}",
        $"heap {Figures.Bytes(frame.Now["dotnet_gc_heap_size_bytes"])}",
        $"alloc {Figures.Bytes(frame.Allocated)}/s",
        $"gc pause {Figures.Percent(frame.GcPause)}",
        $"in flight {Figures.Whole(frame.Now.InFlight)}",
        $"bodies {Figures.Bytes(frame.Now.BytesHeld)}",
        $"pool queue {Figures.Whole(frame.Now["dotnet_thread_pool_queue_length"])}");

    private static void Foot(TextGrid grid, TopState state)
    {
        var y = grid.Height - 1;
        if (y < HeadLines)
            return;
        grid.Paint(y, Look.Plain);
        grid.Put(0, y, new string(' ', grid.Width));
        if (state.Editing)
            grid.Put(0, y, $"filter: {state.Filter}_", Look.Bold);
        else
            grid.Put(0, y, "q quit  ? help  s sort  / filter  space pause  enter detail"
                + (state.Filter.Length > 0 ? $"   filter: {state.Filter}" : ""), Look.Faint);
    }
}
