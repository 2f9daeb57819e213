using Spillway.Policies.Caching;

namespace Spillway.Engine.Routes;

/// <summary>A model in the place of a route's first step, as it stands at one moment. Immutable.</summary>
/// <param name="Door">Where it is; null for one that is not known, or takes or gives something else.</param>
/// <param name="Subject">What a remembered answer of it is an answer of: versions share none.</param>
/// <param name="Names">The names of the route's steps with it.</param>
internal sealed record RouteVersion(Door? Door, CacheSubject Subject, IReadOnlyList<string> Names);
