using Spillway.Planner.Plans;
using Spillway.Planner.Workloads;
using Spillway.Tests.Planner.Plans;

namespace Spillway.Tests.Planner.Workloads;

public sealed class TraceTextTests
{
    [Fact]
    public void The_Azure_form_is_read()
    {
        var trace = Trace("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 "
            + "18:15:50.9951690,396,109\n");
        Assert.Equal([0, 43_145_790], trace.At);
        Assert.Equal([374, 396], trace.TokensIn!);
        Assert.Equal([44, 109], trace.TokensOut!);
        Assert.Null(trace.Keys);
    }

    [Fact]
    public void Request_records_are_read_line_by_line()
    {
        var trace = Trace("""
            {"id":"a","started":"2026-01-31T12:00:00.000Z","model":"ocr","rows":1}
            {"id":"b","started":"2026-01-31T12:00:01.500Z","model":"other","rows":1}
            {"id":"c","started":"2026-01-31T12:00:02.000Z","model":"ocr","rows":1}
            """, "route: ocr");
        Assert.Equal([0, 2 * TimeSpan.TicksPerSecond], trace.At);
    }

    [Fact]
    public void A_line_without_a_key_is_one_that_never_repeats_and_the_others_keep_theirs()
    {
        var trace = Trace("{\"at\":1,\"key\":\"a\"}\n{\"at\":2}\n{\"at\":3,\"key\":\"a\"}\n");
        Assert.Equal(-1, trace.Keys![1]);
        Assert.Equal(trace.Keys[0], trace.Keys[2]);
    }

    [Theory]
    [InlineData("arrival,tokens_in\n1,10\n0.5,10\n", 3, "earlier than the one before")]
    [InlineData("arrival\n1\n-2\n", 3, "negative")]
    [InlineData("arrival,tokens_in\n1,\n", 2, "missing")]
    [InlineData("arrival,tokens_in\n1,-4\n", 2, "not a number from 1")]
    [InlineData("arrival,tokens_in\n1\n", 2, "1 values, the header 2")]
    [InlineData("arrival\n2026-01-31T12:00:00Z\n2026-01-31T12:00:01\n", 3, "mixes forms")]
    [InlineData("arrival\n1\n2026-01-31T12:00:01Z\n", 3, "mixes forms")]
    [InlineData("arrival\n1769860800000000\n", 2, "too large for seconds")]
    [InlineData("when\n1\n", 1, "no column for the arrival")]
    [InlineData("arrival\nsoon\n", 2, "not a time")]
    [InlineData("{\"arrival\": 1\n", 1, "not JSON")]
    public void A_bad_line_is_told_with_its_number_and_its_remedy(string text, int line, string problem)
    {
        var errors = Result(text).Errors;
        Assert.Contains(errors, e => e.File == "trace.csv" && e.Line == line && e.Remedy.Length > 0
            && e.Problem.Contains(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void A_gap_deserves_a_word_and_is_no_error()
    {
        var lines = Enumerable.Range(0, 3000).Select(i => (i < 1500 ? i * 0.01 : 1_000_000 + (i * 0.01))
            .ToString(System.Globalization.CultureInfo.InvariantCulture));
        var result = Result("arrival\n" + string.Join('\n', lines));
        Assert.Empty(result.Errors);
        Assert.Contains(result.Notes, n => n.Problem.Contains("gap", StringComparison.Ordinal));
    }

    private static RecordedTrace Trace(string text, string more = "speed: 1")
    {
        var result = Result(text, more);
        Assert.Empty(result.Errors);
        return result.Plan!.Traces["people"];
    }

    private static PlanResult Result(string text, string more = "speed: 1") => SmallPlan.Result(SmallPlan.Prices,
        [("arrivals: poisson, ratePerSecond: 40", $"arrivals: trace, trace: trace.csv, {more}")], text);
}
