namespace Spillway.Runtimes.Onnx;

/// <summary>Makes a native session: options in, handle out. Throws <see cref="OrtException"/>.</summary>
internal static unsafe class OrtSession
{
    private const int LoadCancellationSince = 22;

    /// <summary>
    /// Loads the model file; cancellation reaches the native load where the library is 1.22 or newer.
    /// </summary>
    public static OrtHandle Create(
        OrtLibrary library, string file, OnnxOptions options, OrtProvider provider, CancellationToken cancellation,
        SessionExtras? extras = null)
    {
        var api = library.Api;
        var native = CreateOptions(api);
        try
        {
            Configure(api, native, options);
            Configure(api, native, extras ?? new());
            provider.AppendTo(native, api);
            using var registration = library.IsAtLeast(LoadCancellationSince)
                ? cancellation.Register(() => Cancel(api, native))
                : default;
            return new OrtHandle(Open(library, file, native), api.ReleaseSession);
        }
        finally
        {
            api.ReleaseSessionOptions(native);
        }
    }

    private static nint CreateOptions(OrtApi api)
    {
        nint options;
        api.Check(api.CreateSessionOptions(&options));
        return options;
    }

    private static void Configure(OrtApi api, nint native, OnnxOptions options)
    {
        api.Check(api.SetIntraOpNumThreads(native, options.IntraOpThreads));
        api.Check(api.SetInterOpNumThreads(native, options.InterOpThreads));
        api.Check(api.SetSessionExecutionMode(native, options.InterOpThreads > 1 ? 1 : 0));
        api.Check(api.SetSessionGraphOptimizationLevel(native, LevelOf(options.Optimization)));
        if (!options.MemoryArena)
            api.Check(api.DisableCpuMemArena(native));
        Set(api, native, "session.intra_op.allow_spinning", options.Spinning ? "1" : "0");
        Set(api, native, "session.inter_op.allow_spinning", options.Spinning ? "1" : "0");
    }

    private static void Configure(OrtApi api, nint native, SessionExtras extras)
    {
        if (extras.GraphFile.Length > 0)
            WithPath(extras.GraphFile, path => api.SetOptimizedModelFilePath(native, (void*)path), api);
        if (extras.ProfilePrefix.Length > 0)
            WithPath(extras.ProfilePrefix, path => api.EnableProfiling(native, (void*)path), api);
        foreach (var (key, value) in extras.Entries)
            Set(api, native, key, value);
    }

    private static void Set(OrtApi api, nint native, string key, string value)
    {
        fixed (byte* name = OrtNames.Text(key), text = OrtNames.Text(value))
            api.Check(api.AddSessionConfigEntry(native, name, text));
    }

    /// <summary>GraphOptimizationLevel; the words are the option's, checked with the configuration.</summary>
    private static int LevelOf(string word) => word switch
    {
        "none" => 0,
        "basic" => 1,
        "extended" => 2,
        "all" => 99,
        _ => throw new ArgumentOutOfRangeException(nameof(word), word, "Expected all, extended, basic or none."),
    };

    private static nint Open(OrtLibrary library, string file, nint options)
    {
        nint session = 0;
        WithPath(file, path =>
        {
            nint opened;
            var status = library.Api.CreateSession(library.Environment, (void*)path, options, &opened);
            session = status == 0 ? opened : 0;
            return status;
        }, library.Api);
        return session;
    }

    /// <summary>A path is UTF-8 here, but UTF-16 on Windows (ORTCHAR_T).</summary>
    private static void WithPath(string file, Func<nint, nint> call, OrtApi api)
    {
        if (OperatingSystem.IsWindows())
        {
            fixed (char* path = file)
                api.Check(call((nint)path));
        }
        else
        {
            fixed (byte* path = OrtNames.Text(file))
                api.Check(call((nint)path));
        }
    }

    private static void Cancel(OrtApi api, nint options)
    {
        var status = api.SetLoadCancellation(options, cancel: true);
        if (status != 0)
            api.ReleaseStatus(status);
    }
}
