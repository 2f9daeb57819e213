using System.Text;
using Spillway.Config;
using Spillway.Engine.Canary;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Shared;
using Spillway.Tests.Runtimes.Onnx;
using Spillway.Tests.Server;

namespace Spillway.Tests.Engine.Canary;

/// <summary>Which files a probe was of: known ones are not read again, no others are loaded in their place.</summary>
public sealed class CanaryFilesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task What_is_known_of_a_model_is_found_without_reading_its_files()
    {
        var (model, runtime) = (Model([1]), new Telling());
        var script = Script("""echo '{"report":{"inputs":[],"outputs":[],"runs":[]}}'""");
        var probe = Probe(script);
        Assert.Null((await probe.ProbeAsync(model, runtime, CancellationToken.None))!.Value.Fault);
        Assert.NotNull(runtime.Proof);
        script[0] = "no such program";

        async Task<bool> PassesAsync(string stamp, byte content)
        {
            runtime.Stamped = stamp;
            File.WriteAllBytes(model.File, [content]);
            return (await probe.ProbeAsync(model, runtime, CancellationToken.None))!.Value.Fault is null;
        }

        // Whoever hashed it here would know it under its stamp the next time.
        Assert.True(await PassesAsync("another", content: 4));
        runtime.Proof = null;
        Assert.True(await PassesAsync("another", content: 1));
        // Hashed under this stamp a moment ago, and not again.
        Assert.True(await PassesAsync("another", content: 4));
        Assert.False(await PassesAsync("a third", content: 4));
    }

    [Fact]
    public void A_file_that_is_replaced_under_its_probe_is_probed_itself()
    {
        var model = Model(OnnxModels.Tiny());
        var evil = _folder.Write("evil.onnx", OnnxModels.Simple());
        var asked = Path.Combine(_folder.Path, "asked");
        var gate = new CanaryGate(Probe(Script($$"""
            if [ -e '{{asked}}' ]; then kill -SEGV $$; fi
            echo yes > '{{asked}}'; mv '{{evil}}' '{{model.File}}'
            echo '{"report":{"inputs":[],"outputs":[],"runs":[]} }'
            """)), always: true);

        var fault = gate.Check(model, new OnnxRuntime(), CancellationToken.None);

        Assert.Contains("crashed with signal 11 (SIGSEGV)", fault?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_that_change_under_every_probe_are_not_loaded()
    {
        var model = Model(OnnxModels.Tiny());
        var gate = new CanaryGate(Probe(Script($$"""
            echo . >> '{{model.File}}'
            echo '{"report":{"inputs":[],"outputs":[],"runs":[]} }'
            """)), always: true);

        var fault = gate.Check(model, new OnnxRuntime(), CancellationToken.None);

        Assert.Contains("changed under each of 3 probes", fault?.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static CanaryProbe Probe(IReadOnlyList<string> command) =>
        new(new() { Command = command, TimeMax = TestServer.Patience }, TimeProvider.System);

    private string[] Script(string text) =>
        ["sh", _folder.Write("child.sh", Encoding.UTF8.GetBytes($"cat > /dev/null\n{text}\n"))];

    private ModelOptions Model(byte[] bytes) => new()
    {
        Name = "probed", File = _folder.Write("probed.onnx", bytes),
        RuntimeOptions = new OnnxOptions { Cache = Path.Combine(_folder.Path, "cache") },
    };

    /// <summary>A runtime whose stamps and proofs are the test's.</summary>
    private sealed class Telling : IRuntime, IProofStore
    {
        private readonly OnnxRuntime _inner = new();

        public string Stamped { get; set; } = "first";

        public string? Proof { get; set; }

        public string Name => _inner.Name;

        public Type OptionsType => _inner.OptionsType;

        public IProofStore Proofs => this;

        public Outcome<ILoadedModel> Load(ModelSource source, CancellationToken cancellation) =>
            _inner.Load(source, cancellation);

        public ModelStamp? Stamp(IReadOnlyList<string> files) => new(Stamped, "");

        public string? Find(ModelSource source, string conditions) => Proof;

        public void Save(ModelSource source, string conditions, string? text) => Proof = text;
    }
}
