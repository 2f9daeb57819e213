using Microsoft.Extensions.Logging;
using Spillway.Policies.Budgets;

namespace Spillway.Engine.Guards;

/// <summary>Events of limits, budgets and switches.</summary>
internal static partial class GuardLog
{
    [LoggerMessage(4301, LogLevel.Warning,
        "Budget {Budget} {Scope} has passed {Percent:0.#} % of {Limit} a {Window}")]
    public static partial void Threshold(
        ILogger logger, string budget, string scope, double percent, string limit, WindowLength window);

    [LoggerMessage(4302, LogLevel.Warning,
        "Budget {Budget} {Scope}: a request cost {Over} more than was reserved for it; it is charged all the same")]
    public static partial void Overrun(ILogger logger, string budget, string scope, string over);

    [LoggerMessage(4303, LogLevel.Error,
        "Budget {Budget} {Scope} cannot be written: {Why} Its requests are dealt with as declared: {Trouble}")]
    public static partial void NotSaved(
        ILogger logger, string budget, string scope, string why, StoreTrouble trouble);

    [LoggerMessage(4304, LogLevel.Warning, "Budget {Budget} {Scope} is written again")]
    public static partial void SavedAgain(ILogger logger, string budget, string scope);

    [LoggerMessage(4305, LogLevel.Warning,
        "The machine's clock was set by {Seconds:0} s. Calendar windows of budgets follow it, rolling ones do not; "
        + "what was spent in a window stays spent in it")]
    public static partial void ClockJumped(ILogger logger, double seconds);

    [LoggerMessage(4306, LogLevel.Warning, "Switched off: {What}; {Aborted} request(s) in flight were ended. {Why}")]
    public static partial void Off(ILogger logger, string what, int aborted, string why);

    [LoggerMessage(4307, LogLevel.Warning, "Switched on again: {What}")]
    public static partial void On(ILogger logger, string what);

    [LoggerMessage(4308, LogLevel.Error, "A switch would not survive a restart: {Why}")]
    public static partial void SwitchNotKept(ILogger logger, string why);

    [LoggerMessage(4309, LogLevel.Warning,
        "After a crash, {Lost} of budget {Budget} {Scope} count as spent though nobody knows that they were")]
    public static partial void Lost(ILogger logger, string lost, string budget, string scope);
}
