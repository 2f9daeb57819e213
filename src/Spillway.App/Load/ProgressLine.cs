using System.Globalization;

namespace Spillway.App.Load;

/// <summary>One line on standard error, rewritten four times a second; silent when that is not a terminal.</summary>
internal sealed class ProgressLine(TextWriter? terminal, LoadClock clock, int rounds)
{
    private const long EveryNs = LoadClock.PerSecond / 4;

    private string _title = "";
    private long _shown;
    private int _width;

    public void BeginRound(string endpoint, int round) =>
        _title = rounds > 1 ? $"{endpoint} {round}/{rounds}" : endpoint;

    /// <summary>A step of a search or a sweep.</summary>
    public void BeginStep(string endpoint, string kind, double rate) =>
        _title = string.Create(CultureInfo.InvariantCulture, $"{endpoint} {kind} at {rate:0.##}/s");

    public void Show(RoundProgress round)
    {
        if (terminal is null || clock.Now - _shown < EveryNs)
            return;
        _shown = clock.Now;
        Write($"{_title}  {Describe(round)}");
    }

    public void Clear()
    {
        if (terminal is null || _width == 0)
            return;
        Write("");
        terminal.Write('\r');
        terminal.Flush();
    }

    private static string Describe(RoundProgress round)
    {
        var seconds = round.SinceMeasureFromNs / (double)LoadClock.PerSecond;
        if (seconds < 0)
            return string.Create(CultureInfo.InvariantCulture, $"warm-up {-seconds:0.0} s");
        var figures = round.Recorder.Progress(new Tally());
        var tally = figures.Tally;
        var refused = tally.Completed - tally.Ok;
        var done = Math.Max(seconds / round.Plan.DurationSeconds, tally.Offered / (double)round.Plan.RequestsMax);
        var left = done > 0 ? seconds / done - seconds : 0;
        return string.Create(CultureInfo.InvariantCulture,
            $"{Math.Min(1, done):0%}  {tally.Completed:N0} of {tally.Offered:N0} answered  "
            + $"{tally.Completed / seconds:N0}/s  p50 {Ms(tally, 0.5):0.00} ms  p99 {Ms(tally, 0.99):0.00} ms  "
            + $"{refused:N0} refused  {left:0} s left");
    }

    private static double Ms(Tally tally, double q) => tally.OkLatency.Quantile(q) / (double)LoadClock.PerMillisecond;

    private void Write(string text)
    {
        terminal!.Write($"\r{text.PadRight(_width)}");
        terminal.Flush();
        _width = text.Length;
    }
}
