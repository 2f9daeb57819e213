using Spillway.Flow;

namespace Spillway.Engine;

/// <summary>A deployment's place at its devices: starts those of its runners whose turn has come.</summary>
/// <param name="runners">Its runners by number.</param>
/// <param name="clock">The clock.</param>
/// <param name="journal">Keeps each decision; null outside tests and drills.</param>
internal sealed class DeviceSeat(Runner[] runners, Clock clock, FlowJournal? journal)
{
    private readonly Lock _lock = new();
    private IReadOnlyList<(DeviceTurns Device, DeviceShare Share)> _shares = [];
    private bool _left;

    public void Take(IReadOnlyList<(DeviceTurns Device, DeviceShare Share)> shares) => _shares = shares;

    /// <summary>After a step of the deployment that may have given a turn back; with no lock held.</summary>
    public void HandOn()
    {
        for (var i = 0; i < _shares.Count; i++)
            _shares[i].Device.HandOn();
    }

    /// <summary>
    /// A runner's turn has come. The lock keeps a runner that is about to be disposed from being started.
    /// </summary>
    public void Start(Grant grant)
    {
        lock (_lock)
        {
            if (_left)
                return;
            journal?.Granted(clock.Now, grant.Runner);
            runners[grant.Runner].Start(ownThread: grant.Share.MeanRun >= DeploymentFlow.InlineMax);
        }
    }

    /// <summary>The deployment ends: its turns are the others'.</summary>
    public void Leave()
    {
        lock (_lock)
            _left = true;
        foreach (var (device, share) in _shares)
            device.Leave(share);
    }
}
