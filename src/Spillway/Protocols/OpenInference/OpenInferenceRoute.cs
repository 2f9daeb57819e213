using Spillway.Engine.Rollout;

namespace Spillway.Protocols.OpenInference;

/// <summary>The protocol's endpoints.</summary>
internal enum OpenInferenceEndpoint : byte
{
    /// <summary>GET /v2.</summary>
    Server,

    /// <summary>GET /v2/health/live.</summary>
    Live,

    /// <summary>GET /v2/health/ready.</summary>
    Ready,

    /// <summary>GET /v2/models.</summary>
    Models,

    /// <summary>GET /v2/models/{model}, also with /versions/{version}.</summary>
    Model,

    /// <summary>GET /v2/models/{model}/ready, also with /versions/{version}.</summary>
    ModelReady,

    /// <summary>POST /v2/models/{model}/infer, also with /versions/{version}.</summary>
    Infer,

    /// <summary>GET /v2/models/stats. So a model called "stats" has its metadata under its version only.</summary>
    AllStatistics,

    /// <summary>GET /v2/models/{model}/stats, also with /versions/{version}.</summary>
    ModelStatistics,

    /// <summary>GET /v2/models/{model}/config, also with /versions/{version}.</summary>
    ModelConfig,

    /// <summary>GET and POST /v2/trace/setting.</summary>
    TraceSetting,

    /// <summary>GET and POST /v2/models/{model}/trace/setting.</summary>
    ModelTraceSetting,

    /// <summary>GET and POST /v2/logging.</summary>
    LogSetting,

    /// <summary>POST /v2/repository/index.</summary>
    RepositoryIndex,

    /// <summary>POST /v2/repository/models/{model}/load.</summary>
    RepositoryLoad,

    /// <summary>POST /v2/repository/models/{model}/unload.</summary>
    RepositoryUnload,

    /// <summary>POST of one of these with the name of a repository before it: there is one only.</summary>
    NamedRepository,
}

/// <summary>One of the protocol's paths, taken apart without allocation. The spans lie in the given path.</summary>
internal readonly ref struct OpenInferenceRoute
{
    private OpenInferenceRoute(
        OpenInferenceEndpoint endpoint, ReadOnlySpan<char> model = default, ReadOnlySpan<char> version = default)
    {
        Endpoint = endpoint;
        Model = model;
        Version = version;
    }

    /// <summary>Which.</summary>
    public OpenInferenceEndpoint Endpoint { get; }

    /// <summary>The served name; empty where the path has none.</summary>
    public ReadOnlySpan<char> Model { get; }

    /// <summary>
    /// The version: digits, or a side of a route's rollout ("champion", "challenger"); empty for the model's own choice.
    /// </summary>
    public ReadOnlySpan<char> Version { get; }

    /// <summary>The methods that fit, as they stand in an Allow header.</summary>
    public string Method => Endpoint switch
    {
        OpenInferenceEndpoint.Infer or >= OpenInferenceEndpoint.RepositoryIndex => "POST",
        OpenInferenceEndpoint.TraceSetting or OpenInferenceEndpoint.ModelTraceSetting
            or OpenInferenceEndpoint.LogSetting => "GET, POST",
        _ => "GET",
    };

    /// <summary>
    /// Finds the endpoint of a path (percent-decoded, without the query) and checks the method. The faults' texts are
    /// the ones that clients look for.
    /// </summary>
    public static Fault? Parse(ReadOnlySpan<char> path, ReadOnlySpan<char> method, out OpenInferenceRoute route)
    {
        if (!TryParse(path, out route))
        {
            return IsSharedMemory(path)
                ? RequestFaults.Unsupported("shared memory", "send tensors in the body, as binary data")
                : new(FaultKind.UnknownPath, "Not Found");
        }

        return route.Allows(method) ? null : new(FaultKind.WrongMethod, "Method Not Allowed");
    }

    /// <summary>Triton's extension, which its clients may ask for.</summary>
    private static bool IsSharedMemory(ReadOnlySpan<char> path) =>
        path.StartsWith("/v2/systemsharedmemory/", StringComparison.Ordinal)
        || path.StartsWith("/v2/cudasharedmemory/", StringComparison.Ordinal);

    /// <summary>Finds the endpoint of a path; false when the protocol has no such path.</summary>
    public static bool TryParse(ReadOnlySpan<char> path, out OpenInferenceRoute route)
    {
        route = path switch
        {
            "/v2" or "/v2/" => new(OpenInferenceEndpoint.Server),
            "/v2/health/live" => new(OpenInferenceEndpoint.Live),
            "/v2/health/ready" => new(OpenInferenceEndpoint.Ready),
            "/v2/models" => new(OpenInferenceEndpoint.Models),
            "/v2/models/stats" => new(OpenInferenceEndpoint.AllStatistics),
            "/v2/trace/setting" => new(OpenInferenceEndpoint.TraceSetting),
            "/v2/logging" => new(OpenInferenceEndpoint.LogSetting),
            "/v2/repository/index" => new(OpenInferenceEndpoint.RepositoryIndex),
            _ => default,
        };
        if (route.Endpoint != default)
            return true;
        const string Prefix = "/v2/models/";
        if (path.StartsWith(Prefix, StringComparison.Ordinal))
            return TryParseModel(path[Prefix.Length..], out route);
        const string Repository = "/v2/repository/";
        if (path.StartsWith(Repository, StringComparison.Ordinal))
            return TryParseRepository(path[Repository.Length..], out route);
        return path is "/v2" or "/v2/";
    }

    /// <summary>What follows /v2/repository/: a name of a repository may come first, as Triton has it.</summary>
    private static bool TryParseRepository(ReadOnlySpan<char> rest, out OpenInferenceRoute route)
    {
        const string Models = "models/";
        var named = !rest.StartsWith(Models, StringComparison.Ordinal);
        if (named)
            rest = rest[Math.Min(rest.Length, SegmentLength(rest) + 1)..];
        route = new(OpenInferenceEndpoint.NamedRepository);
        if (named && rest is "index")
            return true;
        if (!rest.StartsWith(Models, StringComparison.Ordinal))
            return false;
        rest = rest[Models.Length..];
        var model = rest[..SegmentLength(rest)];
        var verb = rest[model.Length..];
        if (model.IsEmpty || verb is not ("/load" or "/unload"))
            return false;
        if (!named)
            route = new(verb is "/load" ? OpenInferenceEndpoint.RepositoryLoad : OpenInferenceEndpoint.RepositoryUnload, model);
        return true;
    }

    private bool Allows(ReadOnlySpan<char> method) =>
        method.SequenceEqual(Method) || (Method.Length > 4 && method is "GET" or "POST");

    private static bool TryParseModel(ReadOnlySpan<char> rest, out OpenInferenceRoute route)
    {
        route = default;
        var model = rest[..SegmentLength(rest)];
        rest = rest[model.Length..];
        if (model.IsEmpty)
            return false;
        ReadOnlySpan<char> version = [];
        const string Versions = "/versions/";
        if (rest.StartsWith(Versions, StringComparison.Ordinal))
        {
            rest = rest[Versions.Length..];
            version = rest[..SegmentLength(rest)];
            rest = rest[version.Length..];
            if (version is not (Rollouts.Champion or Rollouts.Challenger)
                && (version.IsEmpty || version.ContainsAnyExceptInRange('0', '9')))
                return false;
        }

        OpenInferenceEndpoint? endpoint = rest switch
        {
            "" => OpenInferenceEndpoint.Model,
            "/ready" => OpenInferenceEndpoint.ModelReady,
            "/infer" => OpenInferenceEndpoint.Infer,
            "/stats" => OpenInferenceEndpoint.ModelStatistics,
            "/config" => OpenInferenceEndpoint.ModelConfig,
            "/trace/setting" when version.IsEmpty => OpenInferenceEndpoint.ModelTraceSetting,
            _ => null,
        };
        if (endpoint is not { } found)
            return false;
        route = new(found, model, version);
        return true;
    }

    private static int SegmentLength(ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf('/');
        return end < 0 ? rest.Length : end;
    }
}
