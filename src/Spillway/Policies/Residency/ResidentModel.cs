namespace Spillway.Policies.Residency;

/// <summary>What the policy knows of one model. Changed by <see cref="ResidencyPolicy"/> alone.</summary>
internal sealed class ResidentModel(int number, long bytes, bool pinned)
{
    public int Number => number;

    /// <summary>Never unloaded to make room.</summary>
    public bool Pinned { get; set; } = pinned;

    /// <summary>Measured by the last load; before the first one estimated.</summary>
    public long Bytes { get; set; } = bytes;

    /// <summary>What it takes from the budget now.</summary>
    public long Held { get; set; }

    public ResidencyState State { get; set; }

    /// <summary>It answers somebody, as far as the caller saw.</summary>
    public bool IsBusy { get; set; }

    /// <summary>When it was last used, as far as the caller saw.</summary>
    public Instant UsedAt { get; set; }

    public int Waiters { get; set; }

    /// <summary>An operator, or the start, waits for its load: it keeps its place however long that takes.</summary>
    public bool IsOrdered { get; set; }

    /// <summary>Its load takes so long that the others no longer wait for it.</summary>
    public bool IsLate { get; set; }

    /// <summary>The order of its last wish among all: what came first at the same instant.</summary>
    public long LastUse { get; set; }

    /// <summary>When it was last wanted.</summary>
    public Instant WantedAt { get; set; }

    /// <summary>When its load began; while queued, when it was first found to have no room, or Never.</summary>
    public Instant Since { get; set; } = Instant.Never;

    /// <summary>The model that it makes room for.</summary>
    public int For { get; set; } = -1;

    public TimeSpan? LastLoad { get; set; }

    public int Failures { get; set; }

    public Instant RetryAt { get; set; } = new(long.MinValue);

    public bool IsGone { get; set; }

    /// <summary>Somebody wanted it while it was on its way out.</summary>
    public bool WantedAgain { get; set; }

    /// <summary>It could make room: now if nothing is in flight, else after closing.</summary>
    public bool IsEvictable => State is ResidencyState.Resident && !Pinned;
}
