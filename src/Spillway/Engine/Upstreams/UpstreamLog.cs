using Microsoft.Extensions.Logging;

namespace Spillway.Engine.Upstreams;

/// <summary>What is said of upstreams.</summary>
internal static partial class UpstreamLog
{
    [LoggerMessage(4661, LogLevel.Information, "Upstream {Name} is known: what its model takes and gives was read")]
    public static partial void Known(ILogger logger, string name);

    [LoggerMessage(4662, LogLevel.Error, "Asking a target of upstream {Name} how it is met a bug; it is asked again")]
    public static partial void ProbeThrew(ILogger logger, string name, Exception surprise);
}
