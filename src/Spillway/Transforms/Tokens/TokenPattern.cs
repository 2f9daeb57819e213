namespace Spillway.Transforms.Tokens;

/// <summary>How a vocabulary that is a mere list of byte sequences cuts a text into words before it merges.</summary>
public enum TokenPattern
{
    /// <summary>By the name of the file: cl100k_base.tiktoken, o200k_base.tiktoken. Other kinds of files say it
    /// themselves.</summary>
    Auto,

    /// <summary>As cl100k_base: GPT-3.5, GPT-4 and their embeddings.</summary>
    Cl100k,

    /// <summary>As o200k_base: GPT-4o and after.</summary>
    O200k,

    /// <summary>As GPT-2: r50k_base and p50k_base.</summary>
    Gpt2,
}

/// <summary>The patterns themselves, of public specifications of the vocabularies.</summary>
internal static class TokenPatterns
{
    private const string Short = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

    private const string End = @"\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string Upper = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]";

    private const string Lower = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";

    /// <summary>GPT-2's: also what byte-level vocabularies of Hugging Face use that name none.</summary>
    public const string Gpt2 = @"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>Every digit by itself.</summary>
    public const string Digit = @"\p{N}";

    /// <summary>GPT-4's, and Llama 3's.</summary>
    public const string Cl100k =
        Short + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + End;

    /// <summary>Qwen's: GPT-4's with every digit by itself.</summary>
    public const string Qwen =
        Short + @"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + End;

    /// <summary>GPT-4o's.</summary>
    public const string O200k = @"[^\r\n\p{L}\p{N}]?" + Upper + "*" + Lower + "+" + Short + "?"
        + @"|[^\r\n\p{L}\p{N}]?" + Upper + "+" + Lower + "*" + Short + "?"
        + @"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + End;

    /// <summary>Mistral's byte-level one (Tekken).</summary>
    public const string Tekken = @"[^\r\n\p{L}\p{N}]?" + Upper + "*" + Lower + "+"
        + @"|[^\r\n\p{L}\p{N}]?" + Upper + "+" + Lower + "*"
        + @"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + End;

    /// <summary>The pattern of a list of byte sequences; null for a file whose name does not say.</summary>
    public static string? Of(TokenPattern pattern, string file) => pattern switch
    {
        TokenPattern.Cl100k => Cl100k,
        TokenPattern.O200k => O200k,
        TokenPattern.Gpt2 => Gpt2,
        TokenPattern.Auto => Path.GetFileName(file) switch
        {
            var n when n.Contains("o200k", StringComparison.OrdinalIgnoreCase) => O200k,
            var n when n.Contains("cl100k", StringComparison.OrdinalIgnoreCase) => Cl100k,
            var n when n.Contains("r50k", StringComparison.OrdinalIgnoreCase)
                || n.Contains("p50k", StringComparison.OrdinalIgnoreCase) => Gpt2,
            _ => null,
        },
    };

    /// <summary>What a GGUF file's tokenizer.ggml.pre stands for; empty for one that is not known here.</summary>
    public static string[] OfGguf(string pre) => pre switch
    {
        "gpt-2" or "mpt" or "olmo" or "jais" => [Gpt2],
        "llama-bpe" or "llama3" or "llama-v3" or "smaug-bpe" or "dbrx" or "chatglm-bpe" => [Cl100k],
        "qwen2" or "stablelm2" or "deepseek-r1-qwen" => [Qwen],
        "gpt-4o" or "llama4" => [O200k],
        "tekken" => [Tekken],
        "smollm" or "starcoder" or "refact" or "command-r" or "codeshell" => [Digit, Gpt2],
        _ => [],
    };

    /// <summary>Those that <see cref="OfGguf"/> knows, for messages.</summary>
    public const string GgufKnown = "gpt-2, llama-bpe, qwen2, gpt-4o, tekken, smollm, starcoder, command-r";
}
