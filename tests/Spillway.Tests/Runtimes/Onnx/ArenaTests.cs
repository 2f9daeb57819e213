using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Shared;

namespace Spillway.Tests.Runtimes.Onnx;

public sealed class ArenaTests(OnnxFixture onnx) : IClassFixture<OnnxFixture>
{
    private const int Spike = 4096;

    [Fact]
    public void Memory_grows_with_a_spike_and_is_given_back_when_it_is_over()
    {
        using var model = onnx.Load(OnnxModels.Tiny());
        using var replica = model.CreateReplica(0).Value;
        Run(model, replica, rows: 1, times: 1);
        var before = model.MemoryBytes!.Value;
        Run(model, replica, Spike, times: 1);
        var peak = model.MemoryBytes.Value;
        Run(model, replica, rows: 1, ArenaWatch.RunsMin);
        var after = model.MemoryBytes.Value;

        Assert.True(peak - before > 4_000_000, $"{before} -> {peak}");
        Assert.True(after - before < (peak - before) / 2, $"{before} -> {peak} -> {after}");

        // Once, and not after each run from now on.
        Run(model, replica, Spike, times: 1);
        Run(model, replica, rows: 1, times: 2);
        Assert.True(model.MemoryBytes.Value > before + ((peak - before) / 2));
    }

    [Fact]
    public void Without_an_arena_there_is_nothing_to_give_back()
    {
        using var model = onnx.Load(OnnxModels.Tiny(), new OnnxOptions { MemoryArena = false });
        using var replica = model.CreateReplica(0).Value;
        Run(model, replica, Spike, times: 1);
        Run(model, replica, rows: 1, ArenaWatch.RunsMin + 1);
    }

    [Fact]
    public void Runs_of_like_size_never_shrink_it()
    {
        var watch = new ArenaWatch();
        for (var run = 0; run < 1000; run++)
            Assert.False(watch.Decide(run % 2 == 0 ? 1000 : 600));
    }

    [Fact]
    public void Only_an_unbroken_row_of_small_runs_ends_a_spike()
    {
        var watch = new ArenaWatch();
        watch.Decide(1000);
        for (var run = 1; run < ArenaWatch.RunsMin; run++)
            Assert.False(watch.Decide(10));
        Assert.False(watch.Decide(1000));
        for (var run = 1; run < ArenaWatch.RunsMin; run++)
            Assert.False(watch.Decide(10));
        Assert.True(watch.Decide(10));
        Assert.False(watch.Decide(10));
    }

    private static void Run(ILoadedModel model, IBatchReplica replica, int rows, int times)
    {
        using var item = new TypicalItem(model.Signature, new Dictionary<string, IReadOnlyList<long>>(), rows);
        for (var i = 0; i < times; i++)
            Assert.Null(item.Run(replica));
    }
}
