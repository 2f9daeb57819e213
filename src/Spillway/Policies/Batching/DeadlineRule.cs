namespace Spillway.Policies.Batching;

/// <summary>Where a request's deadline came from, for the record.</summary>
public enum DeadlineSource
{
    /// <summary>The caller gave it.</summary>
    Caller,

    /// <summary>The caller gave a longer one than the model allows.</summary>
    CallerCut,

    /// <summary>The model's fixed default.</summary>
    Fixed,

    /// <summary>A multiple of the learned time.</summary>
    Learned,

    /// <summary>The floor under that multiple.</summary>
    Floor,
}

/// <summary>Chooses a request's deadline. Pure.</summary>
public static class DeadlineRule
{
    /// <summary>The time a request has from its first instant, and why.</summary>
    public static (TimeSpan Span, DeadlineSource Source) Decide(
        DeadlineOptions options, TimeSpan? asked, TimeSpan learned)
    {
        if (asked is { } wish)
        {
            var most = TimeSpan.FromMilliseconds(options.MaxMs);
            return wish > most ? (most, DeadlineSource.CallerCut) : (wish, DeadlineSource.Caller);
        }

        if (options.FixedMs > 0)
            return (TimeSpan.FromMilliseconds(options.FixedMs), DeadlineSource.Fixed);
        var multiple = learned * options.Factor;
        var floor = TimeSpan.FromMilliseconds(options.FloorMs);
        return multiple > floor ? (multiple, DeadlineSource.Learned) : (floor, DeadlineSource.Floor);
    }
}
