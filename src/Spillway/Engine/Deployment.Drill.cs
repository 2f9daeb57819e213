using Spillway.Engine.Drills;

namespace Spillway.Engine;

/// <content>What a drill may break of it.</content>
public sealed partial class Deployment
{
    private volatile DrillSwitch? _drills;

    /// <summary>What a drill breaks; null until the first that is about it.</summary>
    internal DrillSwitch? Drills
    {
        get => _drills;
        set => _drills = value;
    }
}
