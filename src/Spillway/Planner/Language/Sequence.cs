namespace Spillway.Planner.Language;

/// <summary>A request inside a <see cref="BatchEngine"/>. One owner: the engine.</summary>
internal sealed class Sequence(int id, in LanguageRequest request)
{
    /// <summary>Its number.</summary>
    public int Id { get; } = id;

    /// <summary>Tokens of the prompt.</summary>
    public int Input { get; } = request.Input;

    /// <summary>Tokens of the answer.</summary>
    public int Output { get; } = request.Output;

    /// <summary>
    /// Tokens to compute before the next one is sampled: the prompt, and after a preemption the answer so far.
    /// </summary>
    public int Prompt { get; private set; } = request.Input;

    /// <summary>Tokens whose keys and values are in the cache or on their way there.</summary>
    public int Computed { get; set; } = request.Cached;

    /// <summary>Tokens of the answer that steps were given to sample.</summary>
    public int Sampled { get; set; }

    /// <summary>Tokens of the answer that are there.</summary>
    public int Emitted { get; set; }

    /// <summary>Blocks of the cache that it holds.</summary>
    public int Blocks { get; set; }

    /// <summary>Its caller left.</summary>
    public bool IsGone { get; set; }

    /// <summary>Steps in the air that it has a part in.</summary>
    public int InFlight { get; set; }

    /// <summary>Whether the next step of it is a part of its prompt.</summary>
    public bool IsPrefilling => Computed < Prompt;

    /// <summary>Whether every token of its answer is given to a step.</summary>
    public bool IsFullyScheduled => Sampled >= Output;

    /// <summary>It lost its place in the cache: what it had must be computed anew.</summary>
    public void Preempt() => (Prompt, Computed, Blocks) = (Input + Sampled, 0, 0);
}
