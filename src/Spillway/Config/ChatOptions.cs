using Spillway.Policies.Content;
using Spillway.Transforms.Tokens;

namespace Spillway.Config;

/// <summary>What holds for the answers of a route over language models.</summary>
public sealed record ChatOptions
{
    /// <summary>The most tokens of an answer.</summary>
    [Option("The most tokens that one answer may have. A request without a number gets this one; a request with a "
        + "larger one is refused. It is what budgets and token limits reserve.", Unit = "tokens", Min = 1,
        Max = 10_000_000, Source = "a few pages of text")]
    public int MaxTokens { get; init; } = 4096;

    /// <summary>The most choices of an answer.</summary>
    [Option("The most answers to one request (its field n, or best_of).", Min = 1, Max = 128,
        Source = "more are a way to multiply costs")]
    public int ChoicesMax { get; init; } = 8;

    /// <summary>What one attachment may take of the prompt.</summary>
    [Option("Tokens that are reserved for each picture, sound or file of a prompt; a text's length in bytes bounds its "
        + "tokens, an attachment's does not.", Unit = "tokens", Min = 0, Max = 10_000_000,
        Source = "a large picture in tiles of 512 pixels")]
    public int AttachmentTokens { get; init; } = 4096;

    /// <summary>The vocabulary of the route's models; empty where it is not known.</summary>
    [Option("File of the vocabulary that every step's model has: a .tiktoken list, a tokenizer.json of Hugging Face "
        + "(BPE), or a .gguf model, of which the beginning is read. Relative to this file. Prompts are then reserved "
        + "by their tokens, and answers without usage counted by them. Empty: by bytes.")]
    public string Tokenizer { get; init; } = "";

    /// <summary>How a list of byte sequences cuts words.</summary>
    [Option("How a .tiktoken list cuts a text into words; the list does not say. auto goes by the file's name.")]
    public TokenPattern TokenizerPattern { get; init; } = TokenPattern.Auto;

    /// <summary>How much of a request is counted.</summary>
    [Option("The most bytes of a request's texts that are counted with the tokenizer; what is beyond counts by its "
        + "bytes. It bounds the time that a request takes for it.", Unit = "bytes", Min = 1024, Max = 16_777_216,
        Source = "a few milliseconds of one core")]
    public int TokenizerBytesMax { get; init; } = 262_144;

    /// <summary>Rules over what is asked and answered.</summary>
    [Option("Rules over what is asked and answered: refuse, mask or note what they find.")]
    public ContentOptions Content { get; init; } = new();

    /// <summary>The promised time to the first token.</summary>
    [Option("The promised time to the first token; answers that keep it and timePerTokenMs are goodput. 0: none.",
        Unit = "ms", Min = 0, Max = 3_600_000)]
    public double FirstTokenMs { get; init; }

    /// <summary>The promised time of each further token.</summary>
    [Option("The promised mean time of each token after the first. 0: none.", Unit = "ms", Min = 0, Max = 3_600_000)]
    public double TimePerTokenMs { get; init; }
}
