namespace Spillway.Planner.Language;

/// <summary>
/// The dimensions of a decoder-only transformer, as its config.json has them. Everything that costs time or memory
/// follows from them.
/// </summary>
public sealed record LanguageShape
{
    /// <summary>The name.</summary>
    [Option("How plans call it.", Required = true)]
    public string Name { get; init; } = "";

    /// <summary>num_hidden_layers.</summary>
    [Option("Layers: num_hidden_layers.", Min = 1, Max = 10_000, Required = true)]
    public int Layers { get; init; }

    /// <summary>hidden_size.</summary>
    [Option("Width: hidden_size.", Min = 1, Max = 1_000_000, Required = true)]
    public int Hidden { get; init; }

    /// <summary>num_attention_heads.</summary>
    [Option("Attention heads: num_attention_heads.", Min = 1, Max = 100_000, Required = true)]
    public int Heads { get; init; }

    /// <summary>num_key_value_heads.</summary>
    [Option("Heads that keys and values have: num_key_value_heads; as many as attention heads without groups.",
        Min = 1, Max = 100_000, Required = true)]
    public int KvHeads { get; init; }

    /// <summary>head_dim.</summary>
    [Option("Width of a head: head_dim; 0 for hidden / heads.", Min = 0, Max = 100_000,
        Source = "what most models have")]
    public int HeadDim { get; init; }

    /// <summary>intermediate_size, of each expert where there are experts.</summary>
    [Option("Width of the feed-forward part: intermediate_size, or moe_intermediate_size of each expert.",
        Min = 1, Max = 10_000_000, Required = true)]
    public int Intermediate { get; init; }

    /// <summary>vocab_size.</summary>
    [Option("Words: vocab_size.", Min = 1, Max = 10_000_000, Required = true)]
    public int Vocabulary { get; init; }

    /// <summary>Whether the feed-forward part has a gate.</summary>
    [Option("Whether the feed-forward part has a gate and so three matrices in place of two.",
        Source = "Llama, Mistral, Qwen and most since")]
    public bool Gated { get; init; } = true;

    /// <summary>tie_word_embeddings.</summary>
    [Option("Whether input and output words share a matrix: tie_word_embeddings.",
        Source = "most large models do not")]
    public bool Tied { get; init; }

    /// <summary>num_experts.</summary>
    [Option("Experts of each layer: num_experts or num_local_experts; 0 for none.", Min = 0, Max = 100_000,
        Source = "a dense model")]
    public int Experts { get; init; }

    /// <summary>num_experts_per_tok.</summary>
    [Option("Experts that each token uses: num_experts_per_tok.", Min = 0, Max = 100_000, Source = "a dense model")]
    public int ExpertsPerToken { get; init; }

    /// <summary>The width of a head.</summary>
    public int HeadWidth => HeadDim > 0 ? HeadDim : Hidden / Heads;

    /// <summary>Parameters of all attention matrices.</summary>
    public double AttentionParameters =>
        (double)Layers * Hidden * HeadWidth * ((2 * Heads) + (2 * KvHeads));

    /// <summary>Parameters of one expert of all layers; of a dense model, of the feed-forward part.</summary>
    public double ExpertParameters => (double)Layers * (Gated ? 3 : 2) * Hidden * Intermediate;

    /// <summary>Parameters of the output words' matrix.</summary>
    public double HeadParameters => (double)Vocabulary * Hidden;

    /// <summary>All parameters: what must be in memory.</summary>
    public double Parameters => AttentionParameters + (ExpertParameters * Math.Max(1, Experts))
        + (HeadParameters * (Tied ? 1 : 2));

    /// <summary>Parameters that each token is multiplied with, the output words apart.</summary>
    public double ActiveParameters => AttentionParameters + (ExpertParameters * (Experts > 0 ? ExpertsPerToken : 1));

    /// <summary>
    /// Parameters that a step with so many tokens reads, the output words apart: all of a dense model, and the experts
    /// that at least one token chose, if each chooses evenly.
    /// </summary>
    public double ReadParameters(double tokens)
    {
        if (Experts <= 0)
            return AttentionParameters + ExpertParameters;
        var chosen = Experts * (1 - Math.Pow(1 - ((double)ExpertsPerToken / Experts), tokens));
        return AttentionParameters + (ExpertParameters * chosen);
    }

    /// <summary>Bytes that the keys and values of one token take.</summary>
    /// <param name="bytes">Bytes of a number: 2, or 1 where the cache is quantised.</param>
    public double KvBytesPerToken(double bytes) => 2.0 * Layers * KvHeads * HeadWidth * bytes;
}
