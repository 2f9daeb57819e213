using System.Globalization;
using System.Text.Json;
using Spillway.Config;
using Spillway.Planner.Calibration;

namespace Spillway.Planner.Plans;

/// <summary>
/// Times that a plan's variants name and that stand elsewhere: curves that a server keeps or tells, and fits of
/// <c>plan calibrate</c>. Each brings its own label.
/// </summary>
/// <param name="open">Opens a file, or asks a server for its models.</param>
/// <param name="errors">Takes the errors.</param>
internal sealed class VariantFiles(Func<string, PlanFile> open, ErrorList errors)
{
    /// <summary>The first line of the file in which a server keeps a curve.</summary>
    private const string Kept = "spillway-curve 1";

    private const int PointsMax = 64;

    /// <summary>The plan with the times that its variants name.</summary>
    public PlanOptions Resolve(PlanOptions options, OptionBinder binder)
    {
        if (options.Variants.Values.All(
            v => v.CurveFiles.Count == 0 && v.Language is not { ConstantsFile.Length: > 0 }))
            return options;
        return options with
        {
            Variants = options.Variants.ToDictionary(v => v.Key,
                v => Constants(Curves(v.Value, $"variants.{v.Key}", binder), $"variants.{v.Key}", binder)),
        };
    }

    private VariantOptions Curves(VariantOptions variant, string key, OptionBinder binder)
    {
        var curves = variant.Curves.ToDictionary(c => c.Key, c => c.Value);
        // What is written as a curve is as good as the plan says; what stands in a file is as good as its file says.
        var (evidence, sources) = (variant.Curves.Count > 0 || variant.CurveFiles.Count == 0 ? variant.Evidence
            : Evidence.Measured, new List<string> { variant.Source });
        foreach (var (machine, file) in variant.CurveFiles)
        {
            var path = $"{key}.curveFiles.{machine}";
            if (variant.Curves.ContainsKey(machine))
                binder.Report(path, file, "The variant has a curve for this machine under curves as well.",
                    "Keep one of them.");
            if (Read(file, path, binder) is not { } read)
                continue;
            curves[machine] = read.Points;
            // A fit knows more than the times of runs; what the plan says itself stands.
            variant = variant with
            {
                RunSpread = variant.RunSpread ?? read.Fit?.RunSpread, Before = variant.Before ?? read.Fit?.Before,
            };
            evidence = (Evidence)Math.Max((int)evidence, (int)read.Evidence);
            sources.Add(read.Source);
        }

        return variant with { Curves = curves, Evidence = evidence, Source = string.Join("; ", sources) };
    }

    private VariantOptions Constants(VariantOptions variant, string key, OptionBinder binder)
    {
        if (variant.Language is not { ConstantsFile: { Length: > 0 } file } language)
            return variant;
        var path = $"{key}.language.constantsFile";
        if (Text(file, path, binder) is not { } text || Fit(file, text) is not { } fit)
            return variant;
        if (fit.Constants is { } constants)
            return variant with
            {
                Language = language with { Constants = constants }, Evidence = Evidence.Calibrated,
                Source = $"{variant.Source}; {fit.Source}",
            };
        binder.Report(path, file, "The file has no constants: it is a fit of a batch curve.",
            "Name it in curveFiles, or fit a language variant with `spillway plan calibrate`.");
        return variant;
    }

    private FoundCurve? Read(string file, string path, OptionBinder binder)
    {
        if (Text(file, path, binder) is not { } text)
            return null;
        if (text.StartsWith(Kept, StringComparison.Ordinal))
            return KeptCurve(file, text, path, binder);
        if (text.TrimStart().StartsWith('{'))
            return LiveCurve(file, text, path, binder);
        if (Fit(file, text) is not { } fit)
            return null;
        if (fit.Curve.Count > 0)
            return new(fit.Curve, Evidence.Calibrated, fit.Source, fit);
        binder.Report(path, file, "The file has no curve: it is a fit of a language engine.",
            "Name it in language.constantsFile.");
        return null;
    }

    private static FoundCurve? KeptCurve(
        string file, string text, string path, OptionBinder binder)
    {
        var lines = text.Split('\n');
        List<CurvePointOptions> points = [];
        foreach (var line in lines.Skip(2).Where(l => l.Trim().Length > 0))
        {
            if (Point(line) is { } point && points.Count < PointsMax
                && point.Rows > points.Select(p => p.Rows).LastOrDefault())
                points.Add(point);
            else
                binder.Report(path, line, $"{file} is no curve that a server kept: this line is not rows and ticks, "
                    + "ascending.", "Name the file as the server wrote it.");
        }

        if (points.Count == 0)
            binder.Report(path, file, "The curve that the server kept has no point.", "Name another file.");
        return points.Count == 0 ? null : new(points, Evidence.Measured,
            $"the curve that a server measured and kept ({(lines.Length > 1 ? lines[1].Trim() : "")})");
    }

    private static CurvePointOptions? Point(string line) => line.Trim().Split(' ') is [var rows, var ticks]
        && int.TryParse(rows, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var time) && time > 0
        ? new() { Rows = count, Ms = time / (double)TimeSpan.TicksPerMillisecond } : null;

    private static FoundCurve? LiveCurve(
        string file, string text, string path, OptionBinder binder)
    {
        var name = file.LastIndexOf('#') is var at and >= 0 ? file[(at + 1)..] : "";
        try
        {
            using var json = JsonDocument.Parse(text);
            List<JsonElement> models = [.. json.RootElement.GetProperty("models").EnumerateArray()];
            var found = models.Find(m => m.GetProperty("name").GetString() == name);
            if (found.ValueKind is JsonValueKind.Undefined)
            {
                binder.Report(path, file, $"The server serves nothing of the name '{name}'.", "Known: "
                    + string.Join(", ", models.Select(m => m.GetProperty("name").GetString())) + ".");
                return null;
            }

            if (found.TryGetProperty("curve", out var curve) && curve.GetArrayLength() is > 0 and <= PointsMax)
                return new([.. curve.EnumerateArray().Select(p => new CurvePointOptions
                {
                    Rows = p.GetProperty("rows").GetInt32(), Ms = p.GetProperty("ms").GetDouble(),
                })], found.GetProperty("simulated").GetBoolean() ? Evidence.Theoretical : Evidence.Measured,
                    $"the times that {file} has learned");
            binder.Report(path, file, $"The server has no times of '{name}': it is not loaded, or no model runs there.",
                "Wait until it is ready, and ask it once.");
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            binder.Report(path, file, $"What came is not the list of a server's models: {wrong.Message}",
                "Give the address of a Spillway server and the served name, as http://127.0.0.1:8000#line-ocr.");
        }

        return null;
    }

    private CalibrationFileOptions? Fit(string file, string text)
    {
        if (YamlReader.ReadText(text, file, "", errors) is not { } node)
            return null;
        return (CalibrationFileOptions)new OptionBinder(errors).Section(typeof(CalibrationFileOptions), node, "",
            new(file, 1, 1));
    }

    private string? Text(string file, string path, OptionBinder binder)
    {
        var opened = open(file);
        if (opened.Text is null)
            binder.Report(path, file, $"It cannot be read: {opened.Problem}",
                "Check the path, which is relative to the plan, or whether the server runs.");
        return opened.Text;
    }

    private sealed record FoundCurve(
        IReadOnlyList<CurvePointOptions> Points, Evidence Evidence, string Source, CalibrationFileOptions? Fit = null);
}
