using System.Globalization;

namespace Spillway.Policies.Overload;

/// <summary>Whether a request is let in under overload, with the numbers that it was decided on.</summary>
/// <param name="Admitted">Whether it is.</param>
/// <param name="Criticality">Its class.</param>
/// <param name="Rank">Its place: 0 is shed first.</param>
/// <param name="Cut">The lowest rank that is let in.</param>
/// <param name="Queued">The mean time in the queue that was measured last; for one above the cut that is shed all the
/// same, the work that waits at this moment.</param>
/// <param name="Threshold">What overload is.</param>
internal readonly record struct ShedVerdict(
    bool Admitted, Criticality Criticality, int Rank, int Cut, TimeSpan Queued, TimeSpan Threshold)
{
    /// <summary>When the cut may have moved.</summary>
    public TimeSpan Retry { get; init; }

    /// <summary>As a sentence, for the record of the request and for its refusal.</summary>
    public string Explain() => (Admitted ? "let in: " : "shed: ")
        + Text($"{Criticality}, rank {Rank}, the cut is at {Cut}; ")
        + (Admitted || Rank < Cut ? Text($"requests waited {Queued.TotalMilliseconds:0.#} ms on average, ")
            : Text($"{Queued.TotalMilliseconds:0.#} ms of work wait while more critical requests come, "))
        + Text($"and overload is {Threshold.TotalMilliseconds:0.#} ms");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
