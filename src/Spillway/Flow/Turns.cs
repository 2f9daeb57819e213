namespace Spillway.Flow;

/// <summary>
/// The turns of one device as a deployment uses them. <see cref="DeviceFlow"/> is the rule; the Engine puts one short
/// lock around it. Called by a <see cref="DeploymentFlow"/>, so inside that deployment's lock: an implementation takes
/// no other deployment's lock, calls nobody back, and leaves the starting of others to its interpreter.
/// </summary>
public interface ITurns
{
    /// <summary>
    /// A runner wants to run. True: it has the turn. False: it waits, and will be started when it has it.
    /// </summary>
    bool Ask(DeviceShare share, int runner, Instant now);

    /// <summary>
    /// A runner ended a run and wants another. True: it goes on. False: others are due, and it waits.
    /// </summary>
    bool Again(DeviceShare share, int runner, Instant now);

    /// <summary>A runner gives its turn back.</summary>
    /// <param name="share">The deployment's part.</param>
    /// <param name="runner">Its number.</param>
    /// <param name="ran">It ran since it was last asked.</param>
    /// <param name="now">The present.</param>
    void Return(DeviceShare share, int runner, bool ran, Instant now);

    /// <summary>What the deployment may expect.</summary>
    TurnOutlook Outlook(DeviceShare share, Instant now);
}

/// <summary>What a deployment may expect of its devices.</summary>
/// <param name="TurnIn">Predicted time until it has a turn, if it asked now.</param>
/// <param name="Turns">Runs at once that its part of the device comes to, while others want theirs; above 0.</param>
public readonly record struct TurnOutlook(TimeSpan TurnIn, double Turns);

/// <summary>A runner whose turn has come: the interpreter starts it.</summary>
/// <param name="Share">The deployment's part.</param>
/// <param name="Runner">Its number.</param>
public readonly record struct Grant(DeviceShare Share, int Runner);

/// <summary>
/// The turns of one deployment, whose runners may be on several devices. Part of its flow: guarded by the same lock.
/// </summary>
/// <param name="byRunner">The device of each runner, and the deployment's part of it.</param>
public sealed class DeploymentTurns(IReadOnlyList<(ITurns Device, DeviceShare Share)> byRunner)
{
    private readonly (ITurns Device, DeviceShare Share)[] _byRunner = [.. byRunner];
    private readonly (ITurns Device, DeviceShare Share)[] _devices = [.. byRunner.Distinct()];
    private readonly bool[] _ran = new bool[byRunner.Count];

    internal bool Ask(int runner, Instant now) => _byRunner[runner].Device.Ask(_byRunner[runner].Share, runner, now);

    /// <summary>A run is over.</summary>
    internal void Ran(int runner) => _ran[runner] = true;

    /// <summary>
    /// May it take a batch? At once when its turn has just come; after a run only if nobody else is due.
    /// </summary>
    internal bool MayGoOn(int runner, Instant now)
    {
        if (!_ran[runner])
            return true;
        _ran[runner] = false;
        return _byRunner[runner].Device.Again(_byRunner[runner].Share, runner, now);
    }

    internal void Return(int runner, Instant now)
    {
        var ran = _ran[runner];
        _ran[runner] = false;
        _byRunner[runner].Device.Return(_byRunner[runner].Share, runner, ran, now);
    }

    internal TurnOutlook Outlook(Instant now)
    {
        var sum = new TurnOutlook(TimeSpan.MaxValue, 0);
        foreach (var (device, share) in _devices)
        {
            var one = device.Outlook(share, now);
            sum = new(one.TurnIn < sum.TurnIn ? one.TurnIn : sum.TurnIn, sum.Turns + one.Turns);
        }

        return sum;
    }
}
