namespace Spillway.Telemetry;

/// <summary>A request's own span and the one that called it, for whoever draws the trace.</summary>
/// <param name="Span">Ours; 0 when the protocol gave none.</param>
/// <param name="Parent">The caller's; 0 for the first of a trace.</param>
/// <param name="Flags">The caller's trace flags; bit 0: sampled.</param>
public readonly record struct SpanLink(ulong Span, ulong Parent, byte Flags)
{
    /// <summary>Whether somebody called with a trace of their own.</summary>
    public bool HasParent => Parent != 0;

    /// <summary>Whether the caller records its trace.</summary>
    public bool Sampled => (Flags & 1) != 0;
}
