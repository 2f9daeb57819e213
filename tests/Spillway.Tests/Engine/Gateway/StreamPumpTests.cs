using System.Buffers;
using System.Text;
using System.Threading.Tasks.Sources;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Gateway;
using Spillway.Engine.Upstreams;
using Spillway.Policies.Content;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>
/// An upstream's stream as it may arrive, and what the caller gets of it.
/// This file is long because each way in which a stream can end stands beside the others.
/// </summary>
public sealed class StreamPumpTests
{
    private const string Role = """data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}""";
    private const string Text = """data: {"choices":[{"index":0,"delta":{"content":"h\u00fc"}}]}""";
    private const string End = """data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""";
    private const string Usage = """data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}""";
    private const string Done = "data: [DONE]";

    private static string Of(params string[] events) => string.Concat(events.Select(e => e + "\n\n"));

    private static async Task<(Fault? Fault, Sink Sink, ExchangeState State)> PumpAsync(
        string text, int slice = int.MaxValue, UpstreamOptions? options = null, ManualTimeProvider? time = null,
        Action? taking = null, Action? reading = null, ContentRuleOptions? rule = null)
    {
        var clock = new Clock(time ?? new ManualTimeProvider());
        Assert.True(BodyScan.Read(WireCall.Chat, Encoding.UTF8.GetBytes(
            """{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"""))
            .TryGet(out var asked, out _));
        var work = new Work(static _ => { });
        work.Begin(clock.Now);
        work.Chat = new()
        {
            Operation = "chat", Steps = [], Stream = true, Counts = new(TimeSpan.Zero, TimeSpan.Zero),
        };
        var sink = new Sink(taking);
        var state = new ExchangeState(work, asked!, sink, clock);
        if (rule is not null)
            (state.Rules, state.Log) = (ContentRules.Of([rule]), new("chat", work.Chat));
        state.Sent();
        options ??= new() { Kind = UpstreamKind.Openai };
        using var phase = new Phase(options, clock, Instant.Never, CancellationToken.None);
        phase.Enter("the first token", options.FirstDeltaMs);
        using var pump = new StreamPump(
            new Sliced(Encoding.UTF8.GetBytes(text), slice, reading), state, phase, options, "u/t", () => { });
        Fault? fault;
        try
        {
            fault = await pump.RunAsync();
        }
        catch (OperationCanceledException e)
        {
            fault = phase.Explain("u/t", e);
        }

        return (fault, sink, state);
    }

    [Theory]
    [InlineData(1, "\n")]
    [InlineData(2, "\n")]
    [InlineData(7, "\n")]
    [InlineData(1, "\r\n")]
    [InlineData(3, "\r\n")]
    [InlineData(int.MaxValue, "\r\n")]
    public async Task However_it_is_cut_the_same_arrives(int slice, string line)
    {
        var whole = Of(Role, Text, ": a comment", Text, End, Done).Replace("\n", line, StringComparison.Ordinal);
        var hidden = (Of(Usage) + Of(Done)).Replace("\n", line, StringComparison.Ordinal);

        var (fault, sink, state) = await PumpAsync(
            whole[..^(Done.Length + (2 * line.Length))] + hidden, slice);

        Assert.Null(fault);
        Assert.Equal(whole, sink.Text);
        state.Close(null);
        Assert.Equal(new TokenUsage(1, 2), state.Facts.Used);
    }

    [Fact]
    public async Task A_blank_behind_DONE_an_event_without_data_and_a_mark_of_byte_order_break_nothing()
    {
        var (fault, sink, _) = await PumpAsync("\uFEFF" + Of(Text, "data:", "data: ", End, Done + " "));

        Assert.Null(fault);
        Assert.Equal(Of(Text, End, Done + " "), sink.Text);
    }

    [Fact]
    public async Task Usage_in_several_lines_is_hidden_too()
    {
        var (fault, sink, _) = await PumpAsync(Of(
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\ndata: \"usage\":{\"prompt_tokens\":1}}",
            End, Done));

        Assert.Null(fault);
        Assert.DoesNotContain("usage", sink.Text, StringComparison.Ordinal);
        Assert.StartsWith("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]", sink.Text,
            StringComparison.Ordinal);
    }

    /// <summary>A piece with the server's account so far.</summary>
    private static string Running(int tokens) =>
        Text[..^1] + $$$""","usage":{"prompt_tokens":5,"completion_tokens":{{{tokens}}}}}""";

    [Theory]
    // Of a first account, and of one of which a part came late, more is known here.
    [InlineData(new[] { 1 }, 4, false)]
    [InlineData(new[] { 1, 2 }, 4, false)]
    // Pieces may hold several tokens.
    [InlineData(new[] { 3, 6, 9 }, 9, true)]
    public async Task A_stream_that_broke_off_is_billed_for_what_came_and_not_for_an_account_of_its_beginning(
        int[] running, int output, bool isReported)
    {
        string[] pieces = [.. running.Select(Running), .. Enumerable.Repeat(Text, 4 - running.Length)];

        var (fault, _, state) = await PumpAsync(Of(pieces));
        state.Close(fault);

        Assert.NotNull(fault);
        Assert.Equal((new TokenUsage(5, output), isReported), (state.Facts.Used, state.Facts.IsReported));
    }

    [Fact]
    public async Task An_account_behind_the_last_end_is_the_whole_one_also_where_the_caller_leaves_then()
    {
        var (_, _, state) = await PumpAsync(Of([.. Enumerable.Repeat(Text, 5), End, Usage]));
        state.Close(new(FaultKind.Cancelled, "gone"));

        Assert.Equal((new TokenUsage(1, 2), true), (state.Facts.Used, state.Facts.IsReported));
    }

    [Fact]
    public async Task Half_an_account_is_none()
    {
        var (fault, _, state) = await PumpAsync(
            Of(Text, Text, Text, End, """data: {"choices":[],"usage":{"prompt_tokens":5}}""", Done));
        state.Close(fault);

        Assert.Null(fault);
        Assert.Equal((3, false), (state.Facts.Used.Output, state.Facts.IsReported));
    }

    [Fact]
    public async Task What_rules_held_back_of_a_stream_that_broke_off_is_not_billed()
    {
        // Ten pieces of forty characters are a hundred tokens; of the last 80 characters nothing is decided.
        var (fault, sink, state) = await PumpAsync(Of([.. Enumerable.Repeat(s_forty, 10)]), rule: s_holds);
        state.Close(fault);

        var given = sink.Text.Count(c => c == 'h') - (sink.Text.Split("choices").Length - 1);
        Assert.InRange(given, 1, 399);
        Assert.Equal((given + 3) / 4, state.Facts.Used.Output);
    }

    [Fact]
    public async Task Data_of_several_lines_is_one_line_where_rules_may_change_it()
    {
        var (fault, sink, _) = await PumpAsync(Of(
            "data: {\"choices\":[{\"index\":0,\ndata: \"delta\":{\"content\":\"a zz b\"},\n"
                + "data: \"finish_reason\":\"stop\"}]}",
            Done), rule: s_holds);

        Assert.Null(fault);
        Assert.All(sink.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries),
            e => Assert.Single(e.Split('\n')));
        Assert.Contains("a [key] b", sink.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_counted_here_is_never_more_than_was_reserved()
    {
        var (_, _, state) = await PumpAsync(Of([.. Enumerable.Repeat(Text, 9), End, Done]));

        state.Reserve(new(1, null), output: 4, tokenizer: null);
        state.Close(null);

        Assert.Equal(new TokenUsage(1, 4), state.Facts.Used);
    }

    [Fact]
    public async Task A_role_and_DONE_are_no_answer()
    {
        var (fault, sink, _) = await PumpAsync(Of(Role, Done));

        Assert.Equal(FaultKind.UpstreamFailed, fault?.Kind);
        // So that another upstream may be asked.
        Assert.False(sink.HasBegun);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DONE_without_a_reason_is_an_end_only_where_that_is_declared(bool declared)
    {
        var (fault, sink, _) = await PumpAsync(
            Of(Role, Text, Done), options: new() { Kind = UpstreamKind.Openai, EndsWithoutReason = declared });

        Assert.Equal(declared, fault is null);
        Assert.Equal(declared, sink.Text.Contains("[DONE]", StringComparison.Ordinal));
        Assert.Equal(declared, !(fault?.Message.Contains("endsWithoutReason", StringComparison.Ordinal) ?? false));
    }

    [Theory]
    [InlineData("""data: {"choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{"end_offset":9}}]}""")]
    [InlineData("""data: {"choices":[{"index":0,"delta":{},"finish_reason":null}]HIDDEN}""")]
    [InlineData("""data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":null}]}""")]
    public async Task What_is_noted_about_a_choice_behind_its_end_does_not_open_it_again(string note)
    {
        // Some servers put usage beside it.
        var sent = note.Replace(
            "HIDDEN", ",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}", StringComparison.Ordinal);

        var withDone = await PumpAsync(Of(Role, Text, End, sent, Done));
        var without = await PumpAsync(Of(Role, Text, End, sent));

        Assert.Null(withDone.Fault);
        Assert.Equal(
            Of(Role, Text, End, note.Replace("HIDDEN", "", StringComparison.Ordinal), Done), withDone.Sink.Text);
        Assert.Null(without.Fault);
        Assert.EndsWith(Of(Done), without.Sink.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_behind_a_choices_end_opens_it_again()
    {
        var (fault, sink, _) = await PumpAsync(Of(Role, Text, End, Text, Done));

        Assert.Equal(FaultKind.UpstreamFailed, fault?.Kind);
        Assert.DoesNotContain("[DONE]", sink.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1000 * 1000, true)]
    [InlineData(1100 * 1000, false)]
    public async Task An_event_has_a_megabyte_at_most(int bytes, bool passes)
    {
        var large = Text.Replace("h\\u00fc", new string('h', bytes), StringComparison.Ordinal);

        var (fault, sink, _) = await PumpAsync(Of(large, End, Done), slice: 8000);

        Assert.Equal(passes, fault is null);
        Assert.Equal(passes, sink.Text.Length > bytes);
    }

    [Fact]
    public async Task More_events_without_content_than_are_held_begin_the_answer()
    {
        var many = Enumerable.Repeat(Role, 70).ToArray();

        var held = await PumpAsync(Of(many[..64]));
        var begun = await PumpAsync(Of([.. many, Text, End, Done]));

        Assert.False(held.Sink.HasBegun);
        Assert.Null(begun.Fault);
        Assert.Equal(Of([.. many, Text, End, Done]), begun.Sink.Text);
    }

    [Theory]
    [InlineData(": keep-alive")]
    [InlineData("event: ping")]
    public async Task Comments_before_the_first_content_do_not_begin_the_answer(string comment)
    {
        var waiting = Enumerable.Repeat(comment, 200).ToArray();

        var died = await PumpAsync(Of([Role, .. waiting]));
        var answered = await PumpAsync(Of([.. waiting, Role, Text, comment, End, Done]));

        Assert.NotNull(died.Fault);
        Assert.False(died.Sink.HasBegun);
        Assert.Null(answered.Fault);
        Assert.Equal(Of(Role, Text, comment, End, Done), answered.Sink.Text);
    }

    [Fact]
    public async Task A_caller_that_takes_its_time_is_not_the_upstreams_fault()
    {
        var time = new ManualTimeProvider();
        var options = new UpstreamOptions
        {
            Kind = UpstreamKind.Openai, TotalMs = 20_000, BytesPerSecondMin = 1,
        };

        var (fault, sink, _) = await PumpAsync(
            Of([.. Enumerable.Repeat(Text, 5), End, Done]), slice: Text.Length + 2, options, time,
            () => time.Advance(TimeSpan.FromSeconds(15)));

        Assert.Null(fault);
        Assert.EndsWith(Of(Done), sink.Text, StringComparison.Ordinal);
    }

    /// <summary>A pattern of which every text of up to 80 characters may be a part.</summary>
    private static readonly ContentRuleOptions s_holds =
        new() { Name = "key", Do = ContentAction.Mask, Pattern = "zz+", MatchCharsMax = 64 };

    /// <summary>Forty characters.</summary>
    private static readonly string s_forty =
        Text.Replace("h\\u00fc", new string('h', 40), StringComparison.Ordinal);

    [Theory]
    [InlineData(3, true)]
    [InlineData(6, false)]
    public async Task While_rules_hold_an_answer_back_the_upstream_is_in_time_as_long_as_it_sends(
        int seconds, bool passes)
    {
        var time = new ManualTimeProvider();
        var options = new UpstreamOptions
        {
            Kind = UpstreamKind.Openai, FirstDeltaMs = 10_000, BetweenDeltasMs = 5000, TotalMs = 600_000,
        };

        var (fault, _, state) = await PumpAsync(
            Of([.. Enumerable.Repeat(Text, 12), End, Done]), slice: Text.Length + 2, options, time,
            reading: () => time.Advance(TimeSpan.FromSeconds(seconds)), rule: s_holds);

        Assert.Equal(passes, fault is null);
        if (!passes)
            Assert.Contains("5000 ms for the next bytes", fault?.Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(seconds), state.Facts.Prefill);
    }

    [Fact]
    public async Task The_first_token_under_rules_is_the_one_that_the_caller_gets()
    {
        var time = new ManualTimeProvider();

        var (fault, _, state) = await PumpAsync(
            Of([.. Enumerable.Repeat(s_forty, 5), End, Done]), slice: s_forty.Length + 2, time: time,
            reading: () => time.Advance(TimeSpan.FromSeconds(1)), rule: s_holds);

        Assert.Null(fault);
        // The upstream's first piece came after a second; 81 characters are there with the third.
        Assert.Equal((1, 3), (state.Facts.Prefill?.TotalSeconds, state.Facts.FirstToken?.TotalSeconds));
    }

    /// <summary>Brings some bytes at a time.</summary>
    private sealed class Sliced(byte[] bytes, int slice, Action? reading) : MemoryStream(bytes)
    {
        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            reading?.Invoke();
            cancellationToken.ThrowIfCancellationRequested();
            return await base.ReadAsync(buffer[..Math.Min(buffer.Length, slice)], cancellationToken);
        }
    }

    /// <summary>A caller; what happens while it takes what there is may be told.</summary>
    private sealed class Sink(Action? taking) : IAnswerSink, IValueTaskSource<bool>
    {
        private readonly ArrayBufferWriter<byte> _text = new();

        public string Text => Encoding.UTF8.GetString(_text.WrittenSpan);

        public bool HasBegun { get; private set; }

        public void BeginStream() => HasBegun = true;

        public void Write(ReadOnlySpan<byte> bytes) => _text.Write(bytes);

        public ValueTask<bool> FlushAsync() => taking is null ? new(true) : new(this, 0);

        public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> body) => throw new InvalidOperationException();

        public bool GetResult(short token) => true;

        public ValueTaskSourceStatus GetStatus(short token) => ValueTaskSourceStatus.Pending;

        /// <summary>Somebody waits: time passes, and it is taken.</summary>
        public void OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        {
            taking!();
            continuation(state);
        }
    }
}
