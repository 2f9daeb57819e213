using Spillway.Config;
using Spillway.Engine;
using Spillway.Engine.Rollout;

namespace Spillway.Hosting;

/// <summary>Opens the rollouts of a server, and shows them on /metrics.</summary>
internal static class RolloutSetup
{
    /// <summary>Once, before the first request. Without a route that declares one nothing is read or written.</summary>
    /// <exception cref="SpillwayStartException">What an earlier process left cannot be read.</exception>
    public static Rollouts Open(Snapshot snapshot, Serving serving, ServerState state, Recorder recorder)
    {
        var rollouts = serving.Rollouts;
        if (!rollouts.All.Any())
            return rollouts;
        var fault = rollouts.Desk.Open(
            snapshot.StateFolder, () => state.Take().TryGet(out var folder, out var held) ? folder.Path : held);
        if (fault is not null)
            throw new SpillwayStartException(fault.Message);
        state.Own(rollouts);
        recorder.Registry.Add(rollouts, rollouts.Series());
        return rollouts;
    }
}
