using Spillway.Config;
using Spillway.Runtimes;
using Spillway.Store.Provenance;

namespace Spillway.Engine.Audit;

/// <summary>A model's files as they are at one moment, to tell later whether they still are. One owner.</summary>
internal sealed class FilesAsFound
{
    /// <summary>How often, and how long each time, it is waited for what was written just now.</summary>
    private const int SettleTimes = 20;

    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(5);

    private readonly IRuntime _runtime;

    private FilesAsFound(IRuntime runtime, IReadOnlyList<string>? paths, ModelStamp? stamp) =>
        (_runtime, Paths, Stamp) = (runtime, paths, stamp);

    /// <summary>The model file first; null when not all can be told, which the load says more of.</summary>
    public IReadOnlyList<string>? Paths { get; }

    /// <summary>Null where nothing tells a change, or where somebody writes all the time.</summary>
    public ModelStamp? Stamp { get; }

    /// <summary>How they stand now.</summary>
    public ModelStamp? StampNow => Paths is { Count: > 0 } ? _runtime.Stamp(Paths) : null;

    /// <summary>Whether their bytes are what they were; true as well where nothing tells.</summary>
    public bool AreSame => StampNow?.Files == Stamp?.Files;

    /// <summary>Looks at a model's files. On a loading thread, which may wait a little.</summary>
    public static FilesAsFound Of(ModelOptions options, IRuntime runtime, CancellationToken stop)
    {
        try
        {
            var paths = runtime.Files(new(options.Name, options.File, options.RuntimeOptions!));
            if (paths is not { Count: > 0 })
                return new(runtime, paths, stamp: null);
            var stamp = runtime.Stamp(paths);
            for (var i = 0; i < SettleTimes && stamp?.Folders is null && !stop.WaitHandle.WaitOne(s_settle); i++)
                stamp = runtime.Stamp(paths);
            return new(runtime, paths, stamp);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(runtime, paths: null, stamp: null);
        }
    }

    /// <summary>Of all of them; empty when they cannot be read, or there are none. Reads them whole.</summary>
    public string Digest()
    {
        try
        {
            return Paths is { Count: > 0 } ? ModelStatement.Digest(ModelStatement.Hash(Paths)) : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
