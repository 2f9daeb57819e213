using System.Text;
using Spillway.Config;
using Spillway.Engine.Gateway;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>What is read of a request's body, and what becomes of it for an upstream.</summary>
public sealed class BodyScanTests
{
    /// <summary>What @M stands for in these bodies.</summary>
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]";

    /// <summary>What @U stands for: what bills need.</summary>
    private const string Usage = "\"stream_options\":{\"include_usage\":true";

    private static readonly ChatOptions s_options = new() { MaxTokens = 50 };

    private static string Full(string body) => body.Replace("@M", Messages, StringComparison.Ordinal)
        .Replace("@U", Usage, StringComparison.Ordinal);

    private static AskedBody Read(string json, WireCall call = WireCall.Chat)
    {
        var read = BodyScan.Read(call, Encoding.UTF8.GetBytes(Full(json)));
        Assert.True(read.TryGet(out var asked, out var fault), fault?.Message);
        return asked;
    }

    private static string For(string json, TokensField field = TokensField.MaxTokens, WireCall call = WireCall.Chat) =>
        Encoding.UTF8.GetString(Read(json, call).For("up\"x", s_options, field));

    [Theory]
    [InlineData(
        """{"model":"m",@M,"max_tokens":5}""",
        """{"model":"up\u0022x",@M,"max_tokens":5}""")]
    [InlineData(
        """{"model":"m","stream":true,@M,"max_tokens":5}""",
        """{"model":"up\u0022x","stream":true,@M,"max_tokens":5,@U}}""")]
    [InlineData(
        """{"stream_options":{"include_usage":false,"include_obfuscation":true},"model":"m","stream":true,@M,"n":1}""",
        """{@U,"include_obfuscation":true},"model":"up\u0022x","stream":true,@M,"n":1,"max_tokens":50}""")]
    [InlineData(
        """{"stream_options":{ "a":1 },"model":"m","stream":true,@M,"max_completion_tokens":9}""",
        """{@U, "a":1 },"model":"up\u0022x","stream":true,@M,"max_tokens":9}""")]
    [InlineData(
        """{"stream_options":{},"model":"m","stream":true,@M,"max_tokens":9}""",
        """{@U},"model":"up\u0022x","stream":true,@M,"max_tokens":9}""")]
    [InlineData(
        """{"stream_options":null,"model":"m","stream":true,@M,"max_tokens":9}""",
        """{@U},"model":"up\u0022x","stream":true,@M,"max_tokens":9}""")]
    public void Only_what_must_change_changes(string body, string expected) => Assert.Equal(Full(expected), For(body));

    [Theory]
    [InlineData("""{"model":"m",@M,"max_tokens": null }""", """@M,"max_tokens": 50 }""")]
    [InlineData("""{"model":"m",@M,"max_completion_tokens" :null}""", """@M,"max_tokens" :50}""")]
    [InlineData("""{"model":"m",@M,"max_completion_tokens":7}""", """@M,"max_tokens":7}""")]
    [InlineData(
        """{"model":"m",@M,"max_completion_tokens":7,"max_tokens":null}""",
        """@M,"max_completion_tokens":7,"max_tokens":7}""")]
    [InlineData("""{"model":"m",@M,"n_predict":7}""", """@M,"n_predict":7,"max_tokens":7}""")]
    public void The_upstreams_own_field_holds_the_cap_once(string body, string end) =>
        Assert.EndsWith(Full(end), For(body), StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"model":"m",@M,"n_predict":-1}""", "n_predict")]
    [InlineData("""{"model":"m",@M,"Max_Tokens":9}""", "max_tokens")]
    [InlineData("""{"model":"m",@M,"MODEL":"other"}""", "model")]
    [InlineData("""{"model":"m",@M,"\u0053tream":true}""", "stream")]
    [InlineData("""{"model":"m",@M,"\u017Ftream":true}""", "stream")]
    [InlineData("""{"model":"m",@M,"max_to\u212Aens":9}""", "max_tokens")]
    public void What_a_server_might_heed_in_a_caps_or_a_models_place_is_refused(string body, string name)
    {
        Assert.False(BodyScan.Read(WireCall.Chat, Encoding.UTF8.GetBytes(Full(body))).TryGet(out _, out var fault));

        Assert.Contains(name, fault!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"logprobs\":true", "logprobs")]
    [InlineData("\"logprobs\":5", "logprobs")]
    [InlineData("\"logprobs\":0", "logprobs")]
    [InlineData("\"top_logprobs\":1", "top_logprobs")]
    [InlineData("\"logprobs\":false,\"logprobs\":true", "logprobs")]
    [InlineData("\"logprobs\":true,\"logprobs\":false", "logprobs")]
    [InlineData("\"LogProbs\":true", "logprobs")]
    [InlineData("\"\\u006cogprob\\u017F\":true", "logprobs")]
    [InlineData("\"prompt_logprobs\":0", "prompt_logprobs")]
    [InlineData("\"n_probs\":3", "n_probs")]
    [InlineData("\"return_hidden_states\":{\"a\":[1]}", "return_hidden_states")]
    [InlineData("\"logprobs\":false", null)]
    [InlineData("\"logprobs\":null,\"top_logprobs\":0,\"n_probs\":0", null)]
    [InlineData("\"problem\":true,\"temperature\":1,\"response_format\":{\"logprobs\":true}", null)]
    public void Numbers_behind_an_answer_are_told_by_every_name_that_asks_for_them(string more, string? field)
    {
        Assert.Equal(field, Read($$"""{"model":"m",@M,{{more}}}""").NumbersAsked);
        Assert.Equal(field, Read($$"""{"model":"m","prompt":"x",{{more}}}""", WireCall.Completion).NumbersAsked);
    }

    [Fact]
    public void Many_inputs_of_an_embedding_are_no_answers()
    {
        var inputs = string.Join(",", Enumerable.Repeat("\"a\"", 2048));

        Assert.Null(Read($$"""{"model":"m","input":[{{inputs}}]}""", WireCall.Embedding).Check("r", s_options));
        Assert.False(BodyScan.Read(
            WireCall.Embedding, Encoding.UTF8.GetBytes($$"""{"model":"m","input":[{{inputs}},"b"]}"""))
            .TryGet(out _, out var many));
        Assert.Contains("2048", many!.Message, StringComparison.Ordinal);
        Assert.False(BodyScan.Read(
            WireCall.Embedding, """{"model":"m","input":["a",1]}"""u8.ToArray()).TryGet(out _, out var mixed));
        Assert.Contains("alike", mixed!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"image_url","image_url":{"url":"data:image/png;base64,@D"}}""")]
    [InlineData("""{"type":"input_audio","input_audio":{"data":"@D","format":"wav"}}""")]
    [InlineData("""{"type":"file","file":{"filename":"a","file_data":"@D"}}""")]
    public void An_attachment_is_reserved_once_and_not_as_text_too(string part)
    {
        var data = new string('A', 100_000);
        var asked = Read("""{"model":"m","messages":[{"role":"user","content":["""
            + part.Replace("@D", data, StringComparison.Ordinal) + "]}]}");

        Assert.InRange(
            asked.PromptTokensAtMost(s_options), s_options.AttachmentTokens, s_options.AttachmentTokens + 999);
        // What says that it is a text is one.
        Assert.True(Read($$"""
            {"model":"m","messages":[{"role":"user","content":[{"type":"text","image_url":"data:{{data}}"}]}]}
            """).PromptTokensAtMost(s_options) > 100_000);
    }

    [Fact]
    public void The_cap_goes_where_the_upstream_takes_it() => Assert.EndsWith(
        ",\"max_completion_tokens\":50}",
        For("""{"model":"m",@M}""", TokensField.MaxCompletionTokens),
        StringComparison.Ordinal);

    [Fact]
    public void An_embedding_has_no_cap_and_no_stream() => Assert.Equal(
        """{"model":"up\u0022x","input":"a","stream":true}""",
        For("""{"model":"m","input":"a","stream":true}""", call: WireCall.Embedding));

    [Theory]
    [InlineData("""{"model":"m","max_tokens":3,"max_completion_tokens":7,"n":2,@M}""", "Chat", 14)]
    [InlineData("""{"model":"m",@M}""", "Chat", 50)]
    [InlineData("""{"model":"m","prompt":["a","b","c"],"max_tokens":2,"best_of":2}""", "Completion", 12)]
    [InlineData("""{"model":"m","prompt":[1,2,3],"max_tokens":2}""", "Completion", 2)]
    [InlineData("""{"model":"m","input":[1,2,3]}""", "Embedding", 0)]
    public void The_most_tokens_of_all_answers_are_known_before(string body, string call, long most) =>
        Assert.Equal(most, Read(body, Enum.Parse<WireCall>(call)).AnswerTokensAtMost(s_options));

    [Fact]
    public void A_prompts_tokens_are_at_most_its_bytes_and_what_templates_and_attachments_add()
    {
        var text = Read("""{"model":"m",@M}""");
        var picture = Read("""
            {"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},
            {"type":"image_url","image_url":{"url":"http://a/b"}}]}]}
            """);

        Assert.True(text.PromptTokensAtMost(s_options) >= text.Bytes.Length);
        Assert.Equal((0, 1), (text.Attachments, picture.Attachments));
        Assert.True(picture.PromptTokensAtMost(s_options) >= s_options.AttachmentTokens);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Damaged_bodies_are_faults_and_never_exceptions_seed(int seed)
    {
        var random = new Random(seed);
        var whole = """
            {"model":"m","stream":true,"stream_options":{"include_usage":null},"tools":[{"a":[1,{}]}],
            "messages":[{"role":"user","content":[{"type":"text","text":"ü"}]}],"n":2}
            """u8.ToArray();
        for (var i = 0; i < 3000; i++)
        {
            var bytes = whole[..random.Next(whole.Length + 1)];
            for (var hits = random.Next(4); hits > 0 && bytes.Length > 0; hits--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (BodyScan.Read(WireCall.Chat, bytes).TryGet(out var asked, out var fault))
                Assert.NotEmpty(asked.For("u", s_options, TokensField.MaxTokens));
            else
                Assert.True(fault.Kind is FaultKind.InvalidInput, fault.Message);
        }
    }
}
