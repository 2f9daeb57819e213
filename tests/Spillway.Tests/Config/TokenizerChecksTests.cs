using Spillway.Tests.Transforms.Tokens;

namespace Spillway.Tests.Config;

/// <summary>What is wrong with a route's tokenizer is an error at its line, with what to do.</summary>
public sealed class TokenizerChecksTests
{
    private static ConfigFolder Folder(string chat, string kind = "kind: openai, ")
    {
        var folder = new ConfigFolder().Write("echo/model.yaml", ConfigFolder.Echo).Write("spillway.yaml", $$"""
            models: [echo]
            upstreams:
              u: { {{kind}}targets: { t: { url: "http://a" } } }
            routes:
              r:
                chain: { steps: [{ model: u }] }
                chat: { {{chat}} }
            """);
        File.WriteAllBytes(folder.PathOf("small.tiktoken"), new SmallVocabulary([]).Tiktoken());
        return folder.Write("broken.json", "{");
    }

    [Theory]
    [InlineData("tokenizer: none.gguf", "none.gguf", "There is no file", "leave tokenizer out")]
    [InlineData("tokenizer: broken.json", "broken.json", "no vocabulary that can be used", "leave tokenizer out")]
    [InlineData("tokenizer: small.tiktoken", "small.tiktoken", "say so in tokenizerPattern", "leave tokenizer out")]
    [InlineData("tokenizer: echo", "echo", "cannot be read", "leave tokenizer out")]
    public void A_file_that_cannot_be_used_is_an_error_of_the_key(
        string chat, string value, string problem, string remedy)
    {
        using var folder = Folder(chat);

        var error = folder.OnlyError();

        Assert.Equal(("routes.r.chat.tokenizer", value, 7), (error.Key, error.Value, error.Line));
        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_route_of_tensors_has_no_tokenizer_and_a_pattern_alone_means_nothing()
    {
        using var tensors = Folder("tokenizer: small.tiktoken, tokenizerPattern: cl100k", kind: "");
        using var alone = Folder("tokenizerPattern: cl100k");

        Assert.Contains("takes tensors", tensors.OnlyError().Problem, StringComparison.Ordinal);
        Assert.Equal("routes.r.chat.tokenizerPattern", alone.OnlyError().Key);
    }

    [Fact]
    public void A_file_is_relative_to_the_configuration_and_read_once()
    {
        using var folder = Folder("tokenizer: small.tiktoken, tokenizerPattern: o200k");

        var loaded = folder.Valid();

        Assert.Equal(256, loaded.Tokenizers["r"].Count);
        Assert.Equal(folder.PathOf("small.tiktoken"), loaded.Options!.Routes["r"].Chat.Tokenizer);
    }
}
