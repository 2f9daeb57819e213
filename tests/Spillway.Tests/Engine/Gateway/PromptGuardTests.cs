using System.Text;
using Spillway.Engine.Gateway;
using Spillway.Policies.Content;
using Spillway.Telemetry;

namespace Spillway.Tests.Engine.Gateway;

public sealed class PromptGuardTests
{
    private static Outcome<AskedBody> Judge(
        string body, WireCall call, out ChatFacts facts, params ContentRuleOptions[] rules)
    {
        facts = new() { Operation = "chat", Steps = [], Counts = new(TimeSpan.Zero, TimeSpan.Zero) };
        Assert.True(
            BodyScan.Read(call, Encoding.UTF8.GetBytes(body)).TryGet(out var asked, out var fault), fault?.Message);
        var (all, log) = (ContentRules.Of(rules)!, new ContentLog("chat", facts));
        return PromptGuard.JudgeLength(asked, all, log) is { } tooLong ? tooLong : PromptGuard.Judge(asked, all, log);
    }

    private static readonly ContentRuleOptions s_mail = new()
    {
        Name = "mail", Do = ContentAction.Mask, Pii = [PiiKind.Email],
    };

    [Fact]
    public void Texts_are_masked_wherever_they_stand_and_every_other_byte_stays()
    {
        const string Body = """
            {"x" : [1.50,"a@b.org"], "model":"chat","messages":[{"role":"user","content":"h\u00f6 a\u0040b.org"},
             {"role":"user","content":[{"type":"text","text":"c@d.org!"},
              {"type":"image_url","image_url":{"url":"https://e@f.org"}}]},
             {"role":"tool","tool_call_id":"g@h.org","content":"fine"}], "n":2 }
            """;

        Assert.True(Judge(Body, WireCall.Chat, out var facts, s_mail).TryGet(out var masked, out _));

        Assert.Equal(
            Body.Replace("h\\u00f6 a\\u0040b.org", "hö [mail]", StringComparison.Ordinal)
                .Replace("c@d.org!", "[mail]!", StringComparison.Ordinal),
            Encoding.UTF8.GetString(masked!.Bytes.Span));
        Assert.Equal(("chat", 2, 3), (masked.Model, masked.Choices, masked.Messages));
        Assert.Equal("masked;rule=mail;in=prompt;count=2", Assert.Single(facts.Content).ToString());
    }

    [Fact]
    public void What_no_rule_touches_is_the_same_object()
    {
        const string Body = """{"model":"m","messages":[{"role":"user","content":"a b"}]}""";
        Assert.True(BodyScan.Read(WireCall.Chat, Encoding.UTF8.GetBytes(Body)).TryGet(out var asked, out _));
        var facts = new ChatFacts { Operation = "chat", Steps = [], Counts = new(TimeSpan.Zero, TimeSpan.Zero) };

        Assert.True(PromptGuard.Judge(asked, ContentRules.Of([s_mail])!, new("chat", facts))
            .TryGet(out var same, out _));

        Assert.Same(asked, same);
    }

    [Theory]
    [InlineData(nameof(WireCall.Chat), """{"model":"m","messages":[{"role":"user","content":"A Secret"}]}""")]
    [InlineData(nameof(WireCall.Completion), """{"model":"m","prompt":["x","a secret"]}""")]
    [InlineData(nameof(WireCall.Completion), """{"model":"m","prompt":"x","suffix":"a secret"}""")]
    [InlineData(nameof(WireCall.Embedding), """{"model":"m","input":"a secret"}""")]
    [InlineData(nameof(WireCall.Moderation), """{"model":"m","input":[{"type":"text","text":"a secret"}]}""")]
    public void A_refused_text_is_a_fault_that_names_the_rule_and_nothing_of_the_text(string call, string body)
    {
        var rule = new ContentRuleOptions { Name = "w", Words = ["a secret"] };

        Assert.False(Judge(body, Enum.Parse<WireCall>(call), out var facts, rule).TryGet(out _, out var fault));

        Assert.Equal(FaultKind.InvalidInput, fault.Kind);
        Assert.Contains("'w'", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.OrdinalIgnoreCase);
        Assert.True(facts.IsContentRefused);
    }

    [Fact]
    public void Tokens_in_place_of_a_text_cannot_be_looked_into_and_are_refused()
    {
        const string Body = """{"model":"m","input":[[1,2],[3]]}""";

        Assert.False(Judge(Body, WireCall.Embedding, out _, s_mail).TryGet(out _, out var fault));
        Assert.Contains("text", fault.Message, StringComparison.Ordinal);
        Assert.True(Judge(Body, WireCall.Embedding, out _, s_mail with { Do = ContentAction.Note })
            .TryGet(out _, out _));
    }

    [Theory]
    [InlineData(5, false)]
    [InlineData(4, true)]
    public void Lengths_of_all_texts_count_together(int most, bool refused)
    {
        var ok = Judge(
            """{"model":"m","messages":[{"role":"user","content":"123"},{"role":"user","content":"45"}]}""",
            WireCall.Chat, out _, new ContentRuleOptions { Name = "long", CharsMax = most }).TryGet(out _, out _);

        Assert.Equal(refused, !ok);
    }

    [Fact]
    public void Lengths_are_held_to_their_rules_before_a_word_is_looked_at()
    {
        Assert.False(Judge("""{"model":"m","prompt":"a secret \u00e4\n\ud83d\ude00"}""", WireCall.Completion,
            out var facts, new() { Name = "w", Words = ["a secret"] }, new() { Name = "long", CharsMax = 12 })
            .TryGet(out _, out _));

        Assert.Equal("refused;rule=long;in=prompt;count=1", Assert.Single(facts.Content).ToString());
        Assert.True(Judge("""{"model":"m","prompt":"a public \u00e4\n\ud83d\ude00"}""", WireCall.Completion,
            out _, new ContentRuleOptions { Name = "long", CharsMax = 13 }).TryGet(out _, out _));
    }

    [Fact]
    public void A_long_text_is_looked_at_in_pieces_and_not_copied()
    {
        const int Words = 1024 * 1024;
        var body = $$"""{"model":"m","prompt":"{{string.Concat(Enumerable.Repeat("so long\\n", Words))}}"}""";
        Assert.True(
            BodyScan.Read(WireCall.Completion, Encoding.UTF8.GetBytes(body)).TryGet(out var asked, out _));
        var facts = new ChatFacts { Operation = "chat", Steps = [], Counts = new(TimeSpan.Zero, TimeSpan.Zero) };
        var (rules, log) = (ContentRules.Of([s_mail])!, new ContentLog("chat", facts));
        var before = GC.GetAllocatedBytesForCurrentThread();

        var judged = PromptGuard.Judge(asked, rules, log);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, body.Length / 8);
        Assert.True(judged.TryGet(out var same, out _));
        Assert.Same(asked, same);
    }

    [Fact]
    public void Masks_stand_where_they_must_also_at_the_seams_of_a_long_text()
    {
        // Fourteen characters, which no piece is a multiple of: every place of a part is at a seam somewhere.
        const string Part = """\u00e4 \ud83d\ude00 a@b.org\\ """;
        const int Parts = 5000;
        string Text(string part) => string.Concat(Enumerable.Repeat(part, Parts));

        Assert.True(Judge(
            $$"""{"model":"m","prompt":["{{Text(Part)}}","x"],"n":2}""", WireCall.Completion, out var facts, s_mail)
            .TryGet(out var masked, out _));

        Assert.Equal($$"""{"model":"m","prompt":["{{Text("ä 😀 [mail]\\\\ ")}}","x"],"n":2}""",
            Encoding.UTF8.GetString(masked!.Bytes.Span));
        Assert.Equal(Parts, Assert.Single(facts.Content).Count);
    }
}
