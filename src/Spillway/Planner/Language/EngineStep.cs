namespace Spillway.Planner.Language;

/// <summary>A step in the air. Pooled by its engine.</summary>
internal sealed class EngineStep
{
    private double _tokens;
    private double _pairs;
    private int _prompt;

    /// <summary>Who has a part in it.</summary>
    public List<Sequence> Parts { get; } = [];

    /// <summary>Who gets a token from it.</summary>
    public List<Sequence> Samples { get; } = [];

    /// <summary>What it computes.</summary>
    public StepWork Work => new(_tokens, Parts.Count, Samples.Count, ContextTokens, _pairs);

    /// <summary>Tokens of prompts that it computes.</summary>
    public int PromptTokens => _prompt;

    /// <summary>Tokens of answers that it computes, each answer's first one left out: it comes with the
    /// prompt.</summary>
    public int AnswerTokens => (int)_tokens - _prompt;

    /// <summary>Tokens that it reads from the cache.</summary>
    public double ContextTokens { get; set; }

    /// <summary>Whether a part of a prompt is in it.</summary>
    public bool HasPrompt => _pairs > 0;

    /// <summary>Whether every request that runs gets a token from it, and nothing else is in it.</summary>
    public bool IsPlain { get; set; }

    /// <summary>Who runs, as a number that changes with it, when it was composed.</summary>
    public long Changes { get; set; }

    /// <summary>When it enters the first stage.</summary>
    public Instant Begins { get; set; }

    /// <summary>When its tokens are there.</summary>
    public Instant Ends { get; set; }

    /// <summary>A request that has just got a part in it.</summary>
    /// <param name="tokens">So many of its tokens are computed.</param>
    /// <param name="before">So many were before.</param>
    /// <param name="isPrompt">Whether they are of its prompt.</param>
    public void Count(int tokens, int before, bool isPrompt)
    {
        (_tokens, ContextTokens) = (_tokens + tokens, ContextTokens + before);
        if (!isPrompt)
            return;
        _prompt += tokens;
        _pairs += tokens * (before + (tokens / 2.0));
    }

    /// <summary>Empties it for the next use.</summary>
    public void Clear()
    {
        Parts.Clear();
        Samples.Clear();
        (_tokens, ContextTokens, _pairs, _prompt) = (0, 0, 0, 0);
    }
}
