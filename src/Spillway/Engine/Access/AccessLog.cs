using Microsoft.Extensions.Logging;

namespace Spillway.Engine.Access;

/// <summary>
/// What access logs. Event ids 4200 to 4299. Never keys or tokens, and nothing for a refused request.
/// </summary>
internal static partial class AccessLog
{
    [LoggerMessage(4201, LogLevel.Warning, "When keys were last used could not be written, and will be tried again: "
        + "{Why}")]
    public static partial void UsesNotWritten(ILogger logger, string why);

    [LoggerMessage(4202, LogLevel.Warning,
        "The identity provider's keys could not be read from {Place}; those known before go on for "
            + "access.jwt.jwksKeepMs: {Why}")]
    public static partial void JwksFailed(ILogger logger, string place, string why);

    [LoggerMessage(4203, LogLevel.Information, "The identity provider's keys were read from {Place}: {Count} of use")]
    public static partial void JwksRead(ILogger logger, string place, int count);

    [LoggerMessage(4204, LogLevel.Warning,
        "{Count} request(s) were refused for who asked in the last {Seconds} s; spillway_access_refused_total says "
            + "why")]
    public static partial void Refused(ILogger logger, long count, double seconds);

    [LoggerMessage(4205, LogLevel.Information, "Key {Id} of {Tenant} was {What} by {By}")]
    public static partial void KeyChanged(ILogger logger, string id, string tenant, string what, string by);

    [LoggerMessage(4207, LogLevel.Error,
        "Key {Id} was revoked and is refused, but a restart forgets that: it could not be written, and is tried again: "
            + "{Why}")]
    public static partial void RevocationNotWritten(ILogger logger, string id, string why);

    [LoggerMessage(4206, LogLevel.Error,
        "The identity provider's keys could not be read from {Place} for {Seconds} s and are in force no more "
            + "(access.jwt.jwksKeepMs): every token is refused until they can be read")]
    public static partial void JwksDropped(ILogger logger, string place, double seconds);
}
