using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Shared;
using Spillway.Store.Provenance;
using Spillway.Tests.Config;
using Spillway.Tests.Server;

namespace Spillway.Tests.Engine.Audit;

/// <summary>Somebody who may write a model's folder puts another file there between the hashing and the load.</summary>
public sealed class ModelSwapTests : IDisposable
{
    private readonly ConfigFolder _folder = new();
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private string Model => _folder.PathOf("good/model.onnx");

    public ModelSwapTests()
    {
        _folder.Write("spillway.yaml", "models: [good]\n")
            .Write("good/model.yaml", "deadline: { floorMs: 60000 }\nonnx: { cache: off }\n")
            .Write("key.pub.pem", _key.ExportSubjectPublicKeyInfoPem()).Write("evil/model.yaml", "");
        File.WriteAllBytes(Model, OnnxModels.Identity(OnnxWriter.Float));
        File.WriteAllBytes(_folder.PathOf("evil/model.onnx"), OnnxModels.Identity(OnnxWriter.Double));
        var body = ModelStatement.Write(ModelStatement.Hash([Model]));
        File.WriteAllBytes(
            Model + ModelStatement.FileEnd, DsseEnvelope.Sign(ModelStatement.PayloadType, body, _key));
    }

    public void Dispose()
    {
        _key.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("renamed in its place and back")]
    [InlineData("written over, and back with the same time")]
    [InlineData("its folder exchanged and back")]
    [InlineData("a link in its place and back")]
    public async Task What_was_not_the_same_all_the_time_is_loaded_again_and_refused_in_the_end(string how)
    {
        var swap = Swap(how);
        var runtime = new Swapping(_ => swap);
        await using var serving = Serve(runtime);
        var route = serving.Find("good")!.Route;
        Assert.Equal(RouteState.Failed, route.State);
        Assert.Contains("changed while they were loaded", route.Why, StringComparison.Ordinal);
        Assert.Equal(3, runtime.Loads);
    }

    [Fact]
    public async Task One_change_during_a_load_costs_a_second_load()
    {
        var swap = Swap("renamed in its place and back");
        var runtime = new Swapping(load => load == 1 ? swap : static () => static () => { });
        await using var serving = Serve(runtime);
        Assert.Equal((RouteState.Ready, 2), (serving.Find("good")!.Route.State, runtime.Loads));
        Assert.Equal(DataType.Float32, Assert.Single(serving.Find("good")!.Signature!.Inputs).Type);
    }

    [Fact]
    public async Task Where_a_file_system_tells_nothing_the_files_are_hashed_again()
    {
        var runtime = new Swapping(_ => () =>
        {
            File.Copy(_folder.PathOf("evil/model.onnx"), Model, overwrite: true);
            return static () => { };
        }) { HasStamps = false };
        await using var serving = Serve(runtime);
        var route = serving.Find("good")!.Route;
        Assert.Equal(RouteState.Failed, route.State);
        // The second attempt finds that what lies there now is not what was signed.
        Assert.Contains("was changed after it was signed", route.Why, StringComparison.Ordinal);
        Assert.Equal(1, runtime.Loads);
    }

    [Fact]
    public async Task Without_a_demand_for_signatures_a_folder_in_use_is_no_obstacle_and_another_file_is_one()
    {
        var files = 0;
        var busy = new Swapping(_ => () =>
        {
            _folder.Write($"good/upload-{files++}.tmp", "").Write($"other-{files}", "");
            return static () => { };
        });
        await using var serving = Serve(busy, required: false);
        Assert.Equal((RouteState.Ready, 1), (serving.Find("good")!.Route.State, busy.Loads));

        var swapped = new Swapping(_ => Swap("renamed in its place and back"));
        await using var other = Serve(swapped, required: false);
        Assert.Equal((RouteState.Failed, 3), (other.Find("good")!.Route.State, swapped.Loads));
    }

    [Fact]
    public async Task A_model_that_nobody_touches_is_loaded_once()
    {
        var runtime = new Swapping(_ => static () => static () => { });
        await using var serving = Serve(runtime);
        Assert.Equal((RouteState.Ready, 1), (serving.Find("good")!.Route.State, runtime.Loads));
    }

    /// <summary>Puts another model there; what it gives takes it away again.</summary>
    private Func<Action> Swap(string how)
    {
        var (aside, evil) = (_folder.PathOf("aside"), _folder.PathOf("evil/model.onnx"));
        return how switch
        {
            "renamed in its place and back" => () =>
            {
                File.Move(Model, aside);
                File.Copy(evil, Model);
                return () => File.Move(aside, Model, overwrite: true);
            },
            "a link in its place and back" => () =>
            {
                File.Move(Model, aside);
                File.CreateSymbolicLink(Model, evil);
                return () => File.Move(aside, Model, overwrite: true);
            },
            "its folder exchanged and back" => () =>
            {
                var (good, bad) = (_folder.PathOf("good"), _folder.PathOf("evil"));
                Directory.Move(good, aside);
                Directory.Move(bad, good);
                return () =>
                {
                    Directory.Move(good, bad);
                    Directory.Move(aside, good);
                };
            },
            _ => () =>
            {
                var (bytes, time) = (File.ReadAllBytes(Model), File.GetLastWriteTimeUtc(Model));
                File.WriteAllBytes(Model, File.ReadAllBytes(evil));
                return () =>
                {
                    File.WriteAllBytes(Model, bytes);
                    File.SetLastWriteTimeUtc(Model, time);
                };
            },
        };
    }

    private Serving Serve(Swapping runtime, bool required = true)
    {
        var loaded = ConfigLoader.Load(
            _folder.PathOf("spillway.yaml"), Composition.RuntimeOptions, new Dictionary<string, string>());
        Assert.True(loaded.Valid, ConfigErrorText.Format(loaded.Errors));
        var snapshot = Snapshot.From(loaded, number: 1, DateTimeOffset.UnixEpoch);
        var serving = new Serving(snapshot, new Dictionary<string, IRuntime> { ["onnx"] = runtime },
            new(TimeProvider.System), NullLogger<Serving>.Instance);
        serving.Models.Trust = ModelTrust.Load(
            new() { Trusted = [_folder.PathOf("key.pub.pem")], Required = required }).Value;
        serving.Start();
        Assert.True(serving.Loaded.Wait(TestServer.Patience));
        return serving;
    }

    /// <summary>The real runtime, with somebody who is quick.</summary>
    private sealed class Swapping(Func<int, Func<Action>> swap) : IRuntime
    {
        private readonly OnnxRuntime _inner = new();
        private int _loads;

        public int Loads => _loads;

        public bool HasStamps { get; init; } = true;

        public string Name => _inner.Name;

        public Type OptionsType => _inner.OptionsType;

        public IReadOnlyList<string>? Files(ModelSource source) => _inner.Files(source);

        public ModelStamp? Stamp(IReadOnlyList<string> files) => HasStamps ? _inner.Stamp(files) : null;

        public Outcome<ILoadedModel> Load(ModelSource source, CancellationToken cancellation)
        {
            var back = swap(++_loads)();
            try
            {
                return _inner.Load(source, cancellation);
            }
            finally
            {
                back();
            }
        }
    }
}
