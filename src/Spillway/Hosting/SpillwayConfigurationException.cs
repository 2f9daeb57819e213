using Spillway.Config;

namespace Spillway.Hosting;

/// <summary>The configuration of a server inside an application is wrong: the application does not start.</summary>
/// <param name="errors">All of them, at least one.</param>
public sealed class SpillwayConfigurationException(IReadOnlyList<ConfigError> errors)
    : Exception($"Spillway's configuration is wrong.\n{ConfigErrorText.Format(errors)}")
{
    /// <summary>Everything that is wrong, each with its key, its place and a remedy.</summary>
    public IReadOnlyList<ConfigError> Errors => errors;
}
