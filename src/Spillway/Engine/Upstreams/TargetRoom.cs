namespace Spillway.Engine.Upstreams;

/// <summary>
/// What an upstream shares with the one whose place it takes: the lock, and who waits for a target with room.
/// </summary>
internal sealed class TargetRoom
{
    /// <summary>Guards everything of both.</summary>
    public Lock Lock { get; } = new();

    /// <summary>Under the lock: the lines, the older first.</summary>
    public List<UpstreamQueue> Lines { get; } = [];

    /// <summary>Under the lock: gives turns as long as there are any.</summary>
    public void Serve()
    {
        foreach (var line in Lines)
            line.Serve();
    }
}
