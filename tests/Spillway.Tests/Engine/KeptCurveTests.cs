using Spillway.Engine;
using Spillway.Policies.Batching;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Shared;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Engine;

public sealed class KeptCurveTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void A_measured_curve_is_known_at_the_next_load_with_the_same_shapes_and_sizes()
    {
        using var first = Load();
        using (var replica = first.CreateReplica(0).Value)
        {
            var measured = Measuring(first, rowsMax: 4);
            Assert.Null(measured.Known(first.Curves!));
            var curve = measured.Keep(first.Curves!, measured.Quick(replica, CancellationToken.None).Value);
            using var second = Load();
            Assert.Equal(curve.Single().Points, Measuring(second, rowsMax: 4).Known(second.Curves!)!.Single().Points);
            Assert.Null(Measuring(second, rowsMax: 8).Known(second.Curves!));
            Assert.Null(Measuring(second, rowsMax: 4, ("x", [1, 784])).Known(second.Curves!));
        }
    }

    [Fact]
    public void A_long_look_of_an_earlier_process_is_not_taken_again()
    {
        using var first = Load();
        using (var replica = first.CreateReplica(0).Value)
        {
            var measured = Measuring(first, rowsMax: 2);
            measured.Keep(first.Curves!, measured.Quick(replica, CancellationToken.None).Value);
            var curve = measured.Keep(first.Curves!, measured.Refine(replica, static () => true)!);

            var again = Measuring(first, rowsMax: 2);
            Assert.Equal(curve.Single().Points, again.Known(first.Curves!)!.Single().Points);
            Assert.Null(again.Refine(replica, static () => true));
        }
    }

    [Fact]
    public void Without_a_cache_a_curve_is_kept_in_memory_for_the_next_load()
    {
        using var model = Load("off");
        Assert.Null(model.Curves);
        var (memory, calibration) = (new CurveMemory(), Measuring(model, rowsMax: 2));
        Assert.Null(calibration.Known(memory));
        calibration.Keep(memory, calibration.Alike([new(1, TimeSpan.FromTicks(1))]));
        Assert.Equal(1, calibration.Known(memory)!.Single().Points.Single().Time.Ticks);
    }

    public void Dispose() => _folder.Dispose();

    private static Calibration Measuring(
        ILoadedModel model, int rowsMax, params (string Input, long[] Shape)[] typical) => new(
        model.Signature, typical.ToDictionary(static t => t.Input, static t => (IReadOnlyList<long>)t.Shape),
        new BatchingOptions { BatchRowsMax = rowsMax }, new Clock(TimeProvider.System), Lengths.None);

    private ILoadedModel Load(string? cache = null)
    {
        var options = new OnnxOptions { Cache = cache ?? Path.Combine(_folder.Path, "cache") };
        var source = new ModelSource("kept", _folder.Write("kept.onnx", OnnxModels.Tiny()), options);
        return new OnnxRuntime().Load(source, CancellationToken.None).Value;
    }
}
