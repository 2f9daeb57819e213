namespace Spillway.Policies.Budgets;

/// <summary>The present as budgets need it.</summary>
/// <param name="Wall">UTC, as the machine's clock shows it; it may jump.</param>
/// <param name="Steady">UTC at the start of the process plus the time that has passed since; it never jumps.</param>
public readonly record struct BudgetTime(DateTime Wall, DateTime Steady);

/// <summary>A stretch of time whose spending is kept as one number. Ticks of UTC.</summary>
/// <param name="Start">Its first tick.</param>
/// <param name="End">The first tick after it.</param>
public readonly record struct CellSpan(long Start, long End)
{
    /// <summary>Whether an instant lies in it.</summary>
    public bool Has(long ticks) => ticks >= Start && ticks < End;
}

/// <summary>
/// How time is cut. A calendar window is one cell. A rolling window is a row of <see cref="Parts"/> cells that moves on
/// cell by cell. Pure.
/// </summary>
/// <param name="length">How long a window is.</param>
/// <param name="kind">How windows follow each other.</param>
/// <param name="zone">Of calendar windows.</param>
public sealed class BudgetWindow(WindowLength length, WindowKind kind, TimeZoneInfo zone)
{
    /// <summary>Cells of a rolling window.</summary>
    public const int Parts = 32;

    /// <summary>Whether it is rolling.</summary>
    public bool IsRolling => kind is WindowKind.Rolling;

    /// <summary>How it is told from others in the store: spending of another kind of window is not its own.</summary>
    public string Identity => IsRolling ? $"rolling {length}" : $"calendar {length} {zone.Id}";

    /// <summary>
    /// The ticks that count: the wall's for a calendar, as people read it; the steady ones for a rolling window, which
    /// is about durations, so that a clock that is set changes nothing.
    /// </summary>
    public long TicksOf(in BudgetTime now) => IsRolling ? now.Steady.Ticks : now.Wall.Ticks;

    /// <summary>The length of a rolling window.</summary>
    public long Span => length switch
    {
        WindowLength.Minute => TimeSpan.TicksPerMinute,
        WindowLength.Hour => TimeSpan.TicksPerHour,
        WindowLength.Day => TimeSpan.TicksPerDay,
        WindowLength.Week => 7 * TimeSpan.TicksPerDay,
        WindowLength.Month => 30 * TimeSpan.TicksPerDay,
    };

    /// <summary>The cell that an instant lies in.</summary>
    public CellSpan CellOf(long ticks)
    {
        if (IsRolling)
            return Cut(ticks, 0, Span / Parts);
        var utc = new DateTime(ticks, DateTimeKind.Utc);
        // Minutes and hours by the standard offset, which does not change: the hour that comes twice in autumn is two
        // windows. (Where daylight saving is half an hour, hours begin at half past then.)
        if (length is WindowLength.Minute or WindowLength.Hour)
            return Cut(ticks, zone.BaseUtcOffset.Ticks, Span);
        var day = TimeZoneInfo.ConvertTimeFromUtc(utc, zone).Date;
        var (first, next) = length switch
        {
            WindowLength.Month => (day.AddDays(1 - day.Day), day.AddDays(1 - day.Day).AddMonths(1)),
            WindowLength.Week => (Monday(day), Monday(day).AddDays(7)),
            WindowLength.Minute or WindowLength.Hour or WindowLength.Day => (day, day.AddDays(1)),
        };
        return new(Midnight(first), Midnight(next));
    }

    private static CellSpan Cut(long ticks, long offset, long span)
    {
        var start = ticks - ((ticks + offset) % span);
        return new(start, start + span);
    }

    private static DateTime Monday(DateTime day) => day.AddDays(-(((int)day.DayOfWeek + 6) % 7));

    /// <summary>
    /// The first instant of a local day. Where midnight is skipped (clocks go forward then) it is the instant of the
    /// change; where it comes twice, the first of the two.
    /// </summary>
    private long Midnight(DateTime day)
    {
        if (zone.IsInvalidTime(day))
            return day.Ticks - zone.GetUtcOffset(day.AddHours(-3)).Ticks;
        var offset = zone.IsAmbiguousTime(day) ? zone.GetAmbiguousTimeOffsets(day).Max() : zone.GetUtcOffset(day);
        return day.Ticks - offset.Ticks;
    }
}
