using System.Text;
using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

public sealed class ResponseParserTests
{
    public static TheoryData<string, int, bool> WholeAnswers => new()
    {
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, true },
        { "HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", 200, true },
        { "HTTP/1.1 204 No Content\r\n\r\n", 204, true },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 200,
            true },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\nTrailer: a\r\nB: c\r\n\r\n", 200, true },
        { "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", 503, false },
        { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, false },
        { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, true },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, true },
    };

    [Theory]
    [MemberData(nameof(WholeAnswers))]
    public void An_answer_is_complete_however_it_is_split(string text, int status, bool keepAlive)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        var parser = new ResponseParser(new StageTable());
        for (var size = 1; size <= bytes.Length; size++)
        {
            // The same parser again: nothing of the answer before may stay.
            parser.Reset();
            for (var at = 0; at < bytes.Length; at += size)
            {
                var part = bytes.AsSpan(at, Math.Min(size, bytes.Length - at));
                var expected = at + part.Length == bytes.Length ? ParseState.Complete : ParseState.NeedMore;
                Assert.Equal(expected, parser.Feed(part));
            }

            Assert.Equal(status, parser.Status);
            Assert.Equal(keepAlive, parser.KeepAlive);
        }
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n")]
    [InlineData("HTTP/2 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore")]
    public void Hostile_answers_are_malformed(string text)
    {
        var parser = new ResponseParser(new StageTable());
        parser.Reset();

        Assert.Equal(ParseState.Malformed, parser.Feed(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void A_head_without_end_is_malformed_at_its_limit_and_a_huge_body_costs_no_memory()
    {
        var parser = new ResponseParser(new StageTable());
        parser.Reset();
        var head = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nX: " + new string('a', 20_000));
        Assert.Equal(ParseState.Malformed, parser.Feed(head));

        parser.Reset();
        Assert.Equal(ParseState.NeedMore, parser.Feed("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000\r\n\r\n"u8));
        Assert.Equal(ParseState.NeedMore, parser.Feed(new byte[60_000]));
        Assert.Equal(ParseState.Malformed, parser.End());
    }

    [Fact]
    public void A_body_without_a_length_ends_with_the_connection()
    {
        var parser = new ResponseParser(new StageTable());
        parser.Reset();

        Assert.Equal(ParseState.NeedMore, parser.Feed("HTTP/1.1 200 OK\r\n\r\nsome"u8));
        Assert.Equal(ParseState.Complete, parser.End());
        Assert.False(parser.KeepAlive);
    }

    [Fact]
    public void Stages_fault_retry_and_the_errors_text_are_read()
    {
        var table = new StageTable();
        var parser = new ResponseParser(table);
        parser.Reset();
        parser.Feed("HTTP/1.1 503 Busy\r\nRetry-After: 2\r\n"u8);
        parser.Feed("retry-after-ms: 1500\r\nX-Spillway-Fault: queue_full\r\n"u8);
        var state = parser.Feed(
            "Server-Timing: queue;dur=0.5, cache;desc=\"a, b\";dur=1.25, odd\r\n"u8);
        state = parser.Feed("Server-Timing: total;dur=2\r\nContent-Length: 4\r\n\r\nfull"u8);

        Assert.Equal(ParseState.Complete, state);
        Assert.Equal(["queue", "cache", "total"], table.Names);
        Assert.Equal([500_000, 1_250_000, 2_000_000], Enumerable.Range(0, 3).Select(i => parser.Stages[i]));
        Assert.Equal(1500, parser.RetryAfterMs);
        Assert.Equal("queue_full", Encoding.ASCII.GetString(parser.Fault));
        Assert.Equal("full", Encoding.ASCII.GetString(parser.ErrorText));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Damaged_answers_never_throw_and_never_stay_after_a_reset(int seed)
    {
        var random = new Random(seed);
        var parser = new ResponseParser(new StageTable());
        var seeds = WholeAnswers.Select(row => Encoding.ASCII.GetBytes((string)row[0])).ToArray();
        for (var round = 0; round < 4000; round++)
        {
            var bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var hits = random.Next(1, 4); hits > 0; hits--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            parser.Reset();
            var state = ParseState.NeedMore;
            for (var at = 0; at < bytes.Length && state == ParseState.NeedMore;)
            {
                var size = Math.Min(random.Next(1, 40), bytes.Length - at);
                state = parser.Feed(bytes.AsSpan(at, size));
                at += size;
            }
        }

        parser.Reset();
        Assert.Equal(ParseState.Complete, parser.Feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8));
        Assert.Equal(200, parser.Status);
    }

    [Fact]
    public void Reading_an_answer_allocates_nothing()
    {
        var parser = new ResponseParser(new StageTable());
        var answer =
            Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nDate: x\r\nServer-Timing: queue;dur=0.5, total;dur=1\r\n"
            + "Content-Length: 3\r\n\r\nabc");
        void Read()
        {
            parser.Reset();
            parser.Feed(answer);
        }

        Read();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            Read();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
