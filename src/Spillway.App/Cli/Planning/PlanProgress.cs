using System.Globalization;

namespace Spillway.App.Cli.Planning;

/// <summary>One line on standard error, rewritten at most four times a second: how far, and how long still.</summary>
/// <param name="terminal">Where; null for a file or a pipe, which get nothing.</param>
/// <param name="candidates">How many.</param>
/// <param name="time">The real clock.</param>
internal sealed class PlanProgress(TextWriter? terminal, int candidates, TimeProvider time)
{
    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly double[] _shares = new double[candidates];
    private readonly long _began = time.GetTimestamp();
    private long _shown = time.GetTimestamp();
    private int _width;

    /// <summary>A candidate has come that far.</summary>
    public void Show(int candidate, double share)
    {
        lock (_lock)
        {
            _shares[candidate] = share;
            if (terminal is null || time.GetElapsedTime(_shown) < s_every)
                return;
            _shown = time.GetTimestamp();
            var done = _shares.Sum() / candidates;
            var passed = time.GetElapsedTime(_began).TotalSeconds;
            var left = done > 0.001 ? passed / done - passed : 0;
            Write(string.Create(CultureInfo.InvariantCulture,
                $"{done * 100:0} %  {_shares.Count(s => s >= 1)} of {candidates} candidates  {left:0} s left"));
        }
    }

    /// <summary>A candidate is done.</summary>
    public void Done(int candidate) => Show(candidate, 1);

    /// <summary>Takes the line away.</summary>
    public void Clear()
    {
        if (terminal is null || _width == 0)
            return;
        Write("");
        terminal.Write('\r');
    }

    private void Write(string text)
    {
        terminal!.Write($"\r{text.PadRight(_width)}");
        terminal.Flush();
        _width = text.Length;
    }
}
