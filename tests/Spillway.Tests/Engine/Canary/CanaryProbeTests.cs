using System.Diagnostics;
using System.Globalization;
using Spillway.Config;
using Spillway.Engine.Canary;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Onnx.Cache;
using Spillway.Shared;
using Spillway.Tests.Runtimes.Onnx;
using Spillway.Tests.Runtimes.Onnx.Cache;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Canary;

public sealed class CanaryProbeTests : IDisposable
{
    private static readonly string[] s_spillway = ["dotnet", ChildProcess.App];

    private readonly TempFolder _folder = new();

    [Fact]
    public async Task A_model_that_works_is_reported_prepared_and_not_probed_again()
    {
        var model = Model(OnnxModels.Tiny()) with { Batching = new() { BatchRowsMax = 8 } };
        var runtime = new OnnxRuntime();
        var outcome = await Probe(s_spillway).ProbeAsync(model, runtime, CancellationToken.None);

        var report = outcome!.Value.Value;
        Assert.Equal(["x FP32 [-1,784]"], report.Inputs);
        Assert.Equal(["y FP32 [-1,10]"], report.Outputs);
        Assert.Equal([1, 8], report.Runs.Select(static run => run.Rows));
        Assert.True(report.LoadMs > 0 && report.Runs.All(static run => run.Ms > 0));
        Assert.True(report.Prepared);
        if (OperatingSystem.IsLinux())
            Assert.True(report.PeakBytes >= report.LoadedBytes);

        // The next one reads what the first one found; a program that is not there proves it.
        var again = await Probe("no such program").ProbeAsync(model, runtime, CancellationToken.None);
        Assert.Equal(report.Runs, again!.Value.Value.Runs);
        using var loaded = runtime.Load(new(model.Name, model.File, model.RuntimeOptions!), CancellationToken.None)
            .Value;
        Assert.Equal(CacheUse.Hit, loaded.Report!.Cache);
    }

    [Fact]
    public async Task Without_a_cache_what_passed_is_remembered_by_its_digest_while_the_process_lives()
    {
        var model = Model(OnnxModels.Tiny()) with { RuntimeOptions = new OnnxOptions { Cache = "off" } };
        List<string> command = [.. s_spillway];
        var (probe, runtime) = (Probe(command), new OnnxRuntime());
        var report = (await probe.ProbeAsync(model, runtime, CancellationToken.None))!.Value.Value;

        // A program that is not there proves whether it is asked.
        command[0] = "no such program";
        Assert.Same(report, (await probe.ProbeAsync(model, runtime, CancellationToken.None))!.Value.Value);
        File.WriteAllBytes(model.File, OnnxModels.Simple());
        Assert.NotNull((await probe.ProbeAsync(model, runtime, CancellationToken.None))!.Value.Fault);
        File.WriteAllBytes(model.File, OnnxModels.Tiny());
        Assert.Same(report, (await probe.ProbeAsync(model, runtime, CancellationToken.None))!.Value.Value);
    }

    [Fact]
    public async Task A_changed_file_is_probed_anew()
    {
        var model = Model(OnnxModels.Tiny());
        await Probe(s_spillway).ProbeAsync(model, new OnnxRuntime(), CancellationToken.None);
        File.WriteAllBytes(model.File, OnnxModels.Simple());
        var fault = await FaultOf("no such program", model);
        Assert.Contains("could not be started", fault.Message, StringComparison.Ordinal);
    }

    [NeedsFact(Need.LinuxX64)]
    public async Task A_file_that_kills_the_library_costs_a_child_and_says_how()
    {
        var recogniser = Repository.At(
            "native", "node_modules", "@gutenye", "ocr-models", "assets", "ch_PP-OCRv4_rec_infer.onnx");
        var folder = Path.Combine(_folder.Path, "deadly");
        Directory.CreateDirectory(folder);
        ModelCacheTests.Save(File.ReadAllBytes(recogniser), folder, packed: true, bytesMin: 1024);
        var model = Model([]) with
        {
            File = Path.Combine(folder, CacheEntry.Graph),
            RuntimeOptions = new OnnxOptions { Optimization = "none" },
        };

        var fault = await FaultOf(s_spillway, model);
        Assert.Equal(FaultKind.LoadFailed, fault.Kind);
        Assert.Contains(
            "crashed with signal 11 (SIGSEGV) while running batch 1.", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_file_is_told_in_the_librarys_words()
    {
        var fault = await FaultOf(s_spillway, Model("garbage"u8.ToArray()));
        Assert.Contains("complete ONNX model", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("signal", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_needs_more_memory_than_there_is_says_so()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var model = Model(OnnxModels.Mlp()) with { Batching = new() { BatchRowsMax = 8192 } };
        var probe = new CanaryProbe(new() { Command = s_spillway, BytesMax = 60_000_000 }, TimeProvider.System);
        var fault = (await probe.ProbeAsync(model, new OnnxRuntime(), CancellationToken.None))!.Value.Fault;
        Assert.Contains("needs more memory than the 60 MB", fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crash_in_a_run_names_the_batch()
    {
        var fault = await FaultOf(Script("""
            echo '{"stage":"load"}'; echo 'a library that prints'; echo '{"stage":"run","rows":32}'; kill -SEGV $$
            """), Model([1]));
        Assert.Contains("crashed with signal 11 (SIGSEGV) while running batch 32", fault.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_crash_after_the_report_only_loses_the_preparation()
    {
        var outcome = await Probe(Script("""
            echo '{"report":{"inputs":[],"outputs":[],"runs":[]}}'; echo '{"stage":"prepare"}'; kill -SEGV $$
            """)).ProbeAsync(Model([1]), new OnnxRuntime(), CancellationToken.None);
        Assert.False(outcome!.Value.Value.Prepared);
    }

    [Fact]
    public async Task A_child_that_hangs_is_ended_by_its_id()
    {
        var pid = Path.Combine(_folder.Path, "pid");
        var time = new ManualTimeProvider();
        var probe = new CanaryProbe(
            new() { Command = Script($"echo $$ > '{pid}.new'; mv '{pid}.new' '{pid}'; exec sleep 1000") }, time);
        var probing = probe.ProbeAsync(Model([1]), new OnnxRuntime(), CancellationToken.None);
        await TestServer.UntilAsync(() => File.Exists(pid));
        time.Advance(TimeSpan.FromSeconds(61));
        var fault = (await probing)!.Value.Fault;
        Assert.Contains("did not finish within 60 s while starting", fault!.Message, StringComparison.Ordinal);
        await AssertEndedAsync(pid);
    }

    [Fact]
    public async Task A_child_that_reads_nothing_and_stays_is_ended_in_time_too()
    {
        var pid = Path.Combine(_folder.Path, "pid");
        var time = new ManualTimeProvider();
        var probe = new CanaryProbe(
            new() { Command = ["sh", _folder.Write("deaf.sh", System.Text.Encoding.UTF8.GetBytes(
                $"exec 0<&- 1>&- 2>&-; echo $$ > '{pid}.new'; mv '{pid}.new' '{pid}'; exec sleep 1000\n"))] }, time);
        // More than a pipe holds, so that the question is still being written when the other end closes.
        var model = Model([1]) with
        {
            Typical = Enumerable.Range(0, 20_000).ToDictionary(i => $"input {i}", IReadOnlyList<long> (_) => [1]),
        };
        var probing = probe.ProbeAsync(model, new OnnxRuntime(), CancellationToken.None);
        await TestServer.UntilAsync(() => File.Exists(pid));
        time.Advance(TimeSpan.FromSeconds(61));
        var fault = (await probing.WaitAsync(TestServer.Patience))!.Value.Fault;
        Assert.Contains("did not finish within 60 s", fault!.Message, StringComparison.Ordinal);
        await AssertEndedAsync(pid);
    }

    [Theory]
    [InlineData("seq 1 200000")]
    [InlineData("head -c 5000000 /dev/zero | tr '\\0' x; echo")]
    public async Task However_much_a_library_prints_the_report_is_heard(string print)
    {
        var outcome = await Probe(Script(print + """

            echo '{"report":{"inputs":["x FP32 [1]"],"outputs":[],"runs":[]}}'
            """)).ProbeAsync(Model([1]), new OnnxRuntime(), CancellationToken.None);
        Assert.True(outcome!.Value.TryGet(out var report, out var fault), fault?.Message);
        Assert.Equal(["x FP32 [1]"], report.Inputs);
    }

    [Fact]
    public async Task The_memory_that_a_model_may_take_is_that_of_the_moment_of_its_probe()
    {
        var asked = Path.Combine(_folder.Path, "asked");
        long? free = 1_000;
        var probe = new CanaryProbe(
            new()
            {
                Command = ["sh", _folder.Write("ask.sh", System.Text.Encoding.UTF8.GetBytes($"cat > '{asked}'\n"))],
                FreeBytes = () => free,
            }, TimeProvider.System);
        foreach (var (now, limit) in new[] { (1_000L, 900L), (50_000, 45_000) })
        {
            free = now;
            await probe.ProbeAsync(Model([1]), new OnnxRuntime(), CancellationToken.None);
            Assert.Contains($"\"bytesMax\":{limit}", await File.ReadAllTextAsync(asked), StringComparison.Ordinal);
        }

        if (OperatingSystem.IsLinux())
            Assert.True(new CanarySettings().FreeBytes() > 0);
    }

    [Fact]
    public void At_the_start_a_repositorys_files_are_probed_and_what_the_configuration_lists_is_trusted()
    {
        var (model, runtime) = (Model(OnnxModels.Tiny()), new OnnxRuntime());
        var gate = new CanaryGate(Probe("program"), always: false);
        Assert.False(gate.IsDue(model, runtime, whileServing: false));
        Assert.True(gate.IsDue(model, runtime, whileServing: true));
        Assert.True(gate.IsDue(model with { IsFound = true }, runtime, whileServing: false));
        Assert.True(new CanaryGate(Probe("program"), always: true).IsDue(model, runtime, whileServing: false));
        Assert.Null(gate.HealthWarning);
    }

    [Fact]
    public void Where_nothing_can_be_probed_health_says_so_unless_that_was_asked_for()
    {
        var (model, runtime) = (Model([1]), new OnnxRuntime());
        var gate = new CanaryGate(Probe(), always: false);
        Assert.Null(gate.HealthWarning);
        Assert.False(gate.IsDue(model, runtime, whileServing: true));
        Assert.Contains("server.canaryExecutable", gate.HealthWarning, StringComparison.Ordinal);
        var off = new CanaryGate(Probe(), always: false) { IsWanted = false };
        Assert.False(off.IsDue(model, runtime, whileServing: true));
        Assert.Null(off.HealthWarning);
    }

    [Fact]
    public async Task Without_a_program_probing_is_off_and_known_to_be()
    {
        var probe = Probe();
        Assert.False(probe.IsOn);
        Assert.Null(await probe.ProbeAsync(Model([1]), new OnnxRuntime(), CancellationToken.None));
    }

    [Fact]
    public void A_load_that_a_process_did_not_survive_is_remembered()
    {
        var (model, runtime) = (Model(OnnxModels.Tiny()), new OnnxRuntime());
        Assert.False(CanaryProbe.EndedWithLastLoad(model, runtime));
        using (CanaryProbe.Mark(model, runtime))
            Assert.False(CanaryProbe.EndedWithLastLoad(model, runtime));
        Assert.False(CanaryProbe.EndedWithLastLoad(model, runtime));

        using var dead = Process.Start("true");
        dead.WaitForExit();
        runtime.Proofs.Save(new(model.Name, model.File, model.RuntimeOptions!), "loading", $"{dead.Id} 1000");
        Assert.True(CanaryProbe.EndedWithLastLoad(model, runtime));

        // As in a container, where the next server has the same id.
        runtime.Proofs.Save(new(model.Name, model.File, model.RuntimeOptions!), "loading",
            $"{Environment.ProcessId} 1000");
        Assert.True(CanaryProbe.EndedWithLastLoad(model, runtime));
    }

    public void Dispose() => _folder.Dispose();

    private static CanaryProbe Probe(params IReadOnlyList<string> command) =>
        new(new() { Command = command, TimeMax = TestServer.Patience }, TimeProvider.System);

    /// <summary>A process that was ended is there until the system has cleared it away.</summary>
    private static async Task AssertEndedAsync(string file)
    {
        var id = int.Parse(await File.ReadAllTextAsync(file), CultureInfo.InvariantCulture);
        await TestServer.UntilAsync(() => !IsAlive(id));
    }

    private static bool IsAlive(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static async Task<Fault> FaultOf(string program, ModelOptions model) => await FaultOf([program], model);

    private static async Task<Fault> FaultOf(string[] command, ModelOptions model)
    {
        var fault = (await Probe(command).ProbeAsync(model, new OnnxRuntime(), CancellationToken.None))!.Value.Fault;
        Assert.NotNull(fault);
        return fault;
    }

    private string[] Script(string text)
    {
        var file = _folder.Write("child.sh", System.Text.Encoding.UTF8.GetBytes($"cat > /dev/null\n{text}\n"));
        return ["sh", file];
    }

    private ModelOptions Model(byte[] bytes) => new()
    {
        Name = "probed", File = _folder.Write("probed.onnx", bytes),
        RuntimeOptions = new OnnxOptions { Cache = Path.Combine(_folder.Path, "cache") },
    };
}
