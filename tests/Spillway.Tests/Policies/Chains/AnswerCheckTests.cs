using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Spillway.Policies.Chains;

namespace Spillway.Tests.Policies.Chains;

public sealed class AnswerCheckTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Fact]
    public void Plain_answers_are_fit()
    {
        Assert.Null(Floats(new(), [2, 2], 0, -1, float.MaxValue, float.Epsilon));
        Assert.Null(Texts(new(), "a", "é"));
        Assert.Null(new AnswerCheck(new()).Judge(DataType.Int64, new([1]), new byte[8]));
    }

    [Fact]
    public void Empty_answers_are_unfit_unless_that_is_allowed()
    {
        Assert.Equal("it is empty", Floats(new(), [0, 4]));
        Assert.Equal("element 1 is empty", Texts(new(), "a", ""));
        Assert.Null(Floats(new() { NotEmpty = false }, [0, 4]));
        Assert.Null(Texts(new() { NotEmpty = false }, "a", ""));
    }

    [Theory]
    [InlineData(DataType.Float16)]
    [InlineData(DataType.BFloat16)]
    [InlineData(DataType.Float32)]
    [InlineData(DataType.Float64)]
    public void Numbers_that_are_none_are_found_in_every_type(DataType type)
    {
        foreach (var value in (double[])[double.NaN, double.PositiveInfinity, double.NegativeInfinity])
        {
            Assert.Equal("element 2 of 3 is no finite number", Judge(new(), type, 1, -5, value));
            Assert.Null(Judge(new() { Finite = false }, type, 1, -5, value));
        }

        Assert.Null(Judge(new(), type, 0, -0.0, 30_000));
    }

    [Fact]
    public void Least_sure_row_decides()
    {
        var check = new AnswerCheckOptions { ConfidenceMin = 0.8 };
        Assert.Null(Floats(check, [2, 3], 0.1f, 0.9f, 0, 0.81f, 0, 0.1f));
        Assert.Equal(
            "the confidence of row 1 is 0.79, at least 0.8 is asked for",
            Floats(check, [2, 3], 0.1f, 0.9f, 0, 0.79f, 0, 0.1f));
        Assert.Equal("the confidence of row 0 is NaN, at least 0.8 is asked for",
            Floats(check with { Finite = false }, [1, 2], float.NaN, 0.9f));
        Assert.Equal(
            "it holds INT32 and no confidence", new AnswerCheck(check).Judge(DataType.Int32, new([1]), new byte[4]));
    }

    [Fact]
    public void Texts_must_match_the_pattern_and_are_not_told()
    {
        var check = new AnswerCheckOptions { Pattern = @"^\d{4}-\p{L}+$" };
        Assert.Null(Texts(check, "2026-Ü"));
        var reason = Texts(check, "2026-a", "secret")!;
        Assert.Equal("element 1 does not match the pattern", reason);
        Assert.Equal("it holds FP32 and no texts to match a pattern", Floats(check, [1], 1));
        Assert.Contains("up to 65536", Texts(check, new string('a', 65_537))!, StringComparison.Ordinal);
        Assert.Equal("element 0 does not match the pattern", Texts(check, new string('a', 60_000)));
    }

    [Fact]
    public void Pattern_that_defeats_backtracking_takes_no_time()
    {
        var check = new AnswerCheckOptions { Pattern = "^(a+)+$" };
        Assert.Equal("element 0 does not match the pattern", Texts(check, new string('a', 50_000) + "!"));
        Assert.NotNull(AnswerCheck.Problem(new() { Pattern = @"(a)\1" }));
        Assert.NotNull(AnswerCheck.Problem(new() { Pattern = "(" }));
        Assert.Null(AnswerCheck.Problem(check));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Bytes_that_lie_are_unfit_and_do_no_harm(int seed)
    {
        var random = new Random(seed);
        var check = new AnswerCheck(new() { ConfidenceMin = 0.5, Finite = false });
        for (var i = 0; i < 5000; i++)
        {
            var data = new byte[random.Next(40)];
            random.NextBytes(data);
            if (random.Next(2) == 0 && data.Length >= 4)
                BinaryPrimitives.WriteInt32LittleEndian(data, random.Next(20));
            var shape = new Shape([.. Enumerable.Range(0, random.Next(4)).Select(_ => (long)random.Next(0, 5))]);
            var type = (DataType)random.Next(14);
            var reason = check.Judge(type, shape, data);
            Assert.True(shape.TryCount(out var count));
            if (type.Size() > 0 && count * type.Size() != data.Length)
                Assert.StartsWith($"its {data.Length} bytes are not what", reason, StringComparison.Ordinal);
        }
    }

    private static string? Floats(AnswerCheckOptions options, long[] shape, params float[] values) =>
        new AnswerCheck(options).Judge(DataType.Float32, new(shape), MemoryMarshal.AsBytes(values.AsSpan()));

    private static string? Texts(AnswerCheckOptions options, params string[] texts)
    {
        using var data = new MemoryStream();
        foreach (var text in texts)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            data.Write(BitConverter.GetBytes((uint)bytes.Length));
            data.Write(bytes);
        }

        return new AnswerCheck(options).Judge(DataType.Bytes, new([texts.Length]), data.ToArray());
    }

    private static string? Judge(AnswerCheckOptions options, DataType type, params double[] values)
    {
        using var data = new MemoryStream();
        foreach (var value in values)
        {
            data.Write(type switch
            {
                DataType.Float16 => BitConverter.GetBytes((Half)value),
                DataType.BFloat16 => BitConverter.GetBytes((float)value)[2..],
                DataType.Float32 => BitConverter.GetBytes((float)value),
                _ => BitConverter.GetBytes(value),
            });
        }

        return new AnswerCheck(options).Judge(type, new([values.Length]), data.ToArray());
    }
}
