using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

public sealed class TraceReaderTests
{
    [Theory]
    [InlineData("time,size\n10,1\n10.5,2\n12,3\n")]
    [InlineData("10\n10.5\n12")]
    [InlineData("{\"t\":10,\"x\":1}\n\n{\"t\":10.5}\n{\"t\":12}\n")]
    [InlineData("{\"at\":\"2026-01-31T12:00:10Z\"}\n"
        + "{\"at\":\"2026-01-31T12:00:10.5Z\"}\n{\"at\":\"2026-01-31T12:00:12Z\"}")]
    [InlineData("2026-01-31T12:00:10Z;a\n2026-01-31T13:00:10.5+01:00;b\n2026-01-31T12:00:12;c")]
    public void Seconds_and_timestamps_count_from_the_first_arrival(string text)
    {
        var times = TraceReader.Read(new StringReader(text), "trace");

        Assert.Equal(3, times.Length);
        Assert.Equal(0, times[0]);
        Assert.Equal(0.5, times[1], 5);
        Assert.Equal(2, times[2], 5);
    }

    [Theory]
    [InlineData("1\n2\nlater\n", "trace, line 3: 'later' is not a time")]
    [InlineData("1\n3\n2\n", "trace, line 3: '2' is earlier")]
    [InlineData("{\"t\":1}\n{\"t\":[2]}\n", "trace, line 2")]
    [InlineData("{\"t\":\n", "trace, line 1")]
    [InlineData("a\nb\n", "trace, line 2: 'b' is not a time")]
    [InlineData("1\nNaN\n", "line 2")]
    [InlineData("time\n", "has no arrivals")]
    [InlineData("", "has no arrivals")]
    public void A_bad_trace_names_its_line(string text, string expected)
    {
        var wrong = Assert.Throws<LoadException>(() => TraceReader.Read(new StringReader(text), "trace"));

        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
        Assert.Equal(2, wrong.ExitCode);
    }
}
