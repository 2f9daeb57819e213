using Spillway.Client;

namespace Spillway.Tests.Client;

public sealed class InferenceInputTests
{
    [Fact]
    public void Every_type_of_number_keeps_its_value()
    {
        Same<bool>(DataType.Bool, true, false);
        Same<byte>(DataType.UInt8, 0, 255);
        Same<sbyte>(DataType.Int8, -128, 127);
        Same<ushort>(DataType.UInt16, 0, ushort.MaxValue);
        Same<short>(DataType.Int16, short.MinValue, 1);
        Same<uint>(DataType.UInt32, 0, uint.MaxValue);
        Same<int>(DataType.Int32, int.MinValue, 1);
        Same<ulong>(DataType.UInt64, 0, ulong.MaxValue);
        Same<long>(DataType.Int64, long.MinValue, 1);
        Same(DataType.Float16, Half.MinValue, Half.NaN);
        Same(DataType.Float32, float.Epsilon, float.NegativeInfinity);
        Same(DataType.Float64, double.MaxValue, double.NaN);
    }

    [Fact]
    public void The_wire_form_is_little_endian()
    {
        Assert.Equal([0x04, 0x03, 0x02, 0x01], InferenceInput.Of("x", [1], [0x01020304]).Data.ToArray());
        Assert.Equal([2, 0, 0, 0, 0xC3, 0xBC, 0, 0, 0, 0], InferenceInput.Strings("x", [2], "ü", "").Data.ToArray());
        Assert.Equal([1, 0, 0, 0, 9], InferenceInput.Bytes("x", [1], [9]).Data.ToArray());
    }

    [Fact]
    public void A_caller_may_use_its_array_again_at_once()
    {
        var mine = new[] { 1f };
        var input = InferenceInput.Of("x", [1], mine);
        mine[0] = 2;
        Assert.Equal([1f], new InferenceOutput("x", input.Type, input.Shape, input.Data).As<float>());
    }

    [Fact]
    public void What_cannot_be_a_tensor_is_refused_with_its_name()
    {
        Says("has 4 elements, and 3", () => InferenceInput.Of("x", [2, 2], [1f, 2f, 3f]));
        Says("negative dimension", () => InferenceInput.Of("x", [-1], [1f]));
        Says("at most 8", () => InferenceInput.Of("x", [1, 1, 1, 1, 1, 1, 1, 1, 1], [1f]));
        Says("No tensor holds Char", () => InferenceInput.Of("x", [1], ['a']));
        Says("has 1 elements, and 2", () => InferenceInput.Raw("x", DataType.BFloat16, [1], [0, 0, 0, 0]));
        Says("has 1 elements, and 0", () => InferenceInput.Strings("x", [1]));
    }

    private static void Same<T>(DataType type, params T[] values)
        where T : unmanaged
    {
        var input = InferenceInput.Of("x", [values.Length], values);
        Assert.Equal(type, input.Type);
        Assert.Equal(values, new InferenceOutput("x", input.Type, input.Shape, input.Data).As<T>());
    }

    private static void Says(string words, Action make) =>
        Assert.Contains(words, Assert.ThrowsAny<ArgumentException>(make).Message, StringComparison.Ordinal);
}
