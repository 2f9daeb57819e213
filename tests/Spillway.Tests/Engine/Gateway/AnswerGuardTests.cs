using System.Text;
using System.Text.Json;
using Spillway.Engine.Gateway;
using Spillway.Policies.Content;
using Spillway.Telemetry;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>Rules over the events of a stream, however a model's text is spread over them.</summary>
public sealed class AnswerGuardTests
{
    private static readonly ContentRuleOptions[] s_mask =
    [
        new() { Name = "pii", Do = ContentAction.Mask, Pii = [PiiKind.Email, PiiKind.Card] },
        new() { Name = "key", Do = ContentAction.Mask, Pattern = "sk-[a-z0-9]{6,12}", MatchCharsMax = 24 },
    ];

    private static readonly string[] s_places =
        ["content", "reasoning_content", "tool_calls/0/function/arguments", "tool_calls/1/function/arguments"];

    private static (AnswerGuard Guard, ChatFacts Facts) Make(
        IReadOnlyList<ContentRuleOptions> rules, bool isStream = true)
    {
        var facts = new ChatFacts
        {
            Operation = "chat", Steps = [], Stream = isStream, Counts = new(TimeSpan.Zero, TimeSpan.Zero),
        };
        return (new(ContentRules.Of(rules)!, new("chat", facts), isStream), facts);
    }

    /// <summary>The text of an event's piece, some of its characters as escapes.</summary>
    private static string Quote(string piece, Random random) => "\"" + string.Concat(piece.Select(c =>
        char.IsSurrogate(c) || c < ' ' || c is '"' or '\\' || random.Next(4) == 0 ? $"\\u{(int)c:x4}" : $"{c}")) + "\"";

    private static string Delta(string place, string quoted) => place switch
    {
        "content" or "reasoning_content" => $$"""{"{{place}}":{{quoted}}}""",
        _ => "{\"tool_calls\":[{\"index\":" + place.Split('/')[1] + ",\"function\":{\"arguments\":" + quoted + "}}]}",
    };

    private static string Event(int choice, string delta, string reason = "null") =>
        $$"""{"id":"c1","object":"chat.completion.chunk","choices":[{"index":{{choice}},"delta":{{delta}},"""
        + "\"finish_reason\":" + reason + "}]}";

    /// <summary>Adds what an event says to the texts so far.</summary>
    private static void Gather(string events, Dictionary<string, string> texts, HashSet<int> ended)
    {
        foreach (var text in events.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var json = JsonElement.Parse(text["data: ".Length..]);
            Assert.Equal("c1", json.GetProperty("id").GetString());
            foreach (var choice in json.GetProperty("choices").EnumerateArray())
            {
                var index = choice.GetProperty("index").GetInt32();
                Assert.DoesNotContain(index, ended);
                foreach (var (place, said) in Said(choice.GetProperty("delta")))
                    texts[$"{index}/{place}"] = texts.GetValueOrDefault($"{index}/{place}", "") + said;
                if (choice.GetProperty("finish_reason").ValueKind is JsonValueKind.String)
                    ended.Add(index);
            }
        }
    }

    private static IEnumerable<(string Place, string Text)> Said(JsonElement delta)
    {
        foreach (var member in delta.EnumerateObject())
        {
            if (member.Value.ValueKind is JsonValueKind.String)
                yield return (member.Name, member.Value.GetString()!);
            else
            {
                foreach (var call in member.Value.EnumerateArray())
                    yield return ($"tool_calls/{call.GetProperty("index").GetInt32()}/function/arguments",
                        call.GetProperty("function").GetProperty("arguments").GetString()!);
            }
        }
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 40)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Any_split_over_events_choices_and_places_gives_the_same_masked_texts_seed(int seed)
    {
        var random = new Random(seed);
        string[] parts =
            ["bob@example.com", "4111 1111 1111 1111", "sk-abcdef123", " ", "x", "😀", "\"quoted\"", "\n", "4"];
        var rest = Enumerable.Range(0, 3).SelectMany(c => s_places.Select(p => (Choice: c, Place: p))).ToDictionary(
            k => k,
            _ => string.Concat(Enumerable.Range(0, random.Next(0, 12)).Select(_ => parts[random.Next(parts.Length)])));
        var expected = rest.ToDictionary(r => $"{r.Key.Choice}/{r.Key.Place}", r => Masked(r.Value));
        var (guard, _) = Make(s_mask);
        var (texts, ended) = (new Dictionary<string, string>(), new HashSet<int>());
        var most = ContentRules.Of(s_mask)!.HoldCharsMax;

        while (rest.Count > 0)
        {
            var (at, left) = rest.ElementAt(random.Next(rest.Count));
            var take = Math.Min(left.Length, random.Next(1, 9));
            Send(Event(at.Choice, Delta(at.Place, Quote(left[..take], random))));
            rest[at] = left[take..];
            if (rest[at].Length == 0)
                rest.Remove(at);
            Assert.True(guard.Held <= most * s_places.Length * 3);
        }

        for (var choice = 0; choice < 3; choice++)
            Send(Event(choice, "{}", "\"stop\""));
        Assert.Null(guard.End());

        Assert.Equal(0, guard.Out.Length);
        Assert.Equal([0, 1, 2], ended.Order());
        foreach (var (place, text) in expected)
            Assert.Equal(text, texts.GetValueOrDefault(place, ""));

        void Send(string json)
        {
            Assert.Null(guard.Take(Encoding.UTF8.GetBytes(json), default));
            Gather(Encoding.UTF8.GetString(guard.Out), texts, ended);
        }
    }

    private static string Masked(string text)
    {
        var into = new StringBuilder();
        new ContentText(ContentRules.Of(s_mask)!, _ => { }).Take(text, isEnd: true, into);
        return into.ToString();
    }

    [Fact]
    public void An_event_of_which_all_is_held_back_is_not_sent_and_the_rest_comes_before_the_end()
    {
        var (guard, facts) = Make(s_mask);
        List<string> sent = [];

        foreach (var json in new[]
        {
            Event(0, """{"role":"assistant","content":""}"""), Event(0, """{"content":"bob"}"""),
            Event(0, """{"content":"\u0040example"}"""), Event(0, """{"content":".com"}"""), Event(0, "{}", "\"stop\""),
        })
        {
            Assert.Null(guard.Take(Encoding.UTF8.GetBytes(json), default));
            sent.Add(Encoding.UTF8.GetString(guard.Out));
        }

        Assert.Equal(["", "", ""], sent[1..4]);
        var (tail, end) = (sent[4].IndexOf("[pii]", StringComparison.Ordinal),
            sent[4].IndexOf("\"stop\"", StringComparison.Ordinal));
        Assert.True(tail >= 0 && tail < end, sent[4]);
        Assert.Equal(("pii", true, "masked", 1L), (facts.Content[0].Rule, facts.Content[0].IsAnswer,
            facts.Content[0].Do, facts.Content[0].Count));
    }

    [Theory]
    [InlineData("content")]
    [InlineData("reasoning_content")]
    [InlineData("refusal")]
    [InlineData("tool_calls/0/function/arguments")]
    public void A_refused_match_ends_the_answer_wherever_it_stands(string place)
    {
        var (guard, facts) = Make([new() { Name = "words", Words = ["Project Blue"] }]);

        var first = place.StartsWith('t') ? Delta(place, "\"so proj\"") : $$"""{"{{place}}":"so proj"}""";
        var second = place.StartsWith('t') ? Delta(place, "\"ect blue.\"") : $$"""{"{{place}}":"ect blue."}""";

        Assert.Null(guard.Take(Encoding.UTF8.GetBytes(Event(0, first)), default));
        Assert.DoesNotContain("proj", Encoding.UTF8.GetString(guard.Out), StringComparison.Ordinal);
        var fault = guard.Take(Encoding.UTF8.GetBytes(Event(0, second)), default);
        Assert.Equal(FaultKind.AnswerUnfit, fault?.Kind);
        Assert.Contains("'words'", fault!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("blue", fault.Message, StringComparison.OrdinalIgnoreCase);
        Assert.True(facts.IsContentRefused);
    }

    [Fact]
    public void What_no_rule_touches_stays_to_the_byte()
    {
        const string Whole = """
            {"id":"c1", "odd":1.50e3,"choices":[ {"index":0,
            "message":{"role":"assistant","content":"h\u00f6 you","x":[1]},
            "logprobs":{"content":[{"token":"h"}]},"finish_reason":"stop"}]}
            """;
        var (guard, facts) = Make(s_mask, isStream: false);

        Assert.Null(guard.Take(Encoding.UTF8.GetBytes(Whole), default));
        Assert.False(guard.IsChanged);
        Assert.Empty(facts.Content);

        var masked = Whole.Replace("you", "bob@x.org", StringComparison.Ordinal);
        Assert.Null(guard.Take(Encoding.UTF8.GetBytes(masked), default));
        Assert.True(guard.IsChanged);
        // The tokens one by one would tell what is masked.
        Assert.Equal(
            masked.Replace("h\\u00f6 bob@x.org", "hö [pii]", StringComparison.Ordinal)
                .Replace("{\"content\":[{\"token\":\"h\"}]}", "null", StringComparison.Ordinal),
            Encoding.UTF8.GetString(guard.Out));
        Assert.Contains(facts.Content, c => c.Do == "withheld");
    }

    [Fact]
    public void Usage_that_is_hidden_is_left_out_beside_what_is_masked()
    {
        var json = """{"choices":[{"index":0,"delta":{"content":"a@b.org "},"finish_reason":null}],"usage":null}""";
        var part = AnswerScan.Read(Encoding.UTF8.GetBytes(json), wantsNames: false);
        var (guard, _) = Make(s_mask[..1]);

        Assert.Null(guard.Take(Encoding.UTF8.GetBytes(json), (part.UsageAt, part.UsageLength)));

        Assert.Equal(
            "data: " + """{"choices":[{"index":0,"delta":{"content":"[pii] "},"finish_reason":null}]}""" + "\n\n",
            Encoding.UTF8.GetString(guard.Out));
    }

    [Fact]
    public void A_schema_is_judged_at_the_end_and_a_length_as_soon_as_it_is_too_long()
    {
        var (json, _) = Make([new() { Name = "form", JsonSchema = """{"type":"object","required":["a"]}""" }]);
        Assert.Null(json.Take(Encoding.UTF8.GetBytes(Event(0, """{"content":"{\"b\":1}"}""")), default));
        Assert.NotNull(json.Take(Encoding.UTF8.GetBytes(Event(0, "{}", "\"stop\"")), default));

        var (length, _) = Make([new() { Name = "long", CharsMax = 5 }]);
        Assert.Null(length.Take(Encoding.UTF8.GetBytes(Event(0, """{"content":"12345"}""")), default));
        Assert.NotNull(length.Take(Encoding.UTF8.GetBytes(Event(0, """{"content":"6"}""")), default));
    }

    [Theory]
    [InlineData("{}", "\"stop\"")]
    [InlineData("{\"content\":\"\"}", "\"stop\"")]
    [InlineData("{}", "null")]
    public void What_follows_a_choices_end_is_not_judged_as_an_answer_of_its_own(string delta, string reason)
    {
        var (guard, facts) = Make([new() { Name = "form", JsonSchema = """{"type":"object","required":["a"]}""" }]);
        Assert.Null(guard.Take(Encoding.UTF8.GetBytes(Event(0, """{"content":"{\"a\":1}"}""", "\"stop\"")), default));

        Assert.Null(guard.Take(Encoding.UTF8.GetBytes(Event(0, delta, reason)), default));
        Assert.Contains("\"finish_reason\":" + reason, Encoding.UTF8.GetString(guard.Out), StringComparison.Ordinal);
        Assert.Null(guard.End());
        Assert.Empty(facts.Content);
    }

    [Fact]
    public void A_text_behind_a_choices_end_is_judged_anew()
    {
        var (guard, _) = Make([.. s_mask, new() { Name = "form", JsonSchema = """{"type":"object"}""" }]);
        Assert.Null(guard.Take(Encoding.UTF8.GetBytes(Event(0, """{"content":"{}"}""", "\"stop\"")), default));

        Assert.Null(guard.Take(Encoding.UTF8.GetBytes(Event(0, """{"content":"to bob@x.org"}""")), default));
        Assert.NotNull(guard.Take(Encoding.UTF8.GetBytes(Event(0, "{}", "\"stop\"")), default));
    }

    [Fact]
    public void An_answer_with_more_texts_than_are_looked_into_is_refused()
    {
        var (guard, _) = Make(s_mask);
        var many = string.Join(',', Enumerable.Range(0, GuardedChoice.TextsMax + 1).Select(i => $"\"t{i}\":\"x\""));

        Assert.Equal(FaultKind.AnswerUnfit,
            guard.Take(Encoding.UTF8.GetBytes(Event(0, "{" + many + "}")), default)?.Kind);
    }
}
