using System.Text;
using System.Text.Json;
using Spillway.Engine.Gateway;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>What is read of an answer, whole or in events.</summary>
public sealed class AnswerScanTests
{
    private static AnswerPart Read(string json) => AnswerScan.Read(Encoding.UTF8.GetBytes(json), wantsNames: true);

    [Theory]
    [InlineData("""{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""", 0, 0)]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"héé"}}]}""", 5, 0)]
    [InlineData("""{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0}]}}]}""", 1, 0)]
    [InlineData("""{"choices":[{"delta":{"tool_calls":[{"id":"c_1","function":{"name":"ab","arguments":"xyz"}}]}}]}""",
        5, 0)]
    [InlineData("""{"choices":[{"delta":{"reasoning":"hmm","reasoning_content":"hm"}}]}""", 3, 0)]
    [InlineData("""{"choices":[{"delta":{"content":"a"},"finish_reason":""}]}""", 1, 0)]
    [InlineData("""{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}""", 2, 0)]
    [InlineData("""{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""", 0, 1)]
    [InlineData("""{"choices":[{"index":2,"text":"a","finish_reason":"length"}]}""", 1, 4)]
    [InlineData("""{"choices":[{"index":0,"message":{"role":"assistant","content":"yes","refusal":null}}]}""", 3, 0)]
    public void Content_and_ends_are_seen_wherever_they_stand(string json, int bytes, ulong finished)
    {
        var part = Read(json);

        Assert.False(part.IsBroken);
        Assert.True(part.HasChoices);
        Assert.Equal((bytes, finished), (part.ContentBytes, part.Finished));
    }

    [Theory]
    [InlineData("""{"index":0,"message":{"role":"assistant","content":"a"}}""", true)]
    [InlineData("""{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"stop"}""", true)]
    [InlineData("""{"index":0,"text":"","finish_reason":"stop"}""", true)]
    [InlineData("""{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}""", true)]
    [InlineData("""{"message":{"content":null,"audio":{"id":"a","data":"QUE="}},"finish_reason":"stop"}""", true)]
    [InlineData("""{"message":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":""}}]}}""", true)]
    [InlineData("""{"message":{"role":"assistant"},"finish_reason":"content_filter"}""", true)]
    [InlineData("""{"message":{"content":null},"finish_reason":"length"}""", true)]
    [InlineData("{}", false)]
    [InlineData("""{"index":0,"finish_reason":"stop"}""", false)]
    [InlineData("""{"message":null,"finish_reason":"stop"}""", false)]
    [InlineData("""{"message":{"role":"assistant","content":null,"tool_calls":[]},"finish_reason":"stop"}""", false)]
    [InlineData("""{"message":{"role":"assistant","content":""}}""", false)]
    public void A_choice_is_an_answer_when_it_says_something_or_why_not(string choice, bool isOne) =>
        Assert.Equal(isOne, Read("{\"choices\":[" + choice + "]}").HasAnswer);

    [Theory]
    [InlineData("""{"choices":[{"error":{"message":"no","code":502},"finish_reason":"error"}],"error":null}""", "no")]
    [InlineData("""{"choices":[{"message":{"content":""},"finish_reason":"error"}]}""", "")]
    public void An_error_of_a_choice_is_one_of_the_answer(string json, string says) =>
        Assert.Equal((true, says), (Read(json).HasError, Read(json).ErrorMessage));

    [Fact]
    public void A_null_error_of_a_choice_is_none() =>
        Assert.False(Read("""{"choices":[{"error":null,"text":"a"}]}""").HasError);

    [Fact]
    public void Usage_is_read_with_its_parts_and_a_zero_is_a_zero()
    {
        var part = Read("""
            {"id":"i","model":"m","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":0,"total_tokens":7,
             "prompt_tokens_details":{"cached_tokens":3,"audio_tokens":0},
             "completion_tokens_details":{"reasoning_tokens":2}}}
            """);

        Assert.Equal(new TokenUsage(7, 0) { Cached = 3, Reasoning = 2 }, part.Usage);
        Assert.Equal(("i", "m"), (part.Id, part.Model));
        Assert.False(part.HasChoices);
    }

    [Fact]
    public void A_usage_without_numbers_is_no_account_of_zero() =>
        Assert.Null(Read("""{"choices":[],"usage":{"total_tokens":7,"prompt_tokens":null}}""").Usage);

    [Theory]
    [InlineData("""{"a":1,"usage":null}""")]
    [InlineData("""{"usage":{"prompt_tokens":1},"a":1}""")]
    [InlineData("""{"a":1 , "usage" : {"x":[1,{}]} , "b":2}""")]
    [InlineData("""{"usage":null}""")]
    public void Without_its_usage_an_event_is_JSON_still(string json)
    {
        var part = Read(json);

        var left = json.Remove(part.UsageAt, part.UsageLength);

        using var parsed = JsonDocument.Parse(left);
        Assert.False(parsed.RootElement.TryGetProperty("usage", out _));
        Assert.Equal(JsonDocument.Parse(json).RootElement.EnumerateObject().Count() - 1,
            parsed.RootElement.EnumerateObject().Count());
    }

    [Theory]
    [InlineData("""{"error":{"message":"no","type":"t"}}""", "no")]
    [InlineData("""{"error":"plain"}""", "plain")]
    [InlineData("""{"object":"error","error":true}""", "")]
    public void An_error_is_one_in_every_form(string json, string says)
    {
        var part = Read(json);

        Assert.True(part.HasError);
        Assert.Equal(says, part.ErrorMessage);
    }

    [Fact]
    public void A_null_error_is_none() => Assert.False(Read("""{"error":null,"choices":[]}""").HasError);

    [Theory]
    [InlineData("{}", false)]
    [InlineData("""{"data":[]}""", false)]
    [InlineData("""{"data":[ ]}""", false)]
    [InlineData("""{"data":[{"embedding":[1]}]}""", true)]
    public void Data_counts_as_an_answer_when_there_is_some(string json, bool isThere) =>
        Assert.Equal(isThere, Read(json).DataCount > 0);

    [Theory]
    [InlineData("""{"data":[{"embedding":[1,2]},{"embedding":[3]}]}""", 2, true)]
    [InlineData("""{"data":[{"embedding":"AAAA"}]}""", 1, false)]
    [InlineData("""{"results":[{"flagged":false},{"categories":{}}]}""", 2, false)]
    public void Data_is_counted_and_vectors_of_numbers_are_seen(string json, int count, bool areNumbers) =>
        Assert.Equal((count, areNumbers), (Read(json).DataCount, Read(json).HasNumbers));

    [Theory]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("{\"a\":1")]
    [InlineData("{\"a\":1}}")]
    [InlineData("")]
    public void What_is_no_object_is_broken(string json) => Assert.True(Read(json).IsBroken);

    [Theory]
    [InlineData("data: a\n\ndata: b\n\n", 9)]
    [InlineData("data: a\r\n\r\nx", 11)]
    [InlineData("data: a\n", -1)]
    [InlineData(": ping\n\n", 8)]
    [InlineData("", -1)]
    public void An_event_ends_with_its_empty_line(string text, int end) =>
        Assert.Equal(end, EventText.FindEnd(Encoding.UTF8.GetBytes(text), 0));

    [Theory]
    [InlineData("data: {\"a\":1}\n\n", "{\"a\":1}", 1)]
    [InlineData("event: x\ndata:{\"a\":1}\r\n\r\n", "{\"a\":1}", 1)]
    [InlineData(": ping\n\n", "", 0)]
    public void Its_data_is_found(string text, string data, int lines)
    {
        var bytes = Encoding.UTF8.GetBytes(text);

        var (at, length) = EventText.Data(bytes, out var count);

        Assert.Equal((data, lines), (Encoding.UTF8.GetString(bytes.AsSpan(at, length)), count));
    }

    [Fact]
    public void Data_of_several_lines_is_joined() => Assert.Equal(
        "{\n\"a\":1}", Encoding.UTF8.GetString(EventText.Join("data: {\ndata: \"a\":1}\n\n"u8)));
}
