using System.Collections.Concurrent;
using Spillway.Flow;
using Spillway.Policies.Sharing;

namespace Spillway.Engine;

/// <summary>
/// The devices of this server by name, so that the deployments on one device take turns. Thread-safe. Bounded by the
/// devices that the runtimes name.
/// </summary>
/// <param name="groups">The limit of each concurrency group, on each device.</param>
/// <param name="clock">The clock.</param>
internal sealed class Devices(IReadOnlyDictionary<string, int> groups, Clock clock)
{
    private readonly ConcurrentDictionary<string, DeviceTurns> _devices = new(StringComparer.Ordinal);

    /// <summary>Nobody is about to be started. For tests, which wait until everything came to rest.</summary>
    public bool IsAtRest => _devices.Values.All(d => d.IsAtRest);

    /// <summary>A deployment's place at its devices, and its turns for its flow.</summary>
    /// <param name="sharing">Weight, priority, group.</param>
    /// <param name="runners">Its runners by number.</param>
    /// <param name="typicalRun">The expected time of a run.</param>
    /// <param name="journal">Keeps each decision; null outside tests and drills.</param>
    public (DeviceSeat Seat, DeploymentTurns Turns) Seat(
        SharingOptions sharing, Runner[] runners, TimeSpan typicalRun, FlowJournal? journal)
    {
        var seat = new DeviceSeat(runners, clock, journal);
        var shares = new Dictionary<string, (DeviceTurns Device, DeviceShare Share)>(StringComparer.Ordinal);
        foreach (var own in runners.GroupBy(r => r.Device.Name, StringComparer.Ordinal))
        {
            var device = _devices.GetOrAdd(own.Key, _ => new(groups, clock));
            var runsAtOnce = Math.Max(own.First().Device.Parallelism, own.Count());
            shares[own.Key] = (device, device.Join(sharing, runners.Length, runsAtOnce, typicalRun, seat));
        }

        seat.Take([.. shares.Values]);
        var byRunner = runners.Select(r => ((ITurns)shares[r.Device.Name].Device, shares[r.Device.Name].Share));
        return (seat, new([.. byRunner]));
    }
}
