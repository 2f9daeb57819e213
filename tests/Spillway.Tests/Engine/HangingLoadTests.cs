using Microsoft.Extensions.Logging.Abstractions;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Runtimes;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine;

/// <summary>
/// Loads that throw or hang: the other models, the reloads and the server's end do not depend on them.
/// </summary>
public sealed class HangingLoadTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TrickyRuntime _runtime = new();
    private IReadOnlyList<ModelOptions> _models = [];

    [Fact]
    public async Task A_surprise_before_a_load_fails_that_model_and_the_next_ones_are_loaded()
    {
        await using var serving = Serve("surprise", "fine");
        serving.Models.Canary = new(new(new() { Command = ["no such program"] }, _time), always: false);
        serving.Start();
        await serving.Loaded.WaitAsync(TestServer.Patience);

        var failed = serving.Find("surprise")!.Route;
        Assert.Equal(RouteState.Failed, failed.State);
        Assert.Contains("ArgumentException", failed.Why, StringComparison.Ordinal);
        Assert.Equal(RouteState.Ready, serving.Find("fine")!.Route.State);
        Assert.NotNull(await serving.Models.LoadAsync(Model("surprise")));
        serving.Models.Canary = null;
        Assert.Null(await serving.Models.LoadAsync(Model("fine")));
    }

    [Fact]
    public async Task A_load_that_hangs_at_the_start_holds_up_neither_the_other_models_nor_the_servers_end()
    {
        var serving = Serve("hangs", "fine");
        serving.Start();
        Assert.True(_runtime.Hanging.Wait(TestServer.Patience));
        Assert.Equal(RouteState.Loading, serving.Find("fine")!.Route.State);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.True(SpinWait.SpinUntil(
            () => serving.Find("fine")!.Route.State is RouteState.Ready, TestServer.Patience));
        Assert.False(serving.Loaded.IsCompleted);

        Assert.True(await serving.DrainAsync(TimeSpan.FromSeconds(1)));

        await serving.Loaded.WaitAsync(TestServer.Patience);
        var end = serving.DisposeAsync().AsTask();
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return end.IsCompleted;
            }, TestServer.Patience));
        await end;
    }

    [Fact]
    public async Task A_load_that_was_late_does_not_take_the_place_of_a_newer_one()
    {
        await using var serving = Serve("hangs");
        serving.Start();
        Assert.True(_runtime.Hanging.Wait(TestServer.Patience));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(await serving.Models.LoadAsync(Model("hangs")));
        var newer = serving.Find("hangs")!.Deployment;
        Assert.NotNull(newer);

        _runtime.Release.Set();
        await serving.Loaded.WaitAsync(TestServer.Patience);

        Assert.Same(newer, serving.Find("hangs")!.Deployment);
    }

    public void Dispose()
    {
        _runtime.Release.Set();
        _runtime.Dispose();
    }

    private Serving Serve(params string[] models)
    {
        using var folder = TestServer.Folder("", [.. models.Select(m => (m, TestServer.Simulated()))]);
        var loaded = ConfigLoader.Load(
            folder.PathOf("spillway.yaml"), Composition.RuntimeOptions, new Dictionary<string, string>());
        Assert.True(loaded.Valid, ConfigErrorText.Format(loaded.Errors));
        var snapshot = Snapshot.From(loaded, number: 1, DateTimeOffset.UnixEpoch);
        _models = snapshot.Models;
        return new(snapshot, new Dictionary<string, IRuntime> { ["simulated"] = _runtime }, new(_time),
            NullLogger<Serving>.Instance);
    }

    private ModelOptions Model(string name) => _models.Single(m => m.Name == name);

    /// <summary>
    /// The simulated runtime with faults of a native one: the first load of "hangs" does not end and cannot be
    /// cancelled, and looking for a proof of "surprise" throws.
    /// </summary>
    private sealed class TrickyRuntime : IRuntime, IProofStore, IDisposable
    {
        private readonly SimulatedRuntime _inner = new(TimeProvider.System);
        private int _hung;

        public ManualResetEventSlim Hanging { get; } = new();

        public ManualResetEventSlim Release { get; } = new();

        public string Name => "simulated";

        public Type OptionsType => typeof(SimulatedOptions);

        public IProofStore Proofs => this;

        public Outcome<ILoadedModel> Load(ModelSource source, CancellationToken cancellation)
        {
            if (source.Name == "hangs" && Interlocked.Exchange(ref _hung, 1) == 0)
            {
                Hanging.Set();
                Release.Wait(CancellationToken.None);
                return _inner.Load(source, CancellationToken.None);
            }

            return _inner.Load(source, cancellation);
        }

        public string? Find(ModelSource source, string conditions) =>
            source.Name == "surprise" ? throw new ArgumentException("Null character in path.") : null;

        public void Save(ModelSource source, string conditions, string? text)
        {
        }

        public void Dispose() => Hanging.Dispose();
    }
}
