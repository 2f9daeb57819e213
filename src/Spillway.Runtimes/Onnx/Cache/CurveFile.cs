using System.Globalization;
using System.Text;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>Batch curves beside the optimized model, one small file for each set of conditions. Thread-safe.</summary>
/// <param name="folder">The entry's folder.</param>
/// <param name="options">How the model runs, which a curve depends on.</param>
internal sealed class CurveFile(string folder, OnnxOptions options) : ICurveStore
{
    private const string Magic = "spillway-curve 1";
    private const int CurvesMax = 16, PointsMax = 64;

    /// <inheritdoc/>
    public IReadOnlyList<BatchPoint>? Find(string conditions)
    {
        var (file, full) = Place(conditions);
        if (CacheFolder.Read(file)?.Split('\n') is not [Magic, var said, .. var lines, ""]
            || said != full || lines.Length is 0 or > PointsMax)
            return null;
        List<BatchPoint> curve = [];
        foreach (var line in lines)
        {
            if (line.Split(' ') is not [var rows, var ticks]
                || !int.TryParse(rows, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                || !long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var time)
                || time == 0 || count <= (curve.Count == 0 ? 0 : curve[^1].Rows))
                return null;
            curve.Add(new(count, new(time)));
        }

        return curve;
    }

    /// <inheritdoc/>
    public void Save(string conditions, IReadOnlyList<BatchPoint> curve)
    {
        var (file, full) = Place(conditions);
        var text = new StringBuilder($"{Magic}\n{full}\n");
        foreach (var point in curve.Take(PointsMax))
            text.Append(CultureInfo.InvariantCulture, $"{point.Rows} {point.Time.Ticks}\n");
        try
        {
            if (!Directory.Exists(folder))
                return; // The entry was deleted for its age, and its curves with it.
            foreach (var old in new DirectoryInfo(folder).EnumerateFiles("curve-*")
                .OrderByDescending(static f => f.LastWriteTimeUtc).Skip(CurvesMax - 1))
                old.Delete();
            CacheFolder.Write(file, text.ToString());
        }
        catch (Exception error) when (CacheFolder.IsFileProblem(error))
        {
            // Measured again at the next start.
        }
    }

    private (string File, string Conditions) Place(string conditions)
    {
        var full = string.Create(CultureInfo.InvariantCulture,
            $"{conditions.ReplaceLineEndings(" ")} cores={Environment.ProcessorCount} intra={options.IntraOpThreads} "
            + $"inter={options.InterOpThreads} spin={options.Spinning} arena={options.MemoryArena} "
            + $"on={Environment.MachineName}");
        return (Path.Combine(folder, $"curve-{CacheFolder.Hash(full)[..16]}"), full);
    }
}
