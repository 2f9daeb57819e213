using System.Text.Json;

namespace Spillway.App.Load.Compare;

/// <summary>One endpoint of a saved report: the figures of its rounds.</summary>
internal sealed record BaselineEndpoint(
    string Name, string File, IReadOnlyDictionary<string, IReadOnlyList<double>> Figures)
{
    public IReadOnlyList<double> Values(string figure) => Figures.GetValueOrDefault(figure, []);
}

/// <summary>What an earlier <c>spillway load … --json</c> saved; only what a comparison needs is read.</summary>
internal sealed record Baseline(string Load, IReadOnlyList<BaselineEndpoint> Endpoints)
{
    private const long BytesMax = 256L << 20;

    /// <summary>Reads and checks a saved report.</summary>
    public static Baseline Read(string path)
    {
        if (!System.IO.File.Exists(path))
            throw LoadException.Usage($"--baseline '{path}' does not exist. Save one with: spillway load … --rounds 10 "
                + "--json > baseline.json");
        if (new FileInfo(path).Length > BytesMax)
            throw LoadException.Usage($"--baseline '{path}' is larger than {BytesMax >> 20} MiB.");
        return Parse(System.IO.File.ReadAllText(path), path);
    }

    public static Baseline Parse(string text, string path)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            var schema = root.GetProperty("schema").GetString();
            if (schema != "spillway.load/1")
                throw Strange(path, $"its schema is '{schema}' and not 'spillway.load/1'");
            var baseline = new Baseline(Describe(root.GetProperty("run")),
                [.. root.GetProperty("endpoints").EnumerateArray().Select(e => Endpoint(e, path))]);
            if (baseline.Endpoints.FirstOrDefault(e => e.Values("ok_per_second").Count < Comparer.RoundsMin) is { } few)
                throw LoadException.Usage($"--baseline '{path}': {few.Name} has "
                    + $"{few.Values("ok_per_second").Count} rounds with an answer; an interval "
                    + $"needs {Comparer.RoundsMin}. Save it with --rounds 10.");
            return baseline;
        }
        catch (Exception strange) when (strange is JsonException or InvalidOperationException or KeyNotFoundException
            or FormatException)
        {
            throw Strange(path, strange.Message);
        }
    }

    /// <summary>What was offered, to tell apples from pears.</summary>
    public static string Describe(string arrivals, double? rate, int? concurrency) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{arrivals} {rate:0.####}{concurrency}");

    /// <summary>Its endpoint for one of today's: the one of its name, or the only one.</summary>
    public BaselineEndpoint? For(string endpoint, int endpoints) =>
        Endpoints.FirstOrDefault(e => e.Name == endpoint)
        ?? (Endpoints.Count == 1 && endpoints == 1 ? Endpoints[0] : null);

    private static string Describe(JsonElement run) =>
        Describe(run.GetProperty("arrivals").GetString() ?? "", Number(run, "rate"), (int?)Number(run, "concurrency"));

    private static BaselineEndpoint Endpoint(JsonElement endpoint, string path)
    {
        Dictionary<string, List<double>> figures = [];
        foreach (var round in endpoint.GetProperty("rounds").EnumerateArray())
        {
            var counts = round.GetProperty("counts");
            Take("ok_per_second", round, "ok_per_second");
            Take("goodput_per_second", counts, "goodput_per_second");
            Take("cpu_per_completed", round, "cpu_microseconds_per_completed");
            if (counts.TryGetProperty("latency", out var latency) && latency.ValueKind == JsonValueKind.Object)
            {
                foreach (var name in (string[])["p50", "p95", "p99"])
                    Take(name, latency, name);
            }
        }

        return new(endpoint.GetProperty("name").GetString() ?? "", path,
            figures.ToDictionary(f => f.Key, f => (IReadOnlyList<double>)f.Value));

        void Take(string figure, JsonElement from, string name)
        {
            if (Number(from, name) is > 0 and var value)
                (figures.TryGetValue(figure, out var list) ? list : figures[figure] = []).Add(value);
        }
    }

    private static double? Number(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static LoadException Strange(string path, string why) => LoadException.Usage(
        $"--baseline '{path}' is no saved report: {why}. Save one with: spillway load … --rounds 10 --json > file");
}
