namespace Spillway.Engine.Gateway;

/// <summary>What the gateway reads of one JSON object of an answer: the whole of it, or one event's.</summary>
internal struct AnswerPart
{
    /// <summary>It is no JSON object.</summary>
    public bool IsBroken;

    /// <summary>It says that something went wrong.</summary>
    public bool HasError;

    /// <summary>What it says of that; empty for nothing.</summary>
    public string ErrorMessage;

    /// <summary>It has a list of choices that is not empty: what calls that write have.</summary>
    public bool HasChoices;

    /// <summary>One of its choices is an answer: it says something, or has an end that explains why not.</summary>
    public bool HasAnswer;

    /// <summary>Members of its list of data: what embeddings and moderations have.</summary>
    public int DataCount;

    /// <summary>An embedding among them is a list of numbers, and not base64.</summary>
    public bool HasNumbers;

    /// <summary>Bytes of content in it: text, calls of tools, refusals, reasoning.</summary>
    public int ContentBytes;

    /// <summary>Choices that it is about, one bit each; those from 63 on share one.</summary>
    public ulong Choices;

    /// <summary>Those of them of which it has content, one bit each.</summary>
    public ulong Said;

    /// <summary>Choices that it ends, one bit each.</summary>
    public ulong Finished;

    /// <summary>The upstream's tokens; null when it tells none.</summary>
    public TokenUsage? Usage;

    /// <summary>Whether those of the answer are among them.</summary>
    public bool TellsOutput;

    /// <summary>Where the member usage stands, with one comma beside it; 0 bytes when it is not there.</summary>
    public int UsageAt;

    /// <summary>Its length.</summary>
    public int UsageLength;

    /// <summary>Why a choice ended; empty when none did.</summary>
    public string FinishReason;

    /// <summary>The answer's id; only where asked for.</summary>
    public string Id;

    /// <summary>The model that it says it ran; only where asked for.</summary>
    public string Model;

    /// <summary>llama-server's account: time for the prompt.</summary>
    public double PromptMs;

    /// <summary>llama-server's account: time for the answer.</summary>
    public double PredictedMs;
}
