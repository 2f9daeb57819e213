using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Shared;

namespace Spillway.Tests.Runtimes.Onnx;

public sealed class OnnxLoadTests(OnnxFixture onnx) : IClassFixture<OnnxFixture>
{
    [Fact]
    public void Empty_file_is_said_to_be_empty() => Assert.Contains("is empty", onnx.LoadFault([]).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Corrupt_file_is_a_load_fault_or_loads_but_never_ends_the_process(int seed)
    {
        var random = new Random(seed);
        var model = OnnxModels.Simple();
        for (var round = 0; round < 50; round++)
        {
            var bytes = model[..random.Next(1, model.Length + 1)];
            for (var flips = random.Next(0, 4); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var outcome = new OnnxRuntime().Load(onnx.Source(bytes), CancellationToken.None);
            if (outcome.TryGet(out var loaded, out var fault))
                loaded.Dispose();
            else
                Assert.Equal(FaultKind.LoadFailed, fault.Kind);
        }
    }

    [Fact]
    public void Truncated_file_names_the_model_the_file_and_what_to_do()
    {
        var source = onnx.Source(OnnxModels.Tiny()[..5000]);
        var fault = new OnnxRuntime().Load(source, CancellationToken.None).Fault;
        Assert.Equal(FaultKind.LoadFailed, fault?.Kind);
        Assert.Contains(source.Name, fault!.Message, StringComparison.Ordinal);
        Assert.Contains(source.File, fault.Message, StringComparison.Ordinal);
        Assert.Contains("complete ONNX model", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_file_and_folder_are_told_apart()
    {
        var source = onnx.Source(OnnxModels.Simple());
        var folder = Path.GetDirectoryName(source.File)!;
        Assert.Contains("is a folder", Message(folder), StringComparison.Ordinal);
        Assert.Contains("cannot be read", Message(Path.Combine(folder, "absent.onnx")), StringComparison.Ordinal);
        Assert.Contains("cannot be read", Message(""), StringComparison.Ordinal);

        string Message(string file)
        {
            var fault = new OnnxRuntime().Load(source with { File = file }, CancellationToken.None).Fault;
            Assert.Equal(FaultKind.LoadFailed, fault?.Kind);
            return fault!.Message;
        }
    }

    [Fact]
    public void Output_that_is_a_sequence_is_refused_by_name()
    {
        var fault = onnx.LoadFault(new OnnxWriter().Input("x", OnnxWriter.Float, "n").SequenceOutput("parts", OnnxWriter.Float)
            .Node("SequenceConstruct", "x x", "parts").ToModel());
        Assert.Contains("output 'parts' is a sequence", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Element_type_that_the_protocol_lacks_is_refused_by_name()
    {
        var fault = onnx.LoadFault(OnnxModels.Identity(OnnxWriter.Complex64));
        Assert.Contains("complex64", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_dimensions_than_a_shape_holds_are_refused()
    {
        var dims = Enumerable.Repeat<object>(1, Shape.RankMax + 1).ToArray();
        var fault = onnx.LoadFault(new OnnxWriter().Input("x", OnnxWriter.Float, dims).Output("y", OnnxWriter.Float, dims)
            .Node("Identity", "x", "y").ToModel());
        Assert.Contains($"{Shape.RankMax + 1} dimensions", fault.Message, StringComparison.Ordinal);
        using var most = onnx.Load(new OnnxWriter().Input("x", OnnxWriter.Float, dims[1..]).Output("y", OnnxWriter.Float, dims[1..])
            .Node("Identity", "x", "y").ToModel());
        Assert.Equal(Shape.RankMax, most.Signature.Inputs[0].Shape.Rank);
    }

    [Fact]
    public void More_ports_than_a_signature_holds_are_refused()
    {
        var fault = onnx.LoadFault(Ports(Signature.PortsMax + 1));
        Assert.Contains($"{Signature.PortsMax + 1} inputs", fault.Message, StringComparison.Ordinal);
        using var most = onnx.Load(Ports(Signature.PortsMax));
        Assert.Equal(Signature.PortsMax, most.Signature.Inputs.Count);

        static byte[] Ports(int count)
        {
            var writer = new OnnxWriter().Output("y", OnnxWriter.Float, "N");
            for (var i = 0; i < count; i++)
                writer.Input($"x{i}", OnnxWriter.Float, "N");
            return writer.Node("Sum", string.Join(' ', Enumerable.Range(0, count).Select(static i => $"x{i}")), "y").ToModel();
        }
    }

    [Theory]
    [InlineData("N", "M", true)]
    [InlineData("N", 1, false)]
    [InlineData(1, "N", false)]
    public void Batched_means_that_every_first_dimension_is_variable(object input, object output, bool batched)
    {
        using var model = onnx.Load(new OnnxWriter()
            .Input("x", OnnxWriter.Float, input, 2).Input("shape", OnnxWriter.Int64, "K").Output("y", OnnxWriter.Float, output, 2)
            .Node("Reshape", "x shape", "y").ToModel());
        Assert.Equal(batched, model.Signature.Batched);
    }

    [Fact]
    public void Provider_that_the_library_lacks_is_a_fault_that_lists_those_present()
    {
        var fault = onnx.LoadFault(OnnxModels.Simple(), new OnnxOptions { Provider = "tpu" });
        Assert.Equal(FaultKind.LoadFailed, fault.Kind);
        Assert.Contains("'tpu'", fault.Message, StringComparison.Ordinal);
        Assert.Contains("cpu", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cores_are_shared_out_among_runs_by_their_threads()
    {
        using var narrow = onnx.Load(OnnxModels.Simple());
        using var wide = onnx.Load(OnnxModels.Simple(), new OnnxOptions { IntraOpThreads = 2 * Environment.ProcessorCount });
        Assert.Equal(new Device("cpu", Environment.ProcessorCount), Assert.Single(narrow.Traits.Devices));
        Assert.Equal(new Device("cpu", 1), Assert.Single(wide.Traits.Devices));
    }

    [Theory]
    [InlineData("all")]
    [InlineData("extended")]
    [InlineData("basic")]
    [InlineData("none")]
    public void Every_word_of_optimization_loads(string word)
    {
        using var model = onnx.Load(OnnxModels.Simple(), new OnnxOptions
        {
            Optimization = word, MemoryArena = false, Spinning = true, IntraOpThreads = 2, InterOpThreads = 2,
        });
        Assert.True(model.Signature.Batched);
    }

    [Fact]
    public void Cancelled_load_is_a_cancelled_fault()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Equal(FaultKind.Cancelled, new OnnxRuntime().Load(onnx.Source(OnnxModels.Simple()), cancelled.Token).Fault?.Kind);
    }
}
