using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Runtimes;
using Spillway.Store.Provenance;

namespace Spillway.Engine.Audit;

/// <summary>Asks whose model it is before it is loaded.</summary>
internal static class ModelJudge
{
    /// <summary>Where a model comes from, before anything reads it, a probe included.</summary>
    public static Outcome<ModelProvenance> Judge(
        ModelTrust? trust, ModelOptions options, IRuntime runtime, ILogger logger)
    {
        if (trust is null && !options.Signing.Required)
            return ModelProvenance.Unknown;
        IReadOnlyList<string>? files = null;
        try
        {
            files = runtime.Files(new(options.Name, options.File, options.RuntimeOptions!));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not all can be told; the load says more.
        }

        var judged = (trust ?? ModelTrust.Nobody).Judge(options.Name, options.Signing.Required, files);
        if (judged.TryGet(out var known, out _) && known.Doubt.Length > 0)
            Log.SignatureDoubtful(logger, options.Name, known.Doubt);
        return judged;
    }
}
