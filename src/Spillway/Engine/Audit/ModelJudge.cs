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

    /// <summary>How often, and how long each time, it is waited for files that were written just now.</summary>
    private const int SettleTimes = 20;

    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(5);

    /// <summary>Where a model comes from, before anything reads it, a probe included.</summary>
    public static Outcome<JudgedModel> Judge(
        ModelTrust? trust, ModelOptions options, IRuntime runtime, ILogger logger, CancellationToken stop)
    {
        if (trust is null && !options.Signing.Required)
            return JudgedModel.Unknown;
        var files = FilesOf(options, runtime);
        var stamp = files is { Count: > 0 } ? Stamp(runtime, files, stop) : null;
        if (!(trust ?? ModelTrust.Nobody).Judge(options.Name, options.Signing.Required, files)
            .TryGet(out var known, out var refused))
            return refused;
        if (known.Doubt.Length > 0)
            Log.SignatureDoubtful(logger, options.Name, known.Doubt);
        return new JudgedModel(options.Name, known, runtime, files ?? [], stamp);
    }

    /// <summary>On a loading thread, which may wait a little.</summary>
    private static string? Stamp(IRuntime runtime, IReadOnlyList<string> files, CancellationToken stop)
    {
        var stamp = runtime.Stamp(files);
        for (var i = 0; i < SettleTimes && stamp is null && !stop.WaitHandle.WaitOne(s_settle); i++)
            stamp = runtime.Stamp(files);
        return stamp;
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
