using Microsoft.Extensions.Logging;

namespace Spillway.Engine.Gateway;

/// <summary>What the gateway tells the server's log.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(4681, LogLevel.Warning,
        "{Route}: the upstream {Upstream} counted {Told} tokens of a prompt that has at most {Most} by the tokenizer. "
        + "It is not this model's, and is not used any more: prompts are reserved by their bytes. Correct the "
        + "route's chat.tokenizer")]
    public static partial void Contradicted(ILogger logger, string route, string upstream, long told, long most);
}
