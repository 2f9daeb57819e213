namespace Spillway.Runtimes.Onnx;

/// <summary>Makes a native session: options in, handle out. Throws <see cref="OrtException"/>.</summary>
internal static unsafe class OrtSession
{
    private const int LoadCancellationSince = 22;

    /// <summary>Loads the model file; cancellation reaches the native load where the library is 1.22 or newer.</summary>
    public static OrtHandle Create(
        OrtLibrary library, string file, OnnxOptions options, OrtProvider provider, CancellationToken cancellation)
    {
        var api = library.Api;
        var native = CreateOptions(api);
        try
        {
            Configure(api, native, options);
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
        Set("session.intra_op.allow_spinning", options.Spinning);
        Set("session.inter_op.allow_spinning", options.Spinning);

        void Set(string key, bool on)
        {
            fixed (byte* name = OrtNames.Text(key), value = OrtNames.Text(on ? "1" : "0"))
                api.Check(api.AddSessionConfigEntry(native, name, value));
        }
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

    /// <summary>A path is UTF-8 here, but UTF-16 on Windows (ORTCHAR_T).</summary>
    private static nint Open(OrtLibrary library, string file, nint options)
    {
        nint session;
        if (OperatingSystem.IsWindows())
        {
            fixed (char* path = file)
                library.Api.Check(library.Api.CreateSession(library.Environment, path, options, &session));
        }
        else
        {
            fixed (byte* path = OrtNames.Text(file))
                library.Api.Check(library.Api.CreateSession(library.Environment, path, options, &session));
        }

        return session;
    }

    private static void Cancel(OrtApi api, nint options)
    {
        var status = api.SetLoadCancellation(options, cancel: true);
        if (status != 0)
            api.ReleaseStatus(status);
    }
}
