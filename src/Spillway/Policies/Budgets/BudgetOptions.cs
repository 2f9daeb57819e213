using Spillway.Policies.Guarding;

namespace Spillway.Policies.Budgets;

/// <summary>One budget of money.</summary>
public sealed record BudgetOptions : ScopedOptions
{
    /// <summary>Money in a window.</summary>
    [Option("Money that may be spent in one window, in units of your prices' currency, up to nine decimals.",
        Unit = "units", Min = 1e-9, Max = 1e9, Required = true)]
    public double Limit { get; init; }

    /// <summary>How long a window is.</summary>
    [Option("How long a window is. A week begins on Monday.", Source = "as most bills")]
    public WindowLength Window { get; init; } = WindowLength.Month;

    /// <summary>How windows follow each other.</summary>
    [Option("calendar: windows begin with the minute, hour, day, week or month of timeZone. rolling: the limit holds "
        + "in any stretch of that length; what was spent comes back a 32nd of the window late at the most.")]
    public WindowKind Kind { get; init; }

    /// <summary>Whose calendar.</summary>
    [Option("The time zone of calendar windows, as Europe/Zurich; days of 23 or 25 hours are one window.",
        Source = "no daylight saving")]
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Parts of the limit at which somebody is told.</summary>
    [Option("Parts of the limit at which a warning is logged and counted, and answers begin to carry "
        + "X-Spillway-Budget-Warning: [0.8, 0.95].", Min = 0, Max = 1)]
    public IReadOnlyList<double> WarnAt { get; init; } = [0.8, 0.95];

    /// <summary>The part of the limit that is made durable ahead.</summary>
    [Option("The part of the limit that is written to the disk as spent before it is spent: larger ones need fewer "
        + "writes, and a crash loses at most one of them (and what was in flight).", Min = 0.0001, Max = 1,
        Source = "a crash a day costs less than a third of a monthly budget")]
    public double Slice { get; init; } = 0.01;

    /// <summary>What becomes of a request that finds too little left.</summary>
    [Option("What becomes of a request that finds too little left: refuse, queue (it waits until requests in flight "
        + "give money back, or a new window begins) or degrade (a route's matter, refused here).")]
    public AtLimit AtLimit { get; init; }

    /// <summary>The longest wait with queue.</summary>
    [Option("With atLimit: queue, how long a request may wait.", Unit = "ms", Min = 1, Max = 3_600_000)]
    public double QueueMs { get; init; } = 1000;

    /// <summary>The longest line with queue.</summary>
    [Option("With atLimit: queue, how many requests may wait at once.", Unit = "requests", Min = 1, Max = 100_000,
        Source = "a deployment's queue")]
    public int QueueLengthMax { get; init; } = 256;

    /// <summary>What becomes of requests while slices cannot be written.</summary>
    [Option("What becomes of requests while spending cannot be written to the disk: refuse (503, nothing is spent "
        + "that a crash could forget), or serve (they pass, counted in spillway_budget_unsaved_total).",
        Source = "fail closed")]
    public StoreTrouble OnStoreTrouble { get; init; }

    /// <summary>Whether its windows are those of another declaration, so that what is spent in them goes on.</summary>
    public bool HasWindowsOf(BudgetOptions other) =>
        Window == other.Window && Kind == other.Kind && TimeZone == other.TimeZone;

    /// <summary>The limit, exactly.</summary>
    public Money LimitMoney => new((long)Math.Round((decimal)Limit * 1_000_000_000m));

    /// <summary>A slice, at least one nano-unit.</summary>
    public Money SliceMoney => new(Math.Max(1, (long)(LimitMoney.Nano * (decimal)Slice)));
}

/// <summary>Lengths of windows.</summary>
public enum WindowLength
{
    /// <summary>60 seconds.</summary>
    Minute,

    /// <summary>60 minutes.</summary>
    Hour,

    /// <summary>From midnight to midnight; rolling 24 hours.</summary>
    Day,

    /// <summary>From Monday to Monday; rolling 7 days.</summary>
    Week,

    /// <summary>From the first to the first; rolling 30 days.</summary>
    Month,
}

/// <summary>How windows follow each other.</summary>
public enum WindowKind
{
    /// <summary>With the calendar of a time zone.</summary>
    Calendar,

    /// <summary>Always the time just past.</summary>
    Rolling,
}

/// <summary>What becomes of requests while the store cannot be written.</summary>
public enum StoreTrouble
{
    /// <summary>They are refused.</summary>
    Refuse,

    /// <summary>They pass, and are counted.</summary>
    Serve,
}
