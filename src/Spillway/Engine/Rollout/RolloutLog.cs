using Microsoft.Extensions.Logging;

namespace Spillway.Engine.Rollout;

/// <summary>Events of rollouts.</summary>
internal static partial class RolloutLog
{
    [LoggerMessage(4651, LogLevel.Information,
        "Rollout of {Name}: {What} by {Who}; champion {Champion}, challenger {Challenger}. {Why}")]
    public static partial void Changed(
        ILogger logger, string name, string what, string who, string champion, string challenger, string why);

    [LoggerMessage(4652, LogLevel.Warning,
        "Rollout of {Name}: {What} by {Who}; champion {Champion}, challenger {Challenger}. {Why}")]
    public static partial void Stopped(
        ILogger logger, string name, string what, string who, string champion, string challenger, string why);

    [LoggerMessage(4653, LogLevel.Error, "A rollout changed and would not survive a restart: {Why}")]
    public static partial void NotKept(ILogger logger, string why);
}
