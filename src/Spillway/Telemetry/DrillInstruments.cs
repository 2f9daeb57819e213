namespace Spillway.Telemetry;

/// <summary>What is counted of drills. Thread-safe.</summary>
/// <param name="drills">The words of all drills.</param>
internal sealed class DrillInstruments(IEnumerable<string> drills)
{
    /// <summary>How often each was begun.</summary>
    public static readonly InstrumentSpec Begun = new(
        "spillway_drills_total", InstrumentKind.Counter, "drills", "Drills that were begun.", "drill");

    /// <summary>Whether one runs.</summary>
    public static readonly InstrumentSpec Active = new(
        "spillway_drill_active", InstrumentKind.Gauge, "1",
        "1 while a drill breaks something on purpose; else 0.");

    private readonly Dictionary<string, Counter> _begun = drills.ToDictionary(d => d, _ => new Counter());

    /// <summary>One was begun.</summary>
    public void Began(string drill) => _begun[drill].Add();

    /// <summary>The series.</summary>
    /// <param name="active">Whether one runs.</param>
    public IEnumerable<Series> Of(Func<bool> active) =>
    [
        new(Active, new Gauge(() => active() ? 1 : 0), []),
        .. _begun.Select(b => new Series(Begun, b.Value, [b.Key])),
    ];
}
