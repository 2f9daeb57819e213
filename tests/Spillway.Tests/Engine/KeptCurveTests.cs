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
            Assert.Null(measured.Known(first));
            var curve = measured.Keep(first, measured.Quick(replica, CancellationToken.None).Value);
            using var second = Load();
            Assert.Equal(curve.Single().Points, Measuring(second, rowsMax: 4).Known(second)!.Single().Points);
            Assert.Null(Measuring(second, rowsMax: 8).Known(second));
            Assert.Null(Measuring(second, rowsMax: 4, ("x", [1, 784])).Known(second));
        }
    }

    [Fact]
    public void A_long_look_of_an_earlier_process_is_not_taken_again()
    {
        using var first = Load();
        using (var replica = first.CreateReplica(0).Value)
        {
            var measured = Measuring(first, rowsMax: 2);
            measured.Keep(first, measured.Quick(replica, CancellationToken.None).Value);
            var curve = measured.Keep(first, measured.Refine(replica, static () => true)!);

            var again = Measuring(first, rowsMax: 2);
            Assert.Equal(curve.Single().Points, again.Known(first)!.Single().Points);
            Assert.Null(again.Refine(replica, static () => true));
        }
    }

    [Fact]
    public void Without_a_cache_every_load_measures()
    {
        using var model = Load("off");
        var calibration = Measuring(model, rowsMax: 2);
        calibration.Keep(model, calibration.Alike([new(1, TimeSpan.FromTicks(1))]));
        Assert.Null(calibration.Known(model));
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
