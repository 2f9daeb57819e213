using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>
/// One loaded native library with its one environment. Loaded once a process and path, never unloaded: its threads and
/// static state cannot be taken down safely. Telemetry is off before its first instruction runs, and it writes no log.
/// </summary>
internal sealed unsafe class OrtLibrary
{
    private const int LogFatal = 4; // Every error comes back as a status, so nothing is worth a line on stderr.
    private const int AllocatorArena = 1;
    private const int MemoryDefault = 0;

    private static readonly Lock s_gate = new();
    private static readonly Dictionary<string, OrtLibrary> s_loaded = [];

    private OrtLibrary(string file, string version, OrtApi api)
    {
        (File, Version, Api) = (file, version, api);
        nint env, memory, allocator;
        fixed (byte* logId = OrtNames.Text("spillway"))
            api.Check(api.CreateEnv(LogFatal, logId, &env));
        Environment = env;
        api.Check(api.DisableTelemetryEvents(env));
        api.Check(api.CreateCpuMemoryInfo(AllocatorArena, MemoryDefault, &memory));
        CpuMemory = memory;
        api.Check(api.GetAllocatorWithDefaultOptions(&allocator));
        Allocator = allocator;
        Providers = ReadProviders(api);
        Build = Marshal.PtrToStringUTF8((nint)api.GetBuildInfo()) ?? "";
    }

    /// <summary>Where it was loaded from.</summary>
    public string File { get; }

    /// <summary>As it names itself: "1.30.0".</summary>
    public string Version { get; }

    /// <summary>What it was built from: commit and flags.</summary>
    public string Build { get; }

    /// <summary>Its functions.</summary>
    public OrtApi Api { get; }

    /// <summary>OrtEnv, for the life of the process.</summary>
    public nint Environment { get; }

    /// <summary>OrtMemoryInfo of ordinary memory.</summary>
    public nint CpuMemory { get; }

    /// <summary>OrtAllocator of ordinary memory; the library's, not to be released.</summary>
    public nint Allocator { get; }

    /// <summary>Execution providers it was built with: "CPUExecutionProvider".</summary>
    public IReadOnlyList<string> Providers { get; }

    /// <summary>The library of that file, loaded on the first call. A failure is not remembered.</summary>
    public static Outcome<OrtLibrary> Load(string file)
    {
        lock (s_gate)
        {
            if (s_loaded.TryGetValue(file, out var known))
                return known;
            var outcome = Open(file);
            if (outcome.TryGet(out var library, out _))
                s_loaded.Add(file, library);
            return outcome;
        }
    }

    /// <summary>The fault of a version that is too old or cannot be read, or null.</summary>
    public static Fault? CheckVersion(string file, string version)
    {
        var parts = version.Split('.');
        var known = parts.Length >= 2
            && int.TryParse(parts[0], out var major) && int.TryParse(parts[1], out var minor)
            && (major > 1 || (major == 1 && minor >= OrtApi.VersionMin));
        return known ? null : Unusable(file, $"is version '{version}'; 1.{OrtApi.VersionMin} or newer is needed");
    }

    /// <summary>True when the library is at least that 1.x version; for functions added later.</summary>
    public bool IsAtLeast(int minor) => System.Version.TryParse(Version.Split('-', '+')[0], out var version)
        && version >= new Version(1, minor);

    private static Outcome<OrtLibrary> Open(string file)
    {
        DisableTelemetry();
        try
        {
            // Never unloaded on failure either: a library may have started threads.
            var module = NativeLibrary.Load(file);
            if (!NativeLibrary.TryGetExport(module, "OrtGetApiBase", out var entry))
                return Unusable(file, "is a library, but not ONNX Runtime (it has no OrtGetApiBase)");
            // OrtApiBase is two functions: GetApi and GetVersionString.
            var root = ((delegate* unmanaged<void**>)entry)();
            var version = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)root[1])()) ?? "";
            if (CheckVersion(file, version) is { } old)
                return old;
            var table = ((delegate* unmanaged<uint, void**>)root[0])(OrtApi.VersionMin);
            return table is null
                ? Unusable(file, $"does not offer interface version {OrtApi.VersionMin}")
                : new OrtLibrary(file, version, new OrtApi(table));
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException or OrtException)
        {
            return Unusable(file, $"could not be loaded: {new OrtError(default, error.Message).Text}");
        }
    }

    /// <summary>
    /// ONNX Runtime 1.29 and newer report every loaded model's name to its maker unless this variable is set when the
    /// library starts. .NET's own setter changes a managed copy that native code does not see, hence libc.
    /// Setting a variable is not safe against a native thread that reads one: so once, before the library's threads
    /// exist.
    /// </summary>
    private static void DisableTelemetry()
    {
        const string Variable = "ORT_DISABLE_TELEMETRY";
        System.Environment.SetEnvironmentVariable(Variable, "1");
        if (OperatingSystem.IsWindows() || s_loaded.Count > 0)
            return;
        fixed (byte* name = OrtNames.Text(Variable), value = OrtNames.Text("1"))
            _ = LibC.SetEnv(name, value, overwrite: 1);
    }

    private static string[] ReadProviders(OrtApi api)
    {
        byte** names;
        int count;
        api.Check(api.GetAvailableProviders(&names, &count));
        var providers = new string[count];
        for (var i = 0; i < count; i++)
            providers[i] = Marshal.PtrToStringUTF8((nint)names[i]) ?? "";
        api.Check(api.ReleaseAvailableProviders(names, count));
        return providers;
    }

    private static Fault Unusable(string file, string why) =>
        new(FaultKind.LoadFailed, $"The ONNX Runtime library '{file}' {why}. {OrtLocator.Remedy}");
}

/// <summary>The one function of the C library in use.</summary>
internal static unsafe partial class LibC
{
    /// <summary>Sets a variable in the environment that native code reads.</summary>
    [LibraryImport("libc", EntryPoint = "setenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    internal static partial int SetEnv(byte* name, byte* value, int overwrite);
}
