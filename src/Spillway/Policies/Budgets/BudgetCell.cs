namespace Spillway.Policies.Budgets;

/// <summary>One cell of a budget's time, and the money of it.</summary>
internal sealed class BudgetCell
{
    /// <summary>From when to when.</summary>
    public required CellSpan Span { get; init; }

    /// <summary>Nano-units that were spent.</summary>
    public long Spent { get; set; }

    /// <summary>Set aside for requests in flight.</summary>
    public long Reserved { get; set; }

    /// <summary>May be spent: on the disk as spent.</summary>
    public long Drawn { get; set; }

    /// <summary>What the disk says; -1 when nobody knows.</summary>
    public long Saved { get; set; }

    /// <summary>What requests asked for beyond what is drawn.</summary>
    public long Wanted { get; set; }

    /// <summary>Of what is spent, what a crash left uncertain.</summary>
    public long Lost { get; set; }

    /// <summary>Thresholds that were told.</summary>
    public int Warned { get; set; }

    /// <summary>Of what the disk says, what is known to be spent; -1 for nothing yet.</summary>
    public long SavedSpent { get; set; } = -1;

    /// <summary>Spent or set aside.</summary>
    public long Used => Spent + Reserved;

    /// <summary>What should be drawn: a slice ahead, or what is asked for.</summary>
    public long Target(long slice) => Spent + Math.Max(slice, Reserved + Wanted);
}
