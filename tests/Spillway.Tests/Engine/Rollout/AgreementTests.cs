using System.Runtime.InteropServices;
using System.Text;
using Spillway.Engine.Rollout;

namespace Spillway.Tests.Engine.Rollout;

public sealed class AgreementTests
{
    [Theory]
    [InlineData(1f, 1f, true)]
    [InlineData(1f, 1.0009f, true)]
    [InlineData(1f, 1.002f, false)]
    [InlineData(float.NaN, float.NaN, true)]
    [InlineData(float.NaN, 1f, false)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity, true)]
    [InlineData(float.PositiveInfinity, float.NegativeInfinity, false)]
    [InlineData(0f, -0f, true)]
    public void Floats_may_differ_by_a_thousandth(float one, float other, bool agrees)
    {
        Assert.Equal(agrees, Agreement.Of(Set(DataType.Float32, [2f, one]), Set(DataType.Float32, [2f, other])));
        Assert.Equal(agrees, Agreement.Of(
            Set(DataType.Float64, [2d, (double)one]), Set(DataType.Float64, [2d, (double)other])));
    }

    [Fact]
    public void Halves_are_compared_as_numbers()
    {
        Assert.True(Agreement.Of(Set(DataType.Float16, [(Half)0.5f]), Set(DataType.Float16, [(Half)0.5005f])));
        Assert.False(Agreement.Of(Set(DataType.Float16, [(Half)0.5f]), Set(DataType.Float16, [(Half)0.51f])));
        // The upper halves of 0.0078125 and of its neighbour.
        Assert.True(Agreement.Of(Set(DataType.BFloat16, [(ushort)0x3c00]), Set(DataType.BFloat16, [(ushort)0x3c01])));
        Assert.False(Agreement.Of(Set(DataType.BFloat16, [(ushort)0x3f80]), Set(DataType.BFloat16, [(ushort)0x3f81])));
    }

    [Fact]
    public void Everything_else_is_the_same_or_not()
    {
        Assert.True(Agreement.Of(Set(DataType.Int32, [1, 2]), Set(DataType.Int32, [1, 2])));
        Assert.False(Agreement.Of(Set(DataType.Int32, [1, 2]), Set(DataType.Int32, [1, 3])));
        Assert.False(Agreement.Of(Text("Invoice"), Text("invoice")));
        Assert.True(Agreement.Of(Text("Invoice"), Text("Invoice")));
        Assert.False(Agreement.Of(Set(DataType.Int32, [1]), Set(DataType.UInt32, [1])));
    }

    [Fact]
    public void Other_shapes_and_missing_outputs_do_not_agree_and_more_outputs_do()
    {
        var (flat, tall) = (Set(DataType.Int32, [1, 2]), Set(DataType.Int32, [1, 2]));
        Shape shape = default;
        shape.TryAdd(2);
        shape.TryAdd(1);
        tall[0].Shape = shape;
        Assert.False(Agreement.Of(flat, tall));
        Assert.False(Agreement.Of(flat, new TensorSet()));
        tall = Set(DataType.Int32, [1, 2]);
        tall.Add() = new() { Port = 1, Type = DataType.Int32 };
        Assert.True(Agreement.Of(flat, tall));
    }

    private static TensorSet Text(string text) => Set(DataType.Bytes, Encoding.UTF8.GetBytes(text));

    private static TensorSet Set<T>(DataType type, T[] values)
        where T : struct
    {
        Shape shape = default;
        shape.TryAdd(values.Length);
        var set = new TensorSet();
        set.Add() = new() { Type = type, Shape = shape, Data = MemoryMarshal.AsBytes(values.AsSpan()).ToArray() };
        return set;
    }
}
