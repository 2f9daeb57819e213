namespace Spillway.Runtimes.Onnx;

/// <summary>
/// Decides when a session's arena gives memory back. An arena keeps the size of the largest run for ever; giving back
/// after each run would make the next one allocate again (a run of 4 ms then takes 5). So it shrinks once, when a
/// spike is over: after so many runs in a row of less than half the largest one's input. Thread-safe.
/// </summary>
internal sealed class ArenaWatch
{
    /// <summary>Runs in a row that call a spike over: a fraction of a second under load.</summary>
    public const int RunsMin = 64;

    private readonly Lock _gate = new();
    private long _largest;
    private long _largestSince;
    private int _smaller;

    /// <summary>True when the run with that much input shall shrink the arena as it ends.</summary>
    public bool Decide(long inputBytes)
    {
        lock (_gate)
        {
            if (inputBytes >= _largest / 2)
            {
                (_largest, _largestSince, _smaller) = (Math.Max(_largest, inputBytes), 0, 0);
                return false;
            }

            _largestSince = Math.Max(_largestSince, inputBytes);
            if (++_smaller < RunsMin)
                return false;
            (_largest, _largestSince, _smaller) = (_largestSince, 0, 0);
            return true;
        }
    }
}
