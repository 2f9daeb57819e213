using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Spillway.Transforms.Text;

namespace Spillway.Tests.Transforms.Text;

public sealed class ClassificationTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    [Fact]
    public void The_best_classes_of_each_row_come_with_value_index_and_label()
    {
        float[] scores = [0.1f, 0.7f, 0.2f, 5, -1, 1e10f];
        var labels = LabelFile.Parse("cat\ndög\n\n"u8, spaceLast: false, "labels").Value;
        Assert.Equal(
            ["0.700000:1:dög", "0.200000:2:", "10000000000.000000:2:", "5.000000:0:cat"],
            Texts(scores, DataType.Float32, [2, 3], batched: true, k: 2, labels));
        Assert.Equal(new Shape([2, 2]), Classification.ShapeOf(new([2, 3]), batched: true, k: 2));
    }

    [Fact]
    public void Without_rows_the_whole_output_is_one_list_and_k_stops_at_the_classes()
    {
        Assert.Equal(
            ["6:5", "5:4", "4:3", "3:2", "2:1", "1:0"],
            Texts<int>([1, 2, 3, 4, 5, 6], DataType.Int32, [2, 3], batched: false, k: 100));
        Assert.Equal(new Shape([6]), Classification.ShapeOf(new([2, 3]), batched: false, k: 100));
        Assert.Equal(new Shape([2, 6]), Classification.ShapeOf(new([2, 2, 3]), batched: true, k: int.MaxValue));
        Assert.Equal(new Shape([1]), Classification.ShapeOf(default, batched: false, k: 3));
    }

    [Fact]
    public void A_class_beyond_the_labels_has_none()
    {
        var labels = LabelFile.Parse("a\n"u8, spaceLast: false, "labels").Value;
        Assert.Equal(["2:1", "1:0:a"], Texts<byte>([1, 2], DataType.UInt8, [1, 2], batched: true, k: 2, labels));
    }

    [Fact]
    public void Every_number_type_is_taken_with_its_extremes()
    {
        Assert.Equal(["18446744073709551615:1", "0:0"], Texts<ulong>([0, ulong.MaxValue], DataType.UInt64, [2]));
        Assert.Equal(["1:1", "-9223372036854775808:0"], Texts<long>([long.MinValue, 1], DataType.Int64, [2]));
        Assert.Equal(["4294967295:0", "7:1"], Texts<uint>([uint.MaxValue, 7], DataType.UInt32, [2]));
        Assert.Equal(["65535:0", "7:1"], Texts<ushort>([ushort.MaxValue, 7], DataType.UInt16, [2]));
        Assert.Equal(["1:1", "-128:0"], Texts<sbyte>([-128, 1], DataType.Int8, [2]));
        Assert.Equal(["1:1", "-32768:0"], Texts<short>([short.MinValue, 1], DataType.Int16, [2]));
        Assert.Equal(["0.500000:1", "-1.000000:0"], Texts<Half>([(Half)(-1), (Half)0.5], DataType.Float16, [2]));
        double[] infinite = [double.NegativeInfinity, double.PositiveInfinity];
        Assert.Equal(["inf:1", "-inf:0"], Texts(infinite, DataType.Float64, [2]));
        var huge = Texts<double>([double.MinValue], DataType.Float64, [1]).Single();
        Assert.Equal(double.MinValue, double.Parse(huge[..^2], CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(DataType.Bool)]
    [InlineData(DataType.BFloat16)]
    [InlineData(DataType.Bytes)]
    public void What_cannot_be_ordered_is_refused_before_it_runs(DataType type)
    {
        var fault = Classification.Check(new("y", type, new([-1, 4])));
        Assert.Equal(FaultKind.InvalidInput, fault!.Kind);
        Assert.StartsWith("class result not available for output 'y' due to unsupported type", fault.Message);
        Assert.Throws<ArgumentOutOfRangeException>(
            () => Classification.Write(new byte[8], type, new([2]), false, 1, null, new ArrayBufferWriter<byte>()));
    }

    [Fact]
    public void A_score_that_is_no_number_is_named()
    {
        var scores = MemoryMarshal.AsBytes<float>([1, 2, 3, float.NaN]);
        var fault = Classification.Write(
            scores, DataType.Float32, new([2, 2]), batched: true, 1, null, new ArrayBufferWriter<byte>());
        Assert.Equal(FaultKind.RuntimeFailed, fault!.Kind);
        Assert.Contains("class 1 in row 1", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(2, 0)]
    public void Nothing_to_classify_gives_nothing(long rows, long classes)
    {
        Assert.Empty(Texts<float>([], DataType.Float32, [rows, classes], batched: true, k: 3));
        Assert.True(Classification.ShapeOf(new([rows, classes]), batched: true, k: 3).TryCount(out var count));
        Assert.Equal(0, count);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Agrees_with_sorting_everything_and_ties_go_to_the_lower_class(int seed)
    {
        var random = new Random(seed);
        var (rows, classes) = (random.Next(1, 5), random.Next(1, 400));
        var most = seed % 2 == 0 ? 10 : 100_000;
        var scores = Enumerable.Range(0, rows * classes).Select(_ => random.Next(most)).ToArray();
        var k = random.Next(1, classes + 3);
        var expected = Enumerable.Range(0, rows).SelectMany(row => Enumerable.Range(0, classes)
            .OrderByDescending(i => scores[(row * classes) + i]).ThenBy(i => i).Take(k)
            .Select(i => $"{scores[(row * classes) + i]}:{i}"));
        Assert.Equal(expected, Texts(scores, DataType.Int32, [rows, classes], batched: true, k: k));
    }

    private static List<string> Texts<T>(
        T[] scores, DataType type, long[] shape, bool batched = false, int k = 10, LabelFile? labels = null)
        where T : unmanaged
    {
        var text = new ArrayBufferWriter<byte>();
        Assert.Null(Classification.Write(MemoryMarshal.AsBytes<T>(scores), type, new(shape), batched, k, labels, text));
        var rest = text.WrittenSpan;
        var texts = new List<string>();
        while (!rest.IsEmpty)
        {
            var length = BitConverter.ToInt32(rest);
            texts.Add(Encoding.UTF8.GetString(rest.Slice(4, length)));
            rest = rest[(4 + length)..];
        }

        Assert.True(Classification.ShapeOf(new(shape), batched, k).TryCount(out var count));
        Assert.Equal(count, texts.Count);
        return texts;
    }
}
