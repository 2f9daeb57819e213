namespace Spillway.Telemetry;

/// <summary>
/// What is told of one request to a language model: where its answer came from, its tokens, its times. One owner, from
/// the gate to the record.
/// </summary>
internal sealed class ChatFacts
{
    /// <summary>As OpenTelemetry names it: chat, text_completion, embeddings, moderations.</summary>
    public required string Operation { get; init; }

    /// <summary>The names of its route's steps.</summary>
    public required IReadOnlyList<string> Steps { get; init; }

    /// <summary>Whether nothing real answered it: the step that was asked last.</summary>
    public bool IsSimulated { get; set; }

    /// <summary>The upstream that was asked last said not to try again.</summary>
    public bool ToldNot { get; set; }

    /// <summary>It said that the key's money is used up.</summary>
    public bool IsSpent { get; set; }

    /// <summary>A rule over content refuses the prompt, or the answer of the step that was asked last.</summary>
    public bool IsContentRefused { get; set; }

    /// <summary>What rules over content found; empty where there are none.</summary>
    public IReadOnlyList<ContentCount> Content { get; set; } = [];

    /// <summary>Whether the answer was to be a stream.</summary>
    public bool Stream { get; init; }

    /// <summary>Where it is counted at its end.</summary>
    public required ChatInstruments Counts { get; init; }

    /// <summary>The upstream that answered, or was the last to fail.</summary>
    public string Upstream { get; set; } = "";

    /// <summary>Its target.</summary>
    public string Target { get; set; } = "";

    /// <summary>The model that the upstream says it ran.</summary>
    public string ResponseModel { get; set; } = "";

    /// <summary>The answer's id.</summary>
    public string ResponseId { get; set; } = "";

    /// <summary>Why it ended: stop, length, tool_calls …; empty when it did not.</summary>
    public string FinishReason { get; set; } = "";

    /// <summary>Tokens: the upstream's own numbers, or ours.</summary>
    public TokenUsage Used { get; set; }

    /// <summary>Whether they are the upstream's own.</summary>
    public bool IsReported { get; set; }

    /// <summary>Whether they are ours, counted with the route's vocabulary.</summary>
    public bool IsTokenized { get; set; }

    /// <summary>The upstream counted more of the prompt than the route's vocabulary says is possible.</summary>
    public bool IsContradicted { get; set; }

    /// <summary>The caller has a part of an answer that broke off.</summary>
    public bool IsPartial { get; set; }

    /// <summary>What the tokens cost.</summary>
    public TokenBill Bill { get; set; }

    /// <summary>What the whole answer costs, where that was known before its last byte; else null.</summary>
    public Money? Cost { get; set; }

    /// <summary>Whether the caller wants to be told at a stream's end what it costs.</summary>
    public bool WantsCost { get; set; }

    /// <summary>The cap that was put into the request; 0 when the caller had one.</summary>
    public int CapInjected { get; set; }

    /// <summary>Time to make a connection, TLS included; zero when one was there.</summary>
    public TimeSpan Connect { get; set; }

    /// <summary>From the sending to the upstream's first content, the connecting apart; null when none came.</summary>
    public TimeSpan? Prefill { get; set; }

    /// <summary>From the first content to the last, as the upstream sent it.</summary>
    public TimeSpan Decode { get; set; }

    /// <summary>From the request's first instant to the first content that the caller gets; null when there was none.
    /// Under rules over content that is later than the upstream's, by what they hold back.</summary>
    public TimeSpan? FirstToken { get; set; }

    /// <summary>Time in which its caller did not take what was there, part of the stage write.</summary>
    public TimeSpan Untaken { get; set; }

    /// <summary>Pieces of content.</summary>
    public long Pieces { get; set; }

    /// <summary>The longest wait between two of them.</summary>
    public TimeSpan GapMax { get; set; }

    /// <summary>The upstream's own account of the prompt's time; zero where it gives none.</summary>
    public TimeSpan UpstreamPrefill { get; set; }

    /// <summary>The upstream's own account of the writing's time; zero where it gives none.</summary>
    public TimeSpan UpstreamDecode { get; set; }

    /// <summary>Mean time of each token after the first; null where there is none.</summary>
    public TimeSpan? TimePerToken => FirstToken is not null && Stream && Used.Output > 1 && Decode > TimeSpan.Zero
        ? Decode / (Used.Output - 1) : null;
}
