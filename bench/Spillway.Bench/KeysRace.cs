using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Engine.Access;
using Spillway.Policies.Identity;

namespace Spillway.Bench;

/// <summary>
/// What it costs to know who calls: a key that was seen before, one that is wrong, one whose id does not exist, a
/// mistyped one, and one HMAC-SHA-256 beside them. CPU time of the process, in turns; the clock is the system's.
/// </summary>
internal static class KeysRace
{
    private const int KeysOfServer = 1000;
    private static readonly TimeSpan s_block = TimeSpan.FromSeconds(0.2);

    public static async Task RunAsync(int rounds)
    {
        var pepper = new byte[32];
        var opened = KeyRing.Open(":memory:", new(pepper, [], TimeProvider.System, new(), NullLogger.Instance));
        await using var ring = opened.Value;
        var issued = ring.Create(new() { Tenant = "bench" }).Value;
        for (var i = 1; i < KeysOfServer; i++)
            ring.Create(new() { Tenant = "bench" });
        var wrong = KeyText.Create("live", issued.Key.Id);
        var unknown = KeyText.Create("live", KeyText.NewId());
        var mistyped = issued.Text[..^1] + (issued.Text.EndsWith('a') ? 'b' : 'a');
        (string Name, Action Call)[] calls =
        [
            ("Known", () => ring.Identify(issued.Text, out _)),
            ("WrongSecret", () => ring.Identify(wrong, out _)),
            ("UnknownId", () => ring.Identify(unknown, out _)),
            ("Mistyped", () => ring.Identify(mistyped, out _)),
            ("HmacAlone", () => KeyDigest.Of(pepper, issued.Text)),
        ];
        foreach (var call in calls.Concat(calls))
            Spend(call.Call);
        var figures = calls.ToDictionary(c => c.Name, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (name, call) in calls)
                figures[name].Add(Spend(call));
        }

        Report.Print(new
        {
            Keys = KeysOfServer,
            Rounds = rounds,
            Microseconds = figures.ToDictionary(f => f.Key, f => Report.Spread(f.Value)),
        });
    }

    /// <summary>CPU microseconds of one call, over a block of calls.</summary>
    private static double Spend(Action call)
    {
        var (calls, began) = (0L, Environment.CpuUsage.TotalTime);
        TimeSpan spent;
        do
        {
            for (var i = 0; i < 1000; i++)
                call();
            calls += 1000;
            spent = Environment.CpuUsage.TotalTime - began;
        }
        while (spent < s_block);
        return spent.TotalMicroseconds / calls;
    }
}
