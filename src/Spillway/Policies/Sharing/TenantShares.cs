namespace Spillway.Policies.Sharing;

/// <summary>
/// The tenants that want one deployment, and what each of them is due: their requests are ordered by what each tenant
/// has had, divided by its weight, and none holds more than its part of the queue's places while others want them. So a
/// tenant that asks for less than its part is served as if it were alone with a slower machine, however much the others
/// ask for. Pure, one owner; allocates for a new tenant only.
/// </summary>
/// <remarks>
/// Start-time fair queueing as in <see cref="FairQueue"/>, over requests in place of turns: a request's rank is the
/// virtual time at which it is due, and the rank of the last one that began is the virtual time. Priorities borrow from
/// it; they buy earliness, never a larger part.
/// </remarks>
/// <param name="places">Places in the queue.</param>
public sealed class TenantShares(int places)
{
    /// <summary>The most tenants told apart; more of them share one part.</summary>
    private const int TenantsMax = 1024;

    /// <summary>
    /// Run time by which each priority level may go ahead. 20 ms: far below the smallest default deadline, so that even
    /// an urgent flood pushes nobody past it.
    /// </summary>
    private static readonly TimeSpan s_borrow = TimeSpan.FromMilliseconds(20);

    /// <summary>A tenant that was silent for so long is kept no places.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(10);

    private readonly TenantParts<Part> _parts = new(TenantsMax, s_silence);
    private double _now;
    private Instant _lookedAt;

    /// <summary>The part of a tenant that wants something now.</summary>
    public Part Find(string tenant, double weight, Instant now)
    {
        if (now - _lookedAt > s_silence)
        {
            _lookedAt = now;
            _parts.Forget(now, static part => part.Held == 0);
        }

        var part = _parts.Find(tenant, weight, now, out var isNew);
        part.Due = isNew ? _now : part.Due;
        return part;
    }

    /// <summary>Places that a tenant may hold while the others want theirs.</summary>
    public int PlacesOf(Part part) => Math.Max(1, (int)(places * part.Weight / _parts.Weights));

    /// <summary>The virtual time at which a request of that tenant would be due, in ticks by weight.</summary>
    public double DueOf(Part part) => Math.Max(_now, part.Due);

    /// <summary>Where it stands: its due time, less what its priority borrows.</summary>
    /// <param name="part">Whose.</param>
    /// <param name="levels">Levels below its own.</param>
    public double RankOf(Part part, int levels) =>
        DueOf(part) - (levels * s_borrow.Ticks / part.Weight);

    /// <summary>A request takes a place; returns when it was due.</summary>
    public double Enter(Part part, TimeSpan work)
    {
        var due = DueOf(part);
        part.Due = due + (work.Ticks / part.Weight);
        part.Held++;
        return due;
    }

    /// <summary>A request leaves its place and begins to run.</summary>
    public void Begin(Part part, double due)
    {
        part.Held--;
        _now = Math.Max(_now, due);
    }

    /// <summary>A request leaves its place and never runs: it is not charged.</summary>
    public void Leave(Part part, TimeSpan work)
    {
        part.Held--;
        part.Due = Math.Max(_now, part.Due - (work.Ticks / part.Weight));
    }

    /// <summary>One tenant's part.</summary>
    public sealed class Part : TenantPart
    {
        /// <summary>Places that it holds.</summary>
        public int Held { get; internal set; }

        internal double Due { get; set; }
    }
}
