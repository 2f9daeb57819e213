using Microsoft.Extensions.Logging;

namespace Spillway.Telemetry;

/// <summary>
/// Which of the server's own log events are written, changed while it runs (the protocol's log settings). Asked at
/// every event: one read. Critical events are always written.
/// </summary>
public sealed class LogSwitch
{
    private volatile LogSetting _setting = new();

    /// <summary>What is in force.</summary>
    public LogSetting Setting
    {
        get => _setting;
        set => _setting = value;
    }

    /// <summary>Whether events of a level are written.</summary>
    public bool Allows(LogLevel level) => level switch
    {
        LogLevel.Trace => _setting.VerboseLevel >= 2,
        LogLevel.Debug => _setting.VerboseLevel >= 1,
        LogLevel.Information => _setting.Information,
        LogLevel.Warning => _setting.Warning,
        LogLevel.Error => _setting.Error,
        LogLevel.Critical => true,
        LogLevel.None => false,
    };
}

/// <summary>Levels that are written, each by itself.</summary>
public sealed record LogSetting
{
    /// <summary>Loads, readiness, drains.</summary>
    public bool Information { get; init; } = true;

    /// <summary>Degraded modes.</summary>
    public bool Warning { get; init; } = true;

    /// <summary>Failures.</summary>
    public bool Error { get; init; } = true;

    /// <summary>0 for none, 1 adds debug events, 2 and more all there are.</summary>
    public uint VerboseLevel { get; init; }
}
