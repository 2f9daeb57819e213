namespace Spillway.Telemetry;

/// <summary>What is counted for one rate limit or one budget, over all who share its name.</summary>
internal sealed class GuardInstruments
{
    /// <summary>Requests that it refused.</summary>
    public Counter Refused { get; } = new();

    /// <summary>Soft thresholds that were passed.</summary>
    public Counter Warnings { get; } = new();

    /// <summary>Requests that cost more than was reserved.</summary>
    public Counter Overruns { get; } = new();

    /// <summary>Slices that were used though they could not be written.</summary>
    public Counter Unsaved { get; } = new();

    /// <summary>The series of a rate limit.</summary>
    public IEnumerable<Series> OfRate(string name) => [new(Instruments.RateRefused, Refused, [name])];

    /// <summary>The series of a budget.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="gone">The part that is spent or reserved, of the fullest of its scopes.</param>
    /// <param name="reserved">Reserved, over all scopes, in units.</param>
    /// <param name="lost">Counted as spent after crashes, over all scopes, in units.</param>
    public IEnumerable<Series> OfBudget(string name, Func<double> gone, Func<double> reserved, Func<double> lost) =>
    [
        new(Instruments.BudgetRefused, Refused, [name]),
        new(Instruments.BudgetWarnings, Warnings, [name]),
        new(Instruments.BudgetOverruns, Overruns, [name]),
        new(Instruments.BudgetUnsaved, Unsaved, [name]),
        new(Instruments.BudgetUsed, new Gauge(gone), [name]),
        new(Instruments.BudgetReserved, new Gauge(reserved), [name]),
        new(Instruments.BudgetLost, new Gauge(lost), [name]),
    ];
}

/// <summary>What is counted for budgets and switches together.</summary>
internal sealed class GuardCounts
{
    /// <summary>Transactions of slices.</summary>
    public Counter Writes { get; } = new();

    /// <summary>Those that failed.</summary>
    public Counter WriteFailures { get; } = new();

    /// <summary>Times that the wall's clock was set.</summary>
    public Counter ClockJumps { get; } = new();

    /// <summary>Requests in flight that a kill switch ended.</summary>
    public Counter Aborted { get; } = new();

    /// <summary>The series of budgets.</summary>
    public IEnumerable<Series> OfBudgets() =>
    [
        new(Instruments.BudgetWrites, Writes, []), new(Instruments.BudgetWriteFailures, WriteFailures, []),
        new(Instruments.ClockJumps, ClockJumps, []),
    ];

    /// <summary>The series of kill switches.</summary>
    public IEnumerable<Series> OfSwitches(Func<double> off) =>
        [new(Instruments.SwitchesOff, new Gauge(off), []), new(Instruments.SwitchAborted, Aborted, [])];
}
