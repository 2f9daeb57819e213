using System.Collections;
using Spillway.Runtimes.Simulated;

namespace Spillway.Runtimes;

/// <summary>
/// The runtimes of a server, by name. Simulated is always there; others are added in code, by methods of the assemblies
/// that bring them: AddOnnx. Not thread-safe; a server takes them at its start.
/// </summary>
public sealed class RuntimeSet : IEnumerable<IRuntime>
{
    private readonly Dictionary<string, IRuntime> _runtimes = new(StringComparer.Ordinal);

    /// <summary>Simulated only.</summary>
    /// <param name="time">The clock of simulated runs.</param>
    public RuntimeSet(TimeProvider time) => Add(new SimulatedRuntime(time));

    /// <summary>Simulated only, on the system's clock.</summary>
    public RuntimeSet()
        : this(TimeProvider.System)
    {
    }

    /// <summary>By name.</summary>
    public IReadOnlyDictionary<string, IRuntime> ByName => _runtimes;

    /// <summary>The options class of each, by its name.</summary>
    public IReadOnlyDictionary<string, Type> OptionsTypes =>
        _runtimes.ToDictionary(r => r.Key, r => r.Value.OptionsType);

    /// <summary>One more; throws when its name is taken.</summary>
    public RuntimeSet Add(IRuntime runtime)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        if (!_runtimes.TryAdd(runtime.Name, runtime))
            throw new ArgumentException($"There is a runtime '{runtime.Name}' already.", nameof(runtime));
        return this;
    }

    /// <inheritdoc/>
    public IEnumerator<IRuntime> GetEnumerator() => _runtimes.Values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
