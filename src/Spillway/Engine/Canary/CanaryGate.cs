using Spillway.Config;
using Spillway.Engine.Audit;
using Spillway.Runtimes;

namespace Spillway.Engine.Canary;

/// <summary>
/// Which loads are probed first: all of them, or (auto) those that happen while others are served, those of a model
/// repository, and what this server ended on before. What the configuration itself lists is trusted at the start: a
/// probe costs half a second there, and whoever lists a model has chosen it. A runtime without native code (no proofs)
/// is never probed.
/// </summary>
/// <param name="probe">Probes.</param>
/// <param name="always">Every file that was not probed before.</param>
public sealed class CanaryGate(CanaryProbe probe, bool always)
{
    /// <summary>Probes of a model whose files change under every one of them.</summary>
    private const int AttemptsMax = 3;

    private volatile bool _unprobed;

    /// <summary>False when there is no program to probe with.</summary>
    public bool IsOn => probe.IsOn;

    /// <summary>
    /// What the log says at the start when models are to be probed and there is no program; else null.
    /// </summary>
    public string? Warning => probe.IsOn || !IsWanted ? null
        : "Canary loading is off: a model that crashes its library ends this process. Name a spillway executable in "
            + "server.canaryExecutable, or set server.canary: off to accept it.";

    /// <summary>The same for the server's health, once a model was loaded that could have been probed.</summary>
    public string? HealthWarning => _unprobed ? Warning : null;

    /// <summary>False where the configuration switches probing off.</summary>
    public bool IsWanted { get; init; } = true;

    /// <summary>
    /// Probes what lies there; null, or why the model must not be loaded here. When it returns, the files are still
    /// those that were probed. Blocks: on the loading thread.
    /// </summary>
    /// <param name="model">As declared; its probe is due.</param>
    /// <param name="runtime">What will load it.</param>
    /// <param name="cancellation">The server stops.</param>
    internal Fault? Check(ModelOptions model, IRuntime runtime, CancellationToken cancellation)
    {
        try
        {
            Fault? fault = null;
            for (var attempt = 1; attempt <= AttemptsMax; attempt++)
            {
                var files = FilesAsFound.Of(model, runtime, cancellation);
                var outcome = probe.ProbeAsync(model, runtime, files, cancellation).GetAwaiter().GetResult();
                fault = outcome?.Fault;
                if (files.AreSame)
                    return fault;
            }

            return fault ?? new(FaultKind.LoadFailed, $"the files of {model.Name} changed under each of {AttemptsMax} "
                + "probes. Load it again when nobody writes there");
        }
        catch (OperationCanceledException)
        {
            return new(FaultKind.LoadFailed, "the server is stopping");
        }
    }

    /// <summary>Whether a file without a proof is probed before it is loaded here.</summary>
    internal bool IsDue(ModelOptions model, IRuntime runtime, bool whileServing)
    {
        if (runtime.Proofs is null)
            return false;
        _unprobed |= !probe.IsOn;
        return probe.IsOn
            && (always || whileServing || model.IsFound || CanaryProbe.EndedWithLastLoad(model, runtime));
    }
}
