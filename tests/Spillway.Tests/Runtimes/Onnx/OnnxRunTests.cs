using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Shared;
using Spillway.Tests.Conformance;

namespace Spillway.Tests.Runtimes.Onnx;

public sealed class OnnxRunTests(OnnxFixture onnx) : IClassFixture<OnnxFixture>
{
    public static TheoryData<DataType> Types => [.. Enum.GetValues<DataType>()];

    public static TheoryData<DataType> NumberTypes => [.. Enum.GetValues<DataType>().Where(static type => type.Size() > 0)];

    [Fact]
    public void Several_inputs_and_outputs_come_back_apart_and_in_order()
    {
        using var model = onnx.Load(OnnxModels.Simple());
        using var replica = model.CreateReplica(0).Value;
        var items = Enumerable.Range(1, 3).Select(static n => new RunItem { RowsGiven = n }
            .With(DataType.Int32, [n, 16], RunItem.Bytes(Enumerable.Range(100 * n, 16 * n).ToArray()))
            .With(DataType.Int32, [n, 16], RunItem.Bytes(Enumerable.Repeat(n, 16 * n).ToArray()))).ToArray();

        Assert.Null(replica.Run(items, new RunMarks()));

        for (var n = 1; n <= 3; n++)
        {
            var item = items[n - 1];
            Assert.Equal([0, 1], item.Outputs.Select(static output => output.Port));
            Assert.All(item.Outputs, output => Assert.Equal(new Shape([n, 16]), output.Shape));
            Assert.Equal(Enumerable.Range(101 * n, 16 * n), item.Numbers<int>(0));
            Assert.Equal(Enumerable.Range(99 * n, 16 * n), item.Numbers<int>(1));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Signature_names_the_element_type(DataType type)
    {
        using var model = onnx.Load(OnnxModels.Identity(OrtElements.ToNative(type)));
        var port = Assert.Single(model.Signature.Inputs);
        Assert.Equal(("x", type, "[-1,4]"), (port.Name, port.Type, port.Shape.ToString()));
        Assert.Equal(type, Assert.Single(model.Signature.Outputs).Type);
        Assert.Equal("onnxruntime_onnx", model.Traits.Platform);
    }

    [Theory]
    [MemberData(nameof(NumberTypes))]
    public void Numbers_of_every_type_keep_their_bits(DataType type)
    {
        using var model = onnx.Load(OnnxModels.Identity(OrtElements.ToNative(type)));
        using var replica = model.CreateReplica(0).Value;
        var (one, two) = (Item(1), Item(2));
        Assert.Null(replica.Run([one, two], new RunMarks()));
        Assert.Equal(Data(1), one.Outputs[0].Data);
        Assert.Equal(Data(2), two.Outputs[0].Data);

        RunItem Item(int rows) => new RunItem { RowsGiven = rows }.With(type, [rows, 4], Data(rows));
        byte[] Data(int rows)
        {
            var data = new byte[rows * 4 * type.Size()];
            new Random(rows).NextBytes(data);
            return type == DataType.Bool ? [.. data.Select(static value => (byte)(value & 1))] : data;
        }
    }

    [Fact]
    public void Strings_survive_with_zero_bytes_emptiness_length_and_any_bytes()
    {
        using var model = onnx.Load(OnnxModels.Identity(OnnxWriter.Text));
        using var replica = model.CreateReplica(0).Value;
        var one = RunItem.Texts("", "a\0b", "Straße €", new string('x', 5000));
        byte[] odd = [2, 0, 0, 0, 0xFF, 0xFE, .. RunItem.Texts("\0", "", "end")];
        var (first, second) = (Item(1, one), Item(2, [.. odd, .. one]));
        Assert.Null(replica.Run([first, second], new RunMarks()));
        Assert.Equal(one, first.Outputs[0].Data);
        Assert.Equal([.. odd, .. one], second.Outputs[0].Data);
        Assert.Equal(new Shape([2, 4]), second.Outputs[0].Shape);

        var empty = Item(1, RunItem.Texts("", "", "", ""));
        Assert.Null(replica.Run([empty], new RunMarks()));
        Assert.Equal(RunItem.Texts("", "", "", ""), empty.Outputs[0].Data);

        static RunItem Item(int rows, byte[] data) => new RunItem { RowsGiven = rows }.With(DataType.Bytes, [rows, 4], data);
    }

    [Theory]
    [InlineData("")]
    [InlineData("01000000")]
    [InlineData("FFFFFFFF")]
    [InlineData("00000000000000000000000000000000000000")]
    [InlineData("0000000000000000000000000000000000000000")]
    [InlineData("00000000000000000000000001000000")]
    public void Strings_whose_lengths_lie_are_invalid_input(string hex)
    {
        using var model = onnx.Load(OnnxModels.Identity(OnnxWriter.Text));
        using var replica = model.CreateReplica(0).Value;
        var item = new RunItem().With(DataType.Bytes, [1, 4], Convert.FromHexString(hex));
        Assert.Equal(FaultKind.InvalidInput, replica.Run([item], new RunMarks())?.Kind);
        Assert.Empty(item.Outputs);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(32)]
    public void Bytes_that_do_not_fill_the_shape_are_invalid_input(int length)
    {
        using var model = onnx.Load(OnnxModels.Identity(OnnxWriter.Float));
        using var replica = model.CreateReplica(0).Value;
        var item = new RunItem().With(DataType.Float32, [1, 4], new byte[length]);
        var fault = replica.Run([item], new RunMarks());
        Assert.Equal(FaultKind.InvalidInput, fault?.Kind);
        Assert.Contains($"{length} bytes", fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shapes_of_one_batch_that_differ_beyond_the_rows_are_invalid_input()
    {
        using var model = onnx.Load(new OnnxWriter().Input("x", OnnxWriter.Float, "N", "W").Output("y", OnnxWriter.Float, "N", "W")
            .Node("Identity", "x", "y").ToModel());
        using var replica = model.CreateReplica(0).Value;
        var wide = new RunItem().With([1, 6], new float[6]);
        var narrow = new RunItem { RowsGiven = 2 }.With([2, 3], new float[6]);
        Assert.Equal(FaultKind.InvalidInput, replica.Run([wide, narrow], new RunMarks())?.Kind);
        Assert.Null(replica.Run([narrow], new RunMarks()));
    }

    [Fact]
    public void Request_without_rows_gets_an_empty_output()
    {
        using var model = onnx.Load(OnnxModels.Simple());
        using var replica = model.CreateReplica(0).Value;
        var none = Rows(0);
        Assert.Null(replica.Run([none], new RunMarks()));
        Assert.Equal(new Shape([0, 16]), none.Outputs[0].Shape);
        Assert.Empty(none.Outputs[0].Data);

        var (before, after) = (Rows(1), Rows(1));
        none.Clear();
        Assert.Null(replica.Run([before, none, after], new RunMarks()));
        Assert.Equal(before.Outputs[0].Data, after.Outputs[0].Data);
        Assert.Empty(none.Outputs[1].Data);

        static RunItem Rows(int n) => new RunItem { RowsGiven = n }
            .With(DataType.Int32, [n, 16], new byte[n * 64]).With(DataType.Int32, [n, 16], new byte[n * 64]);
    }

    [Fact]
    public void Wrong_shape_is_invalid_input_in_the_librarys_words_cut_short()
    {
        using var model = onnx.Load(OnnxModels.Identity(OnnxWriter.Float));
        using var replica = model.CreateReplica(0).Value;
        var fault = replica.Run([new RunItem().With([1, 5], new float[5])], new RunMarks());
        Assert.Equal(FaultKind.InvalidInput, fault?.Kind);
        Assert.Contains("Expected: 4", fault!.Message, StringComparison.Ordinal);
        Assert.Equal(OrtError.TextMax, new OrtError(OrtErrorCode.Fail, new string('m', 9999)).Text.Length);
    }

    [Fact]
    public void Native_failures_that_are_not_the_inputs_fault_are_runtime_faults()
    {
        Assert.Equal(FaultKind.InvalidInput, new OrtError(OrtErrorCode.InvalidArgument, "m").ToRunFault("n").Kind);
        Assert.Equal(FaultKind.RuntimeFailed, new OrtError(OrtErrorCode.Fail, "m").ToRunFault("n").Kind);
        Assert.Equal(FaultKind.RuntimeFailed, new OrtError((OrtErrorCode)11, "m").ToRunFault("n").Kind);
    }

    [Fact]
    public void Model_that_does_not_keep_rows_apart_serves_one_request_a_run_only()
    {
        using var model = onnx.Load(OnnxModels.Liar());
        using var replica = model.CreateReplica(0).Value;
        var (one, two) = (Row(), Row());
        var fault = replica.Run([one, two], new RunMarks());
        Assert.Equal(FaultKind.RuntimeFailed, fault?.Kind);
        Assert.Contains("batchRowsMax", fault!.Message, StringComparison.Ordinal);
        Assert.Empty(one.Outputs);

        var pair = new RunItem { RowsGiven = 2 }.With([2, 4], 1, 2, 3, 4, 10, 20, 30, 40);
        Assert.Null(replica.Run([pair], new RunMarks()));
        Assert.Equal(new Shape([1, 4]), pair.Outputs[0].Shape);
        Assert.Equal([1f, 2, 3, 4], pair.Numbers<float>(0));

        static RunItem Row() => new RunItem().With([1, 4], 1, 2, 3, 4);
    }

    [Fact]
    public void Model_without_batch_dimension_refuses_two_requests_in_one_run()
    {
        using var model = onnx.Load(OnnxModels.Fixed());
        using var replica = model.CreateReplica(0).Value;
        var item = new RunItem().With([2, 3], 1, 2, 3, 4, 5, 6).With([2, 3], 10, 20, 30, 40, 50, 60);
        Assert.Equal(FaultKind.Internal, replica.Run([item, item], new RunMarks())?.Kind);
        Assert.Null(replica.Run([item], new RunMarks()));
        Assert.Equal([11f, 22, 33, 44, 55, 66], item.Numbers<float>(0));
    }

    [Fact]
    public void Replica_outlives_its_model()
    {
        var model = onnx.Load(OnnxModels.Identity(OnnxWriter.Float));
        using var replica = model.CreateReplica(0).Value;
        model.Dispose();
        var item = new RunItem().With([1, 4], 1, 2, 3, 4);
        Assert.Null(replica.Run([item], new RunMarks()));
        Assert.Equal([1f, 2, 3, 4], item.Numbers<float>(0));
    }

    [Fact]
    public void Exception_of_an_item_passes_through_and_the_next_run_works()
    {
        using var model = onnx.Load(OnnxModels.Identity(OnnxWriter.Float));
        using var replica = model.CreateReplica(0).Value;
        var item = new RunItem().With([1, 4], 1, 2, 3, 4);
        var marks = new RunMarks(static stage =>
        {
            if (stage == Stage.Execute)
                throw new InvalidOperationException("as a bug would");
        });
        Assert.Throws<InvalidOperationException>(() => replica.Run([item], marks));
        Assert.Null(replica.Run([item], new RunMarks()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void Run_of_numbers_allocates_nothing(int requests)
    {
        using var model = onnx.Load(OnnxModels.Simple());
        using var replica = model.CreateReplica(0).Value;
        var batch = Enumerable.Range(0, requests).Select(static _ => new QuietItem()).ToArray<WorkItem>();
        var control = new QuietControl();
        for (var warm = 0; warm < 100; warm++)
            Assert.Null(replica.Run(batch, control));

        // The least of several rounds: the run itself allocates in each or in none, the just-in-time compiler once.
        var least = Enumerable.Range(0, 10).Min(round =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var run = 0; run < 100; run++)
                replica.Run(batch, control);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        Assert.Equal(0, least);
    }

    private sealed class QuietItem : WorkItem
    {
        public QuietItem()
        {
            for (var port = 0; port < 2; port++)
            {
                ref var tensor = ref Inputs.Add();
                (tensor.Port, tensor.Type, tensor.Shape, tensor.Data) = (port, DataType.Int32, new Shape([1, 16]), new byte[64]);
            }
        }

        public override TensorSet Inputs { get; } = new();

        public override int Rows => 1;

        public override void Output(int port, in Shape shape, ReadOnlySpan<byte> data)
        {
        }
    }

    private sealed class QuietControl : RunControl
    {
        public override void Mark(Stage stage)
        {
        }
    }
}
