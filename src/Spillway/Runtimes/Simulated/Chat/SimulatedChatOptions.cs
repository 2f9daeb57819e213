namespace Spillway.Runtimes.Simulated.Chat;

/// <summary>How a simulated language model answers: its speed and its faults. Nothing real runs behind it.</summary>
public sealed record SimulatedChatOptions
{
    /// <summary>Time to the first token of an empty prompt.</summary>
    [Option("Time to the first token of an empty prompt.", Unit = "ms", Min = 0, Max = 600_000)]
    public double FirstTokenMs { get; init; } = 40;

    /// <summary>Prompt tokens a second.</summary>
    [Option("Prompt tokens that it reads a second, which adds to the time to the first token.", Unit = "tokens/s",
        Min = 1, Max = 1e9)]
    public double PromptTokensPerSecond { get; init; } = 4000;

    /// <summary>Tokens that it writes a second.</summary>
    [Option("Tokens that it writes a second.", Unit = "tokens/s", Min = 0.01, Max = 1e9)]
    public double TokensPerSecond { get; init; } = 60;

    /// <summary>Tokens of an answer.</summary>
    [Option("Tokens of an answer, where the request asks for no fewer.", Unit = "tokens", Min = 1, Max = 1_000_000)]
    public int AnswerTokens { get; init; } = 40;

    /// <summary>Share of requests that misbehave.</summary>
    [Option("Share of the requests that misbehave in the manner of misbehaviour.", Min = 0, Max = 1)]
    public double FaultRate { get; init; }

    /// <summary>How they do.</summary>
    [Option("How requests misbehave, where faultRate says so. A request whose model is one of these words always "
        + "does.")]
    public Misbehaviour Misbehaviour { get; init; } = Misbehaviour.Error;

    /// <summary>Tokens before a misbehaviour in mid-answer.</summary>
    [Option("Tokens that are sent before a misbehaviour in the middle of a stream.", Unit = "tokens", Min = 0,
        Max = 1_000_000)]
    public int TokensBeforeFault { get; init; } = 3;

    /// <summary>Price of a million tokens of prompts.</summary>
    [Option("Price that it declares for a million tokens of prompts; the section prices comes before it.",
        Unit = "currency units", Min = 0, Max = 1_000_000)]
    public double PerMillionInput { get; init; }

    /// <summary>Price of a million tokens of answers.</summary>
    [Option("Price that it declares for a million tokens of answers.", Unit = "currency units", Min = 0,
        Max = 1_000_000)]
    public double PerMillionOutput { get; init; }

    /// <summary>Seed of the draws.</summary>
    [Option("Seed of the draws.")]
    public int Seed { get; init; } = 1;
}

/// <summary>The ways in which a language model's server goes wrong, as they were met in practice.</summary>
public enum Misbehaviour
{
    /// <summary>None.</summary>
    None,

    /// <summary>500 with an error object.</summary>
    Error,

    /// <summary>429 without a time.</summary>
    Throttle,

    /// <summary>429 with Retry-After: 1 and retry-after-ms: 50.</summary>
    ThrottleAfter,

    /// <summary>401: the key is not taken.</summary>
    Unauthorized,

    /// <summary>Takes the request and answers nothing.</summary>
    HangHeaders,

    /// <summary>Answers 200 and sends nothing more.</summary>
    HangFirst,

    /// <summary>Stops sending in the middle of an answer and stays connected.</summary>
    HangMiddle,

    /// <summary>Refuses with 500 and stops sending in the middle of the words why.</summary>
    HangRefusal,

    /// <summary>A 200 whose body is no JSON and no event stream.</summary>
    Garbage,

    /// <summary>A 200 that holds an error: an object, or an event of the stream.</summary>
    ErrorInAnswer,

    /// <summary>The connection breaks inside a character of two bytes.</summary>
    HalfCharacter,

    /// <summary>The connection breaks inside an event.</summary>
    TruncatedChunk,

    /// <summary>The stream ends as if it were whole, without a finish reason and without [DONE].</summary>
    CleanEnd,

    /// <summary>No usage, though it was asked for.</summary>
    NoUsage,

    /// <summary>A 200 without any choice.</summary>
    Empty,

    /// <summary>One token a second.</summary>
    Slow,
}
