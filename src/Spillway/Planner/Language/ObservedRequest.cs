namespace Spillway.Planner.Language;

/// <summary>What was seen of a request.</summary>
/// <param name="Request">Its arrival and its tokens.</param>
/// <param name="FirstToken">When the first token was there; <see cref="Instant.Never"/> where it was not seen.</param>
/// <param name="LastToken">When the last one was; never where it was not seen.</param>
public readonly record struct ObservedRequest(LanguageRequest Request, Instant FirstToken, Instant LastToken)
{
    /// <summary>When the engine took notice of it, between two steps; null where nobody wrote that down.</summary>
    public Instant? Queued { get; init; }

    /// <summary>When it was first given to a step; null where nobody wrote that down.</summary>
    public Instant? Scheduled { get; init; }

    /// <summary>What could be known of it at an instant.</summary>
    public ObservedRequest AsOf(Instant now) => this with
    {
        FirstToken = FirstToken <= now ? FirstToken : Instant.Never,
        LastToken = LastToken <= now ? LastToken : Instant.Never,
        Queued = Queued <= now ? Queued : null,
        Scheduled = Scheduled <= now ? Scheduled : null,
    };
}
