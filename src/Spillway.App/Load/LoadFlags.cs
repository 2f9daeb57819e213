using System.CommandLine;

namespace Spillway.App.Load;

/// <summary>The command line of <c>spillway load</c>.</summary>
internal sealed class LoadFlags
{
    public const string Description =
        """
        Loads an Open Inference server (or any HTTP path) and says honestly how it fared.

        Open loop (--rate, --trace): requests are sent when they are due, however the server fares, and their latency
        counts from that instant. Closed loop (--concurrency, by default 1): each connection waits for its answer.
        Several endpoints take turns in every round: A B A B.

        Examples:
          spillway load --model line-ocr-tensor --shape x=1,3,48,320 --concurrency 16
          spillway load --model line-ocr --raw samples/ocr/*.png --rate 50 --duration 60s
          spillway load --model line-ocr --raw samples/ocr/*.png --rate 40 --phases 1x:10s,10x:10s,1x:20s
          spillway load --model mlp --rate 200 --arrivals bursty --dispersion 20 --deadline 50
          spillway load --model mlp --trace arrivals.csv --trace-speed 2
          spillway load --server ours=http://127.0.0.1:8000 --server peer=http://127.0.0.1:9000 \
                        --model mlp --pid ours=4711 --pid peer=4712 --rounds 7 --duration 3s --concurrency 64
          spillway load --model mlp --find-max --p99 50ms --plot latency.svg
          spillway load --model mlp --sweep 100..3200:6
          spillway load --model mlp --compare old=http://127.0.0.1:8000 new=http://127.0.0.1:9000 --tolerance 5%
          spillway load --model mlp --concurrency 8 --baseline saved.json
          spillway load --server http://127.0.0.1:8001 --path /null --body body.bin --concurrency 64 --json

        Exit codes: 0 fine, 1 the run failed or an endpoint gave no ok answer, 2 wrong usage, 3 a
        comparison shows a regression beyond the tolerance, 130 interrupted.
        """;

    private static readonly LoadOptions s_default = new();

    private readonly Option<string[]> _server =
        Many("--server", "[name=]URL; repeat for several. Default: SPILLWAY_SERVER, "
        + $"or {LoadOptions.DefaultServer}.");
    private readonly Option<string[]> _model =
        Many("--model", "MODEL or server-name:MODEL; repeat for several endpoints.");
    private readonly Option<string[]> _path =
        Many("--path", "/path or server-name:/path: POST there instead, with --body "
        + "or the first model's bytes.");
    private readonly Option<string[]> _input = Many("--input", "name=random|zeros|FILE of raw little-endian elements. "
        + "Default: random.");
    private readonly Option<string[]> _shape =
        Many("--shape", "name=1,3,48,320; 160..960 in place of a number draws one of that range for each variant. "
        + "Default: the metadata's, 1 where it varies.");
    private readonly Option<string?> _body = One<string?>("--body", "FILE posted byte for byte.");
    private readonly Option<string[]> _raw = new("--raw")
    {
        Description = "FILES sent as raw binary requests, in seeded order.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string[]> _header = Many("--header", "'Name: value', repeatable; replaces one of ours.");
    private readonly Option<string?> _key = One<string?>("--key", "A key, sent as Authorization: Bearer. Default: the "
        + "variable SPILLWAY_KEY.");
    private readonly Option<string> _format = One("--format", "binary or json tensors in.", s_default.Format);
    private readonly Option<string?> _outputFormat = One<string?>("--output-format", "binary or json tensors out. "
        + "Default: as --format.");
    private readonly Option<double?> _rate = One<double?>("--rate", "Open loop: mean requests per second.");
    private readonly Option<string?> _arrivals =
        One<string?>("--arrivals", "poisson (default), constant or bursty: 3x the "
        + "rate a fifth of the time, 0.5x the rest, bursts of (dispersion-1)/(1.6 rate) seconds.");
    private readonly Option<double?> _dispersion =
        One<double?>("--dispersion", "Index of dispersion of counts for bursty "
        + "arrivals. Default: 20.");
    private readonly Option<string?> _trace =
        One<string?>("--trace", "CSV or JSON lines FILE; its first column or field is "
        + "the arrival time in seconds or ISO 8601.");
    private readonly Option<double?> _traceSpeed = One<double?>("--trace-speed", "Replays that many times as fast.");
    private readonly Option<int?> _concurrency = One<int?>("--concurrency", "Closed loop: connections. Default: 1.");
    private readonly Option<string?> _duration =
        One<string?>("--duration", "Measured time per round: 10s (default), 500ms, 2m.");
    private readonly Option<long?> _requests = One<long?>("--requests", "Measured requests per round at most.");
    private readonly Option<string?> _warmup =
        One<string?>("--warmup", "Unmeasured time before each round. Default: 1s, and "
        + "none before a trace.");
    private readonly Option<int?> _rounds = One<int?>("--rounds", "Rounds over all endpoints, in turns. Default: 1, "
        + "and 10 for a comparison.");
    private readonly Option<double?> _deadline =
        One<double?>("--deadline", "Milliseconds; sent as the protocol's timeout and "
        + "counted for goodput. Default: the model's own, counted only.");
    private readonly Option<int?> _priority =
        One<int?>("--priority", "The protocol's priority parameter; 1 is the highest.");
    private readonly Option<int?> _connections = One<int?>("--connections", "Open loop: connections at most. Default: "
        + $"{LoadPlanner.DefaultConnections}.");
    private readonly Option<string?> _phases = One<string?>("--phases", "1x:10s,10x:10s,1x:20s: multiples of --rate.");
    private readonly Option<int> _seed =
        One("--seed", "Arrivals, inputs and their order follow from it.", s_default.Seed);
    private readonly Option<int> _variants = One("--variants", "Different random requests.", s_default.Variants);
    private readonly Option<string> _timeout = One("--timeout", "A request is given up after this.", s_default.Timeout);
    private readonly Option<string> _drain = One("--drain", "Wait this long for the last answers.", s_default.Drain);
    private readonly Option<string[]> _pid =
        Many("--pid", "[name=]PID of a server: reports its process tree's CPU time per "
        + "answer. Plain ones go to the endpoints in order; a single one to all.");
    private readonly Option<string?> _csv = One<string?>("--csv", "FILE that gets a line per request, or per "
        + "step of a search or sweep.");
    private readonly SearchFlags _search = new();
    private readonly Option<bool> _json = One("--json", "Prints the report as JSON.", false);

    public IReadOnlyList<Option> All =>
    [
        _server, _model, _path, _input, _shape, _body, _raw, _header, _key, _format, _outputFormat, _rate, _arrivals,
        _dispersion, _trace, _traceSpeed, _phases, _concurrency, _connections, _duration, _requests, _warmup, _rounds,
        _deadline, _priority, _seed, _variants, _timeout, _drain, _pid, .. _search.All, _csv, _json,
    ];

    public LoadOptions Read(ParseResult parsed)
    {
        var servers = parsed.GetValue(_server) ?? [];
        var fromEnvironment = Environment.GetEnvironmentVariable("SPILLWAY_SERVER");
        return _search.Read(parsed, new()
        {
            Servers = servers.Length > 0 ? servers
                : [string.IsNullOrWhiteSpace(fromEnvironment) ? LoadOptions.DefaultServer : fromEnvironment],
            Models = parsed.GetValue(_model) ?? [],
            Paths = parsed.GetValue(_path) ?? [],
            Inputs = parsed.GetValue(_input) ?? [],
            Shapes = parsed.GetValue(_shape) ?? [],
            Body = parsed.GetValue(_body),
            Raw = parsed.GetValue(_raw) ?? [],
            Headers = WithKey(parsed.GetValue(_header) ?? [], parsed.GetValue(_key)),
            Format = parsed.GetValue(_format)!,
            OutputFormat = parsed.GetValue(_outputFormat),
            Rate = parsed.GetValue(_rate),
            Arrivals = parsed.GetValue(_arrivals),
            Dispersion = parsed.GetValue(_dispersion),
            Trace = parsed.GetValue(_trace),
            TraceSpeed = parsed.GetValue(_traceSpeed),
            Concurrency = parsed.GetValue(_concurrency),
            Duration = parsed.GetValue(_duration),
            Requests = parsed.GetValue(_requests),
            Warmup = parsed.GetValue(_warmup),
            Rounds = parsed.GetValue(_rounds),
            DeadlineMs = parsed.GetValue(_deadline),
            Priority = parsed.GetValue(_priority),
            Connections = parsed.GetValue(_connections),
            Phases = parsed.GetValue(_phases),
            Seed = parsed.GetValue(_seed),
            Variants = parsed.GetValue(_variants),
            Timeout = parsed.GetValue(_timeout)!,
            Drain = parsed.GetValue(_drain)!,
            Pids = parsed.GetValue(_pid) ?? [],
            Csv = parsed.GetValue(_csv),
            Json = parsed.GetValue(_json),
        });
    }

    /// <summary>A header of the name that was given wins over the key.</summary>
    private static string[] WithKey(string[] headers, string? key)
    {
        key ??= Environment.GetEnvironmentVariable("SPILLWAY_KEY") ?? "";
        return key.Length == 0 || headers.Any(h => h.StartsWith("authorization:", StringComparison.OrdinalIgnoreCase))
            ? headers : [.. headers, $"Authorization: Bearer {key}"];
    }

    public static Option<T> One<T>(string name, string description) => new(name) { Description = description };

    public static Option<T> One<T>(string name, string description, T value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };

    public static Option<string[]> Many(string name, string description) =>
        new(name) { Description = description, DefaultValueFactory = _ => [] };
}
