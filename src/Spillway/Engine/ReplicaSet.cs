using Spillway.Policies.Batching;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>The replicas of a deployment: one for every runner that any curve could call for, on each device.</summary>
internal static class ReplicaSet
{
    /// <summary>Makes them; they share the model, and cost little.</summary>
    /// <param name="model">Loaded.</param>
    /// <param name="options">How many.</param>
    /// <param name="first">One on the first device that is there already.</param>
    public static Outcome<List<(Device Device, IBatchReplica Replica)>> Make(
        ILoadedModel model, BatchingOptions options, IBatchReplica first)
    {
        List<(Device Device, IBatchReplica Replica)> replicas = [];
        for (var device = 0; device < model.Traits.Devices.Count; device++)
        {
            for (var i = 0; i < Most(model.Traits.Devices[device], options); i++)
            {
                if (replicas.Count == 0)
                    replicas.Add((model.Traits.Devices[device], first));
                else if (model.CreateReplica(device).TryGet(out var replica, out var fault))
                    replicas.Add((model.Traits.Devices[device], replica));
                else
                    return fault;
            }
        }

        return replicas;
    }

    /// <summary>Which of them the curve of the typical shape calls for: the first so many of each device.</summary>
    public static bool[] InUse(RuntimeTraits traits, BatchingOptions options, BucketCurve curve)
    {
        var useful = Math.Min(BatchCurve.UsefulRows(curve.Points, options.GainMin), options.BatchRowsMax);
        return
        [
            .. traits.Devices.SelectMany(device => Enumerable.Range(0, Most(device, options))
                .Select(i => i < BatchCurve.RunnersPerDevice(options.Runners, useful, device.Parallelism))),
        ];
    }

    private static int Most(Device device, BatchingOptions options) =>
        options.Runners > 0 ? options.Runners : device.Parallelism;
}
