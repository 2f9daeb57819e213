using Spillway.Policies.Caching;

namespace Spillway.Engine.Routes;

/// <summary>
/// What a route's remembered answers are answers of: its first step's model as it stands, with its files and its
/// declaration. While that is away, as it was: what it answered is still what it would answer. Thread-safe.
/// </summary>
/// <param name="route">The route's name.</param>
internal sealed class RouteSubject(string route)
{
    private readonly Lock _lock = new();

    // What the model was when it was last there.
    private (CacheSubject Subject, string Digest, object Of)? _known;
    private int _versions;

    /// <summary>What it is now.</summary>
    /// <param name="door">The first step's; null where no model is known.</param>
    public CacheSubject Of(Door? door)
    {
        var digest = door?.Deployment?.Provenance.Digest ?? "";
        lock (_lock)
        {
            if (Identity(door, digest) is not { } of)
                return _known?.Subject ?? New(door, "");
            if (_known is not { } known || digest != known.Digest || !ReferenceEquals(of, known.Of))
                _known = known = (New(door, FormattableString.Invariant($"{digest}#{++_versions}")), digest, of);
            return known.Subject;
        }
    }

    private CacheSubject New(Door? door, string version) =>
        new(door?.Route.Deployment ?? "", version, new(route, RoutePlan.Version));

    /// <summary>What another one of is another model; null while it is away.</summary>
    private static object? Identity(Door? door, string digest)
    {
        if (door?.Upstream is { } upstream)
            return upstream;
        if (door?.Deployment is not { } deployment)
            return null;
        // Of a model whose files nobody could read as such every load may be another one.
        return digest.Length == 0 ? deployment : door.Options;
    }
}
