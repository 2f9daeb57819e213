using Spillway.Protocols.Grpc;
using Spillway.Protocols.OpenInference;

namespace Spillway.Tests.Protocols.Grpc;

public sealed class GrpcWireTests
{
    [Theory]
    [InlineData("plain: text, 100", "plain: text, 100")]
    [InlineData("100 %", "100 %25")]
    [InlineData("schön\n", "sch%C3%B6n%0A")]
    public void A_message_is_encoded_only_where_it_must_be(string text, string encoded) =>
        Assert.Equal(encoded, GrpcMapping.Message(text));

    [Fact]
    public void A_long_message_fits_what_clients_take_of_trailers() =>
        Assert.InRange(GrpcMapping.Message(new('ü', 100_000)).Length, 1000, 3 * GrpcMapping.MessageBytesMax);

    [Theory]
    [InlineData("1H", 3_600_000)]
    [InlineData("2M", 120_000)]
    [InlineData("3S", 3_000)]
    [InlineData("99999999m", 99_999_999)]
    [InlineData("5000u", 5)]
    [InlineData("6000000n", 6)]
    public void Every_unit_of_a_timeout_is_read(string header, double ms)
    {
        Assert.Null(GrpcTimeout.Parse(header, out var timeout));
        Assert.Equal(TimeSpan.FromMilliseconds(ms), timeout);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("-5m")]
    [InlineData("5s")]
    [InlineData(" 5m")]
    [InlineData("123456789m")]
    public void A_malformed_timeout_is_refused(string header) =>
        Assert.Equal(FaultKind.InvalidInput, GrpcTimeout.Parse(header, out _)!.Kind);

    [Theory]
    [InlineData(0UL)]
    [InlineData(127UL)]
    [InlineData(128UL)]
    [InlineData(1UL << 35)]
    [InlineData(ulong.MaxValue)]
    public void What_is_written_is_read_again(ulong number)
    {
        using var into = new WireBuffer();
        var outer = into.Begin(7);
        into.Chosen(1, number);
        into.Text(2, new string('x', 300));
        into.Packed(3, [-1, 5]);
        into.End(outer);

        var frame = into.Frame().ToArray();
        Assert.Equal(Proto.Frame(Proto.Bytes(
            7, [.. Proto.Varint(8), .. Proto.Varint(number)], Proto.Text(2, new('x', 300)), Proto.Packed(3, -1, 5))),
                frame);
        var wire = new WireReader(frame.AsSpan(5));
        Assert.True(wire.Next(out var field) && field == 7);
        var inner = new WireReader(wire.Bytes());
        Assert.True(inner.Next(out _));
        Assert.Equal(number, inner.Whole());
        Assert.False(wire.Next(out _) || wire.Failed);
    }

    [Theory]
    [InlineData("00", "a field number of 0")]
    [InlineData("0b", "a group")]
    [InlineData("0a05616263", "a length beyond the end")]
    [InlineData("0affffffffffffffffff01", "a length of 2^64 - 1")]
    [InlineData("08ffffffffffffffffffff01", "a varint of eleven bytes")]
    [InlineData("08ff", "a varint without an end")]
    [InlineData("09010203", "a fixed64 of three bytes")]
    public void A_broken_message_is_refused_where_it_breaks(string hex, string why)
    {
        var wire = new WireReader(Convert.FromHexString(hex));
        while (wire.Next(out _))
            wire.Skip();
        Assert.True(wire.Failed, why);
    }

    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 4)];

    /// <summary>
    /// Changed, cut and doubled messages end in a fault or a request whose tensors lie within bounds.
    /// </summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Mutations_of_a_request_never_break_the_server(int seed)
    {
        await using var server = await Tests.Server.TestServer.StartAsync(GrpcServer.Folder());
        using var client = GrpcCalls.Client(server);
        var random = new Random(seed);
        byte[][] whole = [Proto.Row("echo", "a"), GrpcServer.MixedRow(), Proto.Message(
            Proto.Text(1, "echo"), Proto.Input("x", "FP32", [1, 4], Proto.Bytes(5, Proto.Bytes(6, Proto.Floats(1, 2, 3,
                4)))))];
        for (var i = 0; i < 250; i++)
        {
            var message = (byte[])whole[random.Next(whole.Length)].Clone();
            for (var change = random.Next(1, 4); change > 0; change--)
                message[random.Next(message.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0)
                message = message[..random.Next(message.Length)];
            var reply = await client.InferAsync(message);
            Assert.Contains(reply.Status, new[] { 0, 3, 5, 12, 13, 14, 8, 4 });
            Assert.DoesNotContain("internal error", reply.Text, StringComparison.Ordinal);
        }

        await server.AssertAliveAsync();
        Assert.Equal(0, (await server.GetAsync("/admin/v1/server")).Json.GetProperty("body_bytes_held").GetInt64());
    }

    [Fact]
    public void Every_fault_has_a_status_and_only_passing_ones_are_UNAVAILABLE() => Assert.All(
        Enum.GetValues<FaultKind>(), kind => Assert.True(
            GrpcMapping.Status(kind) is not GrpcStatus.Unavailable || FaultMapping.IsRetryAfterDue(kind)
                || FaultMapping.Status(kind) == 502,
            $"{kind}"));
}
