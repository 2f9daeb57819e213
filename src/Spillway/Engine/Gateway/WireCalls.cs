namespace Spillway.Engine.Gateway;

/// <summary>What a caller asks of a language model's server.</summary>
internal enum WireCall
{
    /// <summary>POST chat/completions.</summary>
    Chat,

    /// <summary>POST completions.</summary>
    Completion,

    /// <summary>POST embeddings.</summary>
    Embedding,

    /// <summary>POST moderations.</summary>
    Moderation,
}

/// <summary>What differs between them. Complete tables.</summary>
internal static class WireCalls
{
    /// <summary>The path behind /v1/.</summary>
    public static string Path(WireCall call) => call switch
    {
        WireCall.Chat => "chat/completions",
        WireCall.Completion => "completions",
        WireCall.Embedding => "embeddings",
        WireCall.Moderation => "moderations",
    };

    /// <summary>gen_ai.operation.name.</summary>
    public static string Operation(WireCall call) => call switch
    {
        WireCall.Chat => "chat",
        WireCall.Completion => "text_completion",
        WireCall.Embedding => "embeddings",
        WireCall.Moderation => "moderations",
    };

    /// <summary>Whether it writes tokens, so that it may stream and has a cap.</summary>
    public static bool Writes(WireCall call) => call switch
    {
        WireCall.Chat or WireCall.Completion => true,
        WireCall.Embedding or WireCall.Moderation => false,
    };
}
