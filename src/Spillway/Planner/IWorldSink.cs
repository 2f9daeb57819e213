namespace Spillway.Planner;

/// <summary>
/// Who is told of the requests of a <see cref="World"/>, where their number forbids to keep an answer of each.
/// </summary>
public interface IWorldSink
{
    /// <summary>Its run begins.</summary>
    /// <param name="tag">The request's number at its submitter.</param>
    void Began(int tag);

    /// <summary>Answered, refused or dropped; the last that is heard of it.</summary>
    /// <param name="tag">The request's number at its submitter.</param>
    /// <param name="fault">Why it was not answered; null when it was.</param>
    void Ended(int tag, FaultKind? fault);
}
