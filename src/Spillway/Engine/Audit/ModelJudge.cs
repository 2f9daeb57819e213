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
        var judged = (trust ?? ModelTrust.Nobody)
            .Judge(options.Name, options.Signing.Required, FilesOf(options, runtime));
        if (judged.TryGet(out var known, out _) && known.Doubt.Length > 0)
            Log.SignatureDoubtful(logger, options.Name, known.Doubt);
        return judged;
    }

    /// <summary>The digest of a model's files, where nobody judges it; empty when they cannot be read.</summary>
    public static string DigestOf(ModelOptions options, IRuntime runtime) =>
        ModelTrust.Nobody.Judge(options.Name, demanded: false, FilesOf(options, runtime)).TryGet(out var known, out _)
            ? known.Digest : "";

    /// <summary>Null when not all can be told; the load says more.</summary>
    private static IReadOnlyList<string>? FilesOf(ModelOptions options, IRuntime runtime)
    {
        try
        {
            return runtime.Files(new(options.Name, options.File, options.RuntimeOptions!));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
