using Microsoft.Extensions.Logging;

namespace Spillway.Engine.Drills;

/// <summary>Events of drills.</summary>
internal static partial class DrillLog
{
    [LoggerMessage(4671, LogLevel.Warning, "Drill {Id} by {Who}: {What}, until it is ended or no longer renewed")]
    public static partial void Began(ILogger logger, string id, string who, string what);

    [LoggerMessage(4672, LogLevel.Warning, "Drill {Id} is over ({Why}): everything is whole again")]
    public static partial void Ended(ILogger logger, string id, string why);
}
