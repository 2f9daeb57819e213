namespace Spillway.Config;

/// <summary>What became of a configuration that was read again.</summary>
public sealed record ReloadAnswer
{
    /// <summary>Absolute path of the file; empty where the application's configuration is it.</summary>
    public string Source { get; init; } = "";

    /// <summary>Everything that is wrong with it, as `spillway check` finds it. Then nothing was changed.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>Why nothing was read or changed; null when something was.</summary>
    public Fault? Fault { get; init; }

    /// <summary>The keys that are in force with other values now: "routes.chat.chat.maxTokens".</summary>
    public IReadOnlyList<string> Changed { get; init; } = [];

    /// <summary>The keys that differ and stay as they are until a restart: "server.port".</summary>
    public IReadOnlyList<string> NeedsRestart { get; init; } = [];

    /// <summary>The number of the configuration in force: 1 for the one that the server began with.</summary>
    public int Number { get; init; }

    /// <summary>Its digest.</summary>
    public string Digest { get; init; } = "";

    /// <summary>Whether the configuration that was read is in force, but for what needs a restart.</summary>
    public bool Applied => Errors.Count == 0 && Fault is null;
}
