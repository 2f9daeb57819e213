using Spillway.Runtimes;

namespace Spillway.Engine.Canary;

/// <summary>How models are probed.</summary>
public sealed record CanarySettings
{
    /// <summary>
    /// The program that answers probes: Spillway's own executable, or dotnet with its assembly as the first argument.
    /// Empty: models are loaded without a probe, which the health page and the log should say.
    /// </summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>
    /// How long a probe may take before its process is ended; 60 s by default: the largest models load in less.
    /// </summary>
    public TimeSpan TimeMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Memory that a model may take, in bytes; null: nine tenths of what is free when it is probed.</summary>
    public long? BytesMax { get; init; }

    /// <summary>Asked for what is free when a model is probed, in bytes; null where nothing tells.</summary>
    public Func<long?> FreeBytes { get; init; } = static () => KernelMemory.FreeBytes;
}
