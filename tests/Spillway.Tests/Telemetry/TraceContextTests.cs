using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public class TraceContextTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Span = "b7ad6b7169203331";

    [Theory]
    [InlineData($"00-{Trace}-{Span}-01", $"00-{Trace}-{Span}-01")]
    [InlineData($"00-{Trace}-{Span}-00", $"00-{Trace}-{Span}-00")]
    [InlineData($"00-{Trace}-{Span}-ff", $"00-{Trace}-{Span}-03")]
    [InlineData($"01-{Trace}-{Span}-01", $"00-{Trace}-{Span}-01")]
    [InlineData($"cc-{Trace}-{Span}-01-what-the-future-will-be-like", $"00-{Trace}-{Span}-01")]
    [InlineData($"cc-{Trace}-{Span}-01-", $"00-{Trace}-{Span}-01")]
    public void What_the_specification_accepts_is_read_and_passed_on_as_version_00(string header, string passedOn)
    {
        Assert.True(TraceContext.TryParse(header, out var context));
        Assert.Equal(passedOn, context.ToString());
        Assert.Equal(Trace, context.Trace.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData($"00-{Trace}-{Span}")]
    [InlineData($"00-{Trace}-{Span}-0")]
    [InlineData($"00-{Trace}-{Span}-01-")]
    [InlineData($"00-{Trace}-{Span}-01-extra")]
    [InlineData($"00-{Trace}-{Span}-011")]
    [InlineData($"cc-{Trace}-{Span}-01.what-the-future")]
    [InlineData($"ff-{Trace}-{Span}-01")]
    [InlineData($"FF-{Trace}-{Span}-01")]
    [InlineData($"0A-{Trace}-{Span}-01")]
    [InlineData($"00-0AF7651916CD43DD8448EB211C80319C-{Span}-01")]
    [InlineData($"00-{Trace}-B7AD6B7169203331-01")]
    [InlineData($"00-{Trace}-{Span}-0A")]
    [InlineData($"00-00000000000000000000000000000000-{Span}-01")]
    [InlineData($"00-{Trace}-0000000000000000-01")]
    [InlineData($"00_{Trace}-{Span}-01")]
    [InlineData($"00-{Trace}_{Span}-01")]
    [InlineData($"00-{Trace}-{Span}_01")]
    [InlineData($"00-.af7651916cd43dd8448eb211c80319c-{Span}-01")]
    [InlineData($" 00-{Trace}-{Span}-01")]
    public void What_the_specification_refuses_is_refused(string header)
    {
        Assert.False(TraceContext.TryParse(header, out var context));
        Assert.Equal(default, context);
    }

    [Fact]
    public void A_child_stays_in_the_trace_with_a_span_of_its_own()
    {
        Assert.True(TraceContext.TryParse($"00-{Trace}-{Span}-01", out var parent));
        var child = parent.Child(new SpanIds(7));
        Assert.Equal(parent.Trace, child.Trace);
        Assert.True(child.Sampled);
        Assert.NotEqual(parent.Span, child.Span);
    }

    [Fact]
    public void A_root_is_a_valid_context_that_is_not_sampled()
    {
        var root = TraceContext.Root(new SpanIds(7));
        Assert.True(TraceContext.TryParse(root.ToString(), out var read));
        Assert.Equal(root, read);
        Assert.False(root.Sampled);
    }

    [Fact]
    public async Task Ids_replay_from_their_seed_and_never_repeat_across_threads()
    {
        // The reference output of SplitMix64 for seed 0.
        var reference = new SpanIds(0);
        Assert.Equal(0xE220A8397B1DCDAFUL, reference.Next());
        Assert.Equal(0x6E789E6AA1B965F4UL, reference.Next());
        var shared = new SpanIds(42);
        var drawn = await Task.WhenAll(Enumerable.Range(0, 4)
            .Select(_ => Task.Run(() => Enumerable.Range(0, 10_000).Select(_ => shared.Next()).ToArray())));
        Assert.Equal(40_000, drawn.SelectMany(ids => ids).Distinct().Count());
    }
}
