using Spillway.Config;
using Spillway.Runtimes;

namespace Spillway.Engine.Canary;

/// <summary>
/// Which loads are probed first: all of them, or (auto) those that happen while others are served, and what this server
/// ended on before. A runtime without native code (no proofs) is never probed.
/// </summary>
/// <param name="probe">Probes.</param>
/// <param name="always">Every file that was not probed before.</param>
public sealed class CanaryGate(CanaryProbe probe, bool always)
{
    /// <summary>False when there is no program to probe with.</summary>
    public bool IsOn => probe.IsOn;

    /// <summary>
    /// Probes if it is due; null, or why the model must not be loaded here. Blocks: on the loading thread.
    /// </summary>
    /// <param name="model">As declared.</param>
    /// <param name="runtime">What will load it.</param>
    /// <param name="whileServing">Others are being served.</param>
    /// <param name="cancellation">The server stops.</param>
    internal Fault? Check(ModelOptions model, IRuntime runtime, bool whileServing, CancellationToken cancellation)
    {
        if (!probe.IsOn || runtime.Proofs is null)
            return null;
        if (!always && !whileServing && !CanaryProbe.EndedWithLastLoad(model, runtime))
            return null;
        try
        {
            return probe.ProbeAsync(model, runtime, cancellation).GetAwaiter().GetResult() is { } outcome
                && !outcome.TryGet(out _, out var fault) ? fault : null;
        }
        catch (OperationCanceledException)
        {
            return new(FaultKind.LoadFailed, "the server is stopping");
        }
    }
}
