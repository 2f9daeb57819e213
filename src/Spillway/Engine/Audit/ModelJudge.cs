using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Runtimes;
using Spillway.Store.Provenance;

namespace Spillway.Engine.Audit;

/// <summary>Asks whose model it is before it is loaded, and afterwards whether it was that one.</summary>
internal static class ModelJudge
{
    /// <summary>Attempts at a model whose files change under every load.</summary>
    public const int AttemptsMax = 3;

    /// <summary>Where a model comes from, before anything reads it, a probe included.</summary>
    public static Outcome<JudgedModel> Judge(
        ModelTrust? trust, ModelOptions options, IRuntime runtime, ILogger logger, CancellationToken stop)
    {
        if (trust is null && !options.Signing.Required)
            return JudgedModel.Unknown;
        var files = FilesAsFound.Of(options, runtime, stop);
        trust ??= ModelTrust.Nobody;
        var demanded = trust.Demands(options.Name, options.Signing.Required);
        if (!trust.Judge(options.Name, demanded, files.Paths).TryGet(out var known, out var refused))
            return refused;
        if (known.Doubt.Length > 0)
            Log.SignatureDoubtful(logger, options.Name, known.Doubt);
        return new JudgedModel(options.Name, known, files, demanded);
    }
}
