using System.Globalization;

namespace Spillway.Policies.Drills;

/// <summary>A drill that runs.</summary>
/// <param name="Id">Its identifier.</param>
/// <param name="Order">What is broken.</param>
/// <param name="Who">Who began it.</param>
/// <param name="Began">When.</param>
/// <param name="Ends">When it ends by itself, unless it is renewed.</param>
/// <param name="Ttl">How long each renewal holds.</param>
internal sealed record DrillRun(string Id, DrillOrder Order, string Who, Instant Began, Instant Ends, TimeSpan Ttl);

/// <summary>
/// One drill at a time, and each for a short while only: whoever drills renews it again and again. So whatever happens
/// to them (interrupted, killed, cut off), what they broke is whole again within <see cref="TtlMax"/>, and a server
/// that starts has nothing broken, for the lease is in its memory alone. Pure; one owner.
/// </summary>
internal sealed class DrillLease
{
    /// <summary>The shortest lease: below it one slow answer would end a drill.</summary>
    public static readonly TimeSpan TtlMin = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest lease: as long as a fault may outlive whoever made it.</summary>
    public static readonly TimeSpan TtlMax = TimeSpan.FromSeconds(10);

    /// <summary>The longest drill, however often it is renewed: a command that hangs must not break for ever.</summary>
    public static readonly TimeSpan TotalMax = TimeSpan.FromMinutes(10);

    /// <summary>What runs; null for nothing. Ask <see cref="Expire"/> first.</summary>
    public DrillRun? Running { get; private set; }

    /// <summary>Begins; a fault while another one runs, and for a time that is none.</summary>
    public Outcome<DrillRun> Begin(string id, DrillOrder order, string who, TimeSpan ttl, Instant now)
    {
        if (Running is { } other)
        {
            return Fault.Invalid(Text($"The drill {other.Id} runs already ({other.Order.Text}). One at a time: wait, ")
                + "or end it with `spillway drill stop`.");
        }

        if (ttl < TtlMin || ttl > TtlMax)
        {
            return Fault.Invalid(Text($"A lease of {ttl.TotalMilliseconds:0} ms is none: give ")
                + Text($"{TtlMin.TotalMilliseconds} to {TtlMax.TotalMilliseconds} ms."));
        }

        return Running = new(id, order, who, now, now + ttl, ttl);
    }

    /// <summary>Holds on to it for another time.</summary>
    public Outcome<DrillRun> Renew(string id, Instant now)
    {
        if (Running is not { } run || run.Id != id)
            return Ended(id);
        var last = run.Began + TotalMax;
        return now >= last
            ? Fault.Invalid(Text($"A drill lasts {TotalMax.TotalMinutes:0} minutes at most; {id} has. Everything is ")
                + "whole again.")
            : Running = run with { Ends = Instant.Earlier(now + run.Ttl, last) };
    }

    /// <summary>Ends it; null when it does not run.</summary>
    /// <param name="id">Which; null ends whatever runs.</param>
    public DrillRun? End(string? id)
    {
        if (Running is not { } run || (id is not null && run.Id != id))
            return null;
        Running = null;
        return run;
    }

    /// <summary>Ends what was not renewed in time; null when nothing was to be ended.</summary>
    public DrillRun? Expire(Instant now) => Running is { } run && now >= run.Ends ? End(run.Id) : null;

    private static Fault Ended(string id) => Fault.Invalid(
        $"The drill {id} does not run: it was ended, or not renewed in time. Everything is whole again.");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
