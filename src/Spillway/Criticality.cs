namespace Spillway;

/// <summary>
/// How much it matters that a request is answered when there is too much to do. The lowest is given up first. The four
/// classes are those of "Site Reliability Engineering" (O'Reilly, 2016), chapter 21; they order what is shed, and
/// priorities order what is served.
/// </summary>
public enum Criticality : byte
{
    /// <summary>Given up first: nobody notices, or it is asked again later (batch jobs, prefetching).</summary>
    Sheddable,

    /// <summary>Given up next: partial unavailability is expected (jobs with a retry of their own).</summary>
    SheddablePlus,

    /// <summary>What a user waits for: the default.</summary>
    Critical,

    /// <summary>Given up last: its failure is seen by everybody at once.</summary>
    CriticalPlus,
}
