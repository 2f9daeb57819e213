using System.Runtime.InteropServices;
using Spillway.Runtimes.Onnx.Cache;

namespace Spillway.Runtimes.Onnx.Profiling;

/// <summary>Time of all nodes of one operator while a model was profiled.</summary>
/// <param name="Name">"Conv".</param>
/// <param name="Nodes">How many nodes of the optimized graph.</param>
/// <param name="Ms">Time in its kernels over all runs, in milliseconds.</param>
/// <param name="Share">Part of the time of all kernels, 0 to 1.</param>
public sealed record OperatorTime(string Name, int Nodes, double Ms, double Share);

/// <summary>
/// Which operators of a model take the time, by ONNX Runtime's own profiler, in a session of its own.
/// </summary>
public static unsafe class OperatorProfiler
{
    /// <summary>
    /// Loads the model with the profiler on, exercises it, and sums up what the profiler wrote; hottest first. The
    /// profiler slows a run down by a few microseconds a node, so the shares are to be trusted more than the times.
    /// </summary>
    /// <param name="source">An ONNX model.</param>
    /// <param name="exercise">
    /// Runs it; at most a few dozen runs, because the profiler writes a line for each node of each.
    /// </param>
    /// <param name="cancellation">Ends the load.</param>
    public static Outcome<IReadOnlyList<OperatorTime>> Measure(
        ModelSource source, Func<ILoadedModel, Fault?> exercise, CancellationToken cancellation)
    {
        if (!OnnxRuntime.Resolve(source, out var library, out var provider).TryGet(out _, out var fault))
            return fault;
        var folder = Directory.CreateTempSubdirectory("spillway-profile-").FullName;
        try
        {
            var extras = new SessionExtras { ProfilePrefix = Path.Combine(folder, "ort") };
            var session = OrtSession.Create(library, source.File, (OnnxOptions)source.Options, provider, cancellation,
                extras);
            var loading = new CachedSession(library, source, provider, cancellation);
            if (!OnnxModel.Wrap(loading, session, library, source, provider, before: null)
                .TryGet(out var model, out fault))
                return fault;
            using (model)
            {
                if (exercise(model) is { } failed)
                    return failed;
                return ProfileFile.Sum(End(library, session)) is { Count: > 0 } times
                    ? times
                    : new Fault(FaultKind.RuntimeFailed, "ONNX Runtime's profiler wrote nothing that could be read.");
            }
        }
        catch (Exception error) when (error is OrtException || CacheFolder.IsFileProblem(error))
        {
            return new Fault(FaultKind.RuntimeFailed, $"The operators could not be profiled: {error.Message}");
        }
        finally
        {
            ModelCache.Drop(folder);
        }
    }

    /// <summary>
    /// Execution providers that the model's library was built with, "cpu" first; empty when it does not load.
    /// </summary>
    public static IReadOnlyList<string> Providers(ModelSource source) =>
        OnnxRuntime.Resolve(source, out var library, out _).TryGet(out _, out _)
            ? [.. library.Providers.Select(static name =>
                name.Replace("ExecutionProvider", "", StringComparison.Ordinal).ToLowerInvariant())
                    .OrderBy(static name => name != "cpu")]
            : [];

    /// <summary>Ends profiling; where the file is.</summary>
    private static string End(OrtLibrary library, OrtHandle session)
    {
        byte* name;
        library.Api.Check(library.Api.EndProfiling(session.Value, library.Allocator, &name));
        var file = Marshal.PtrToStringUTF8((nint)name) ?? "";
        library.Api.Check(library.Api.AllocatorFree(library.Allocator, name));
        return file;
    }
}
