namespace Spillway.Planner.Language;

/// <summary>
/// How long steps of nothing but answers took, from when an engine was seen between two steps. Requests are noticed,
/// scheduled and given tokens only there, so where no prompt is being read, the time between two such instants is a
/// whole number of steps, and a small number of them is told with certainty. A record of long answers says in this way
/// how fast tokens come long before the first answer is complete.
/// </summary>
internal sealed class DecodeGaps
{
    // Steps are never shorter than this, and one step's instants are written down within it.
    private const double SameStepMs = 2;
    private const int StepsMax = 3;
    private const double Spread = 0.03;

    private readonly List<ObservedRequest> _seen;
    private readonly List<Gap> _gaps = [];

    /// <summary>Finds the gaps; none where nobody wrote down when requests were scheduled.</summary>
    public DecodeGaps(List<ObservedRequest> seen)
    {
        _seen = seen;
        var instants = Instants(seen);
        for (var at = 1; at < instants.Count; at++)
        {
            var (from, to) = (instants[at - 1], instants[at]);
            if (Decoding(from, to) is { Count: > 0 } running)
                _gaps.Add(new(from, (to - from).TotalSeconds, running));
        }
    }

    /// <summary>How many were found.</summary>
    public int Count => _gaps.Count;

    /// <summary>What the gaps cost that are no multiple of the steps foretold.</summary>
    /// <param name="roofline">Foretells them.</param>
    /// <param name="ends">The simulated ends of steps in order: how many tokens each request has by then.</param>
    /// <param name="cost">Of a residual in units of its spread.</param>
    public double Loss(Roofline roofline, List<Instant> ends, Func<double, double> cost)
    {
        var loss = 0.0;
        foreach (var gap in _gaps)
        {
            var context = 0.0;
            foreach (var at in gap.Running)
                context += _seen[at].Request.Input + Between(ends, _seen[at].FirstToken, gap.From);
            var step = roofline.Seconds(StepWork.Decode(gap.Running.Count, context / gap.Running.Count));
            var steps = Math.Max(1, Math.Round(gap.Seconds / step));
            // More steps than a few could be one more or one less as well.
            if (steps <= StepsMax)
                loss += cost(Math.Log(gap.Seconds / (steps * step)) / Spread);
        }

        return loss;
    }

    private static int Between(List<Instant> ends, Instant from, Instant to) => Upto(ends, to) - Upto(ends, from);

    private static int Upto(List<Instant> ends, Instant at)
    {
        var found = ends.BinarySearch(at);
        return found >= 0 ? found : ~found;
    }

    private static List<Instant> Instants(List<ObservedRequest> seen)
    {
        var instants = new List<Instant>();
        foreach (var one in seen.Where(one => one.Scheduled is not null))
        {
            instants.Add(one.Scheduled!.Value);
            if (one.FirstToken != Instant.Never)
                instants.Add(one.FirstToken);
            if (one.LastToken != Instant.Never)
                instants.Add(one.LastToken);
        }

        instants.AddRange(seen.Where(one => one.Queued is not null).Select(one => one.Queued!.Value));
        instants.Sort();
        var apart = new List<Instant>();
        foreach (var at in instants)
        {
            if (apart.Count == 0 || (at - apart[^1]).TotalMilliseconds > SameStepMs)
                apart.Add(at);
        }

        return apart;
    }

    // Those that were given tokens all the while; null where a prompt was being read.
    private List<int>? Decoding(Instant from, Instant to)
    {
        var running = new List<int>();
        var edge = TimeSpan.FromMilliseconds(SameStepMs);
        for (var at = 0; at < _seen.Count; at++)
        {
            var one = _seen[at];
            if (one.Scheduled is not { } scheduled || scheduled + edge >= to)
                continue;
            if (one.FirstToken > from + edge)
                return null;
            if (one.LastToken > from + edge)
                running.Add(at);
        }

        return running;
    }

    private sealed record Gap(Instant From, double Seconds, List<int> Running);
}
