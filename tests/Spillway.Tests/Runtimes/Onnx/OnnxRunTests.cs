using Spillway.Shared;
using Spillway.Tests.Conformance;

namespace Spillway.Tests.Runtimes.Onnx;

public sealed class OnnxRunTests(OnnxFixture onnx) : IClassFixture<OnnxFixture>
{
    [Fact]
    public void Rows_of_several_requests_run_together_and_come_back_apart()
    {
        using var model = onnx.Load(OnnxModels.Simple());
        using var replica = model.CreateReplica(0).Value;
        var items = Enumerable.Range(1, 3).Select(static n => new RunItem { RowsGiven = n }
            .With(DataType.Int32, [n, 16], RunItem.Bytes(Enumerable.Range(100 * n, 16 * n).ToArray()))
            .With(DataType.Int32, [n, 16], RunItem.Bytes(Enumerable.Repeat(n, 16 * n).ToArray()))).ToArray();

        var marks = new RunMarks();
        Assert.Null(replica.Run(items, marks));

        Assert.Equal([Stage.Batch, Stage.Execute], marks.Marks);
        for (var n = 1; n <= 3; n++)
        {
            var item = items[n - 1];
            Assert.Equal([0, 1], item.Outputs.Select(static output => output.Port));
            Assert.All(item.Outputs, output => Assert.Equal(new Shape([n, 16]), output.Shape));
            Assert.Equal(Enumerable.Range(101 * n, 16 * n), item.Numbers<int>(0));
            Assert.Equal(Enumerable.Range(99 * n, 16 * n), item.Numbers<int>(1));
        }
    }
}
