using System.Text.Json;

namespace Spillway.Runtimes.Onnx.Profiling;

/// <summary>
/// Reads what ONNX Runtime's profiler writes: an array of events, one a line. Bounded in lines and in their length,
/// and whatever is no event of a kernel is passed over.
/// </summary>
internal static class ProfileFile
{
    /// <summary>The profiler itself ends at a million events.</summary>
    private const int LinesMax = 1_000_000;

    private const int LineLengthMax = 64 * 1024;
    private const int NodesMax = 100_000;

    /// <summary>Sums per operator, hottest first.</summary>
    public static List<OperatorTime> Sum(string file)
    {
        var sums = new Dictionary<string, (HashSet<string> Nodes, double Microseconds)>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(file).Take(LinesMax))
        {
            if (line.Length is 0 or > LineLengthMax || !TryRead(line, out var op, out var node, out var time))
                continue;
            var (nodes, sum) = sums.TryGetValue(op, out var known) ? known : ([], 0);
            if (nodes.Count < NodesMax)
                nodes.Add(node);
            sums[op] = (nodes, sum + time);
        }

        var total = Math.Max(sums.Values.Sum(static s => s.Microseconds), 1);
        return
        [
            .. sums.Select(s => new OperatorTime(s.Key, s.Value.Nodes.Count, s.Value.Microseconds / 1000,
                s.Value.Microseconds / total))
                .OrderByDescending(static o => o.Ms),
        ];
    }

    private static bool TryRead(string line, out string op, out string node, out double microseconds)
    {
        const string Suffix = "_kernel_time";
        (op, node, microseconds) = ("", "", 0);
        try
        {
            using var json = JsonDocument.Parse(line.Trim().Trim('[', ']').TrimEnd(','));
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("name", out var name)
                || name.GetString() is not { } text || !text.EndsWith(Suffix, StringComparison.Ordinal)
                || !root.TryGetProperty("dur", out var duration) || !duration.TryGetDouble(out microseconds)
                || !root.TryGetProperty("args", out var args) || !args.TryGetProperty("op_name", out var kind))
                return false;
            (op, node) = (kind.GetString() ?? "", text[..^Suffix.Length]);
            return op.Length > 0;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
