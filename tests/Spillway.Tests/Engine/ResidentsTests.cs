using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Runtimes;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Config;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine;

/// <summary>
/// Loads within a memory budget that take long, hang, or are overtaken by what somebody says of the model meanwhile.
/// </summary>
public sealed class ResidentsTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromHours(1);

    private readonly ManualTimeProvider _time = new();
    private readonly Gated _runtime;
    private IReadOnlyList<ModelOptions> _models = [];
    private readonly List<Serving> _servings = [];

    public ResidentsTests() => _runtime = new(_time);

    [Fact]
    public async Task A_start_ends_however_long_its_loads_take()
    {
        _runtime.LoadTime = TimeSpan.FromSeconds(30);
        var serving = Serve(budget: 30, "a", "b", "c");
        serving.Start();

        await serving.Loaded.WaitAsync(TestServer.Patience);

        Assert.All(serving.Doors, d => Assert.Equal(RouteState.Ready, d.Route.State));
        Assert.True(serving.IsReady);
    }

    [Fact]
    public async Task A_load_that_hangs_does_not_hold_up_those_on_demand()
    {
        var serving = Serve(budget: 20, "hangs", "fine");
        Declare(serving);
        _runtime.Close("hangs");
        var hanging = WantAsync(serving, "hangs");
        await _runtime.UntilInsideAsync("hangs");
        var fine = WantAsync(serving, "fine");
        Assert.Equal(RouteState.Absent, serving.Find("fine")!.Route.State);

        _time.Advance(TimeSpan.FromMinutes(2));

        Assert.Null(await fine.WaitAsync(TestServer.Patience));
        Assert.Equal(RouteState.Ready, serving.Find("fine")!.Route.State);
        Assert.False(hanging.IsCompleted);
        _runtime.Open("hangs");
        Assert.Null(await hanging.WaitAsync(TestServer.Patience));
    }

    [Fact]
    public async Task A_model_that_is_removed_while_it_loads_opens_no_door()
    {
        var serving = Serve(budget: 10, "m");
        var wanted = await BeginAsync(serving);

        await serving.Models.RemoveAsync(Model("m"));
        _runtime.Open("m");

        Assert.Equal(FaultKind.ModelNotReady, (await wanted.WaitAsync(TestServer.Patience))?.Kind);
        Assert.Null(serving.Find("m"));
        Assert.Null(serving.Models.MemoryOf(new("m", "1")));
    }

    [Fact]
    public async Task A_model_that_is_unloaded_while_it_loads_stays_unloaded()
    {
        var serving = Serve(budget: 10, "m");
        var wanted = await BeginAsync(serving);

        await serving.Models.UnloadAsync(Model("m"));
        _runtime.Open("m");

        Assert.Contains("it was unloaded", (await wanted.WaitAsync(TestServer.Patience))?.Message,
            StringComparison.Ordinal);
        Assert.Equal(RouteState.Unloaded, serving.Find("m")!.Route.State);
        Assert.Null(serving.Models.MemoryOf(new("m", "1")));
        Assert.Null(await serving.Models.LoadAsync(Model("m")));
        Assert.Equal(RouteState.Ready, serving.Find("m")!.Route.State);
    }

    [Fact]
    public async Task Whoever_waits_for_a_model_that_changes_while_it_loads_gets_it_as_it_is_declared_then()
    {
        var serving = Serve(budget: 10, "m");
        var wanted = await BeginAsync(serving);
        var anew = Model("m") with { Batching = new() { BatchRowsMax = 3 } };

        Assert.Null(await serving.Models.ServeAsync(anew));
        _runtime.Open("m");

        Assert.Null(await wanted.WaitAsync(TestServer.Patience));
        Assert.Equal((RouteState.Ready, 3), (serving.Find("m")!.Route.State, serving.Find("m")!.RowsMax));
        Assert.Equal(2, _runtime.Loads);
    }

    [Fact]
    public async Task An_operators_load_of_a_changed_model_waits_for_the_changed_one()
    {
        var serving = Serve(budget: 20, "m");
        var wanted = await BeginAsync(serving);
        var loaded = serving.Models.LoadAsync(Model("m") with { Batching = new() { BatchRowsMax = 3 } });
        _runtime.Open("m");

        Assert.Null(await loaded.WaitAsync(TestServer.Patience));
        Assert.Equal(3, serving.Find("m")!.RowsMax);
        Assert.Null(await wanted.WaitAsync(TestServer.Patience));
    }

    [Fact]
    public async Task Whoever_waits_for_a_queued_model_that_is_removed_is_told_while_another_one_loads()
    {
        var serving = Serve(budget: 20, "m", "queued");
        _ = await BeginAsync(serving);
        var waiting = WantAsync(serving, "queued");
        Assert.False(waiting.IsCompleted);

        await serving.Models.RemoveAsync(Model("queued"));

        Assert.Contains("no longer served", (await waiting.WaitAsync(TestServer.Patience))?.Message,
            StringComparison.Ordinal);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _runtime.OpenAll();
        foreach (var serving in _servings)
            await serving.DisposeAsync();
    }

    /// <summary>A request for m, whose load stands still.</summary>
    private async Task<Task<Fault?>> BeginAsync(Serving serving)
    {
        Declare(serving);
        _runtime.Close("m");
        var wanted = WantAsync(serving, "m");
        await _runtime.UntilInsideAsync("m");
        return wanted;
    }

    private static Task<Fault?> WantAsync(Serving serving, string model) =>
        serving.Models.WantAsync(serving.Find(model)!, s_patience, CancellationToken.None);

    private void Declare(Serving serving)
    {
        foreach (var model in _models)
            Assert.Null(serving.Models.Declare(model, onDemand: true));
    }

    private ModelOptions Model(string name) => _models.Single(m => m.Name == name);

    /// <summary>Models of ten bytes each.</summary>
    private Serving Serve(long budget, params string[] models)
    {
        using var folder = new ConfigFolder().Write("spillway.yaml", string.Create(CultureInfo.InvariantCulture, $$"""
            residency: { memoryBytesMax: { simulated: {{budget}} } }
            models: [{{string.Join(", ", models)}}]
            """));
        foreach (var name in models)
        {
            folder.Write($"{name}/model.yaml", """
                runtime: simulated
                simulated:
                  inputs: { x: "FP32 [-1,4]" }
                  outputs: { y: "FP32 [-1,4]" }
                  latencyMs: { 1: 0.05 }
                  memoryBytes: 10
                """);
        }

        var loaded = ConfigLoader.Load(
            folder.PathOf("spillway.yaml"), Composition.RuntimeOptions, new Dictionary<string, string>());
        Assert.True(loaded.Valid, ConfigErrorText.Format(loaded.Errors));
        var snapshot = Snapshot.From(loaded, number: 1, DateTimeOffset.UnixEpoch);
        _models = snapshot.Models;
        var serving = new Serving(snapshot, new Dictionary<string, IRuntime> { ["simulated"] = _runtime }, new(_time),
            NullLogger<Serving>.Instance);
        _servings.Add(serving);
        return serving;
    }

    /// <summary>The simulated runtime; loads of closed models stand still, each takes its time on the clock.</summary>
    private sealed class Gated(ManualTimeProvider time) : IRuntime
    {
        private readonly SimulatedRuntime _inner = new(time);
        private readonly ConcurrentDictionary<string, ManualResetEventSlim> _closed = new();
        private readonly ConcurrentDictionary<string, bool> _inside = new();
        private int _loads;

        public int Loads => _loads;

        public TimeSpan LoadTime { get; set; }

        public string Name => "simulated";

        public Type OptionsType => typeof(SimulatedOptions);

        public ModelFootprint Estimate(ModelSource source) => _inner.Estimate(source);

        public void Close(string model) => _closed[model] = new();

        public void Open(string model) => _closed[model].Set();

        public void OpenAll()
        {
            foreach (var gate in _closed.Values)
                gate.Set();
        }

        public Task UntilInsideAsync(string model) => TestServer.UntilAsync(() => _inside.ContainsKey(model));

        public Outcome<ILoadedModel> Load(ModelSource source, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _loads);
            time.Advance(LoadTime);
            _inside[source.Name] = true;
            if (_closed.TryGetValue(source.Name, out var gate))
                gate.Wait(CancellationToken.None);
            return _inner.Load(source, cancellation);
        }
    }
}
