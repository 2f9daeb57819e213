using System.Runtime.InteropServices;

namespace Spillway.App.Load;

/// <summary>
/// Waits for an instant without burning a core: the kernel's microsecond sleep until shortly before it, a spin for
/// what is left. Linux wakes a sleeper up to 50 µs late by its default timer slack; this thread asks for 1 µs and so
/// spins 15 µs instead of 60. The managed waits round to whole milliseconds, which at 1,000 requests a second would
/// send in clumps. Made on the thread that waits.
/// </summary>
internal sealed class Pacer(LoadClock clock)
{
    private const int SetTimerSlack = 29;
    private const long SleepMaxNs = 100 * LoadClock.PerMillisecond;

    private readonly long _spinNs = TryFineTimer() ? 15_000 : 60_000;

    /// <summary>
    /// Returns at <paramref name="due"/>, or at once if it has passed; false when told to stop before.
    /// </summary>
    public bool WaitUntil(long due, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var left = due - clock.Now;
            if (left <= 0)
                return true;
            if (left > _spinNs)
                Sleep(Math.Min(left - _spinNs, SleepMaxNs));
            else
                Thread.SpinWait(8);
        }

        return false;
    }

    private static bool TryFineTimer() => OperatingSystem.IsLinux() && Control(SetTimerSlack, 1, 0, 0, 0) == 0;

    private static void Sleep(long ns)
    {
        if (OperatingSystem.IsWindows())
            Thread.Yield();
        else
            _ = MicroSleep((uint)(ns / 1000));
    }

    [DllImport("libc", EntryPoint = "prctl")]
    private static extern int Control(int option, nuint argument, nuint unused3, nuint unused4, nuint unused5);

    [DllImport("libc", EntryPoint = "usleep")]
    private static extern int MicroSleep(uint microseconds);
}
