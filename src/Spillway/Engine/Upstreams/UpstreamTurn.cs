using Spillway.Policies.Breaking;
using Spillway.Policies.Routing;

namespace Spillway.Engine.Upstreams;

/// <summary>A target to ask, or why there is none.</summary>
/// <param name="Target">Its index, or -1.</param>
/// <param name="Pass">Goes back with the result, exactly once.</param>
/// <param name="Fault">Why there is none.</param>
internal readonly record struct UpstreamTurn(int Target, TargetPass Pass, Fault? Fault);

/// <summary>How a target stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">Whether it takes requests.</param>
/// <param name="Limit">Requests that it gets at once.</param>
/// <param name="InFlight">Requests at it.</param>
/// <param name="Latency">Recent time to the first byte; null when it never answered.</param>
/// <param name="Why">Its breaker as a sentence.</param>
internal readonly record struct TargetView(
    string Name, BreakerState State, int Limit, int InFlight, TimeSpan? Latency, string Why);
