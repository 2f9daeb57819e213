using System.Runtime.InteropServices;

namespace Spillway.App.Load;

/// <summary>
/// Waits for an instant without burning a core: the kernel's microsecond sleep up to 60 µs before it (Linux wakes a
/// sleeper about 50 µs late by its default timer slack), a spin for what is left. The managed waits round to whole
/// milliseconds, which at 1,000 requests a second would send in clumps.
/// </summary>
internal sealed class Pacer(LoadClock clock)
{
    private const long SpinNs = 60_000;
    private const long SleepMaxNs = 20 * LoadClock.PerMillisecond;

    /// <summary>Returns at <paramref name="due"/>, or at once if it has passed; false when told to stop before.</summary>
    public bool WaitUntil(long due, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var left = due - clock.Now;
            if (left <= 0)
                return true;
            if (left > SpinNs)
                Sleep(Math.Min(left - SpinNs, SleepMaxNs));
            else
                Thread.SpinWait(8);
        }

        return false;
    }

    private static void Sleep(long ns)
    {
        if (OperatingSystem.IsWindows())
            Thread.Yield();
        else
            _ = MicroSleep((uint)(ns / 1000));
    }

    [DllImport("libc", EntryPoint = "usleep")]
    private static extern int MicroSleep(uint microseconds);
}
