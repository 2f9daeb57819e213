using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>
/// The part of ONNX Runtime's C function table (struct OrtApi) in use. The table is append-only, so a slot's number
/// never changes; every slot here exists since 1.20 unless its comment says later. A method that returns nint returns
/// an OrtStatus: 0 on success, else owned by the caller (<see cref="Take"/>).
/// </summary>
internal readonly unsafe struct OrtApi(void** table)
{
    /// <summary>The version of the table asked for; the oldest library that is taken.</summary>
    public const int VersionMin = 20;

    private readonly void** _table = table;

    // Errors.

    /// <summary>Reads and releases a status.</summary>
    public OrtError Take(nint status)
    {
        var code = ((delegate* unmanaged<nint, int>)_table[1])(status);
        var text = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<nint, byte*>)_table[2])(status)) ?? "";
        ReleaseStatus(status);
        return new OrtError((OrtErrorCode)code, text);
    }

    /// <summary>
    /// Throws an <see cref="OrtException"/> unless the status is 0. For loading only; runs use values.
    /// </summary>
    public void Check(nint status)
    {
        if (status != 0)
            throw new OrtException(Take(status));
    }

    public void ReleaseStatus(nint status) => ((delegate* unmanaged<nint, void>)_table[93])(status);

    // Environment and providers.

    public nint CreateEnv(int logLevel, byte* logId, nint* env) =>
        ((delegate* unmanaged<int, byte*, nint*, nint>)_table[3])(logLevel, logId, env);

    /// <summary>What the library was built from and how; its own string.</summary>
    public byte* GetBuildInfo() => ((delegate* unmanaged<byte*>)_table[254])();

    public nint DisableTelemetryEvents(nint env) => ((delegate* unmanaged<nint, nint>)_table[6])(env);

    public nint GetAvailableProviders(byte*** names, int* count) =>
        ((delegate* unmanaged<byte***, int*, nint>)_table[125])(names, count);

    public nint ReleaseAvailableProviders(byte** names, int count) =>
        ((delegate* unmanaged<byte**, int, nint>)_table[126])(names, count);

    public nint CreateCpuMemoryInfo(int allocatorType, int memoryType, nint* info) =>
        ((delegate* unmanaged<int, int, nint*, nint>)_table[69])(allocatorType, memoryType, info);

    public nint GetAllocatorWithDefaultOptions(nint* allocator) =>
        ((delegate* unmanaged<nint*, nint>)_table[78])(allocator);

    /// <summary>The allocator of a session for that kind of memory; shares its arena.</summary>
    public nint CreateAllocator(nint session, nint info, nint* allocator) =>
        ((delegate* unmanaged<nint, nint, nint*, nint>)_table[131])(session, info, allocator);

    public delegate* unmanaged<nint, void> ReleaseAllocator => (delegate* unmanaged<nint, void>)_table[132];

    /// <summary>Since 1.23: names and figures of an arena, as text; the caller releases them.</summary>
    public nint GetAllocatorStats(nint allocator, nint* pairs) =>
        ((delegate* unmanaged<nint, nint*, nint>)_table[319])(allocator, pairs);

    /// <summary>Since 1.22: one value, borrowed; null when there is none of that name.</summary>
    public byte* GetKeyValue(nint pairs, byte* key) =>
        ((delegate* unmanaged<nint, byte*, byte*>)_table[297])(pairs, key);

    public void ReleaseKeyValuePairs(nint pairs) => ((delegate* unmanaged<nint, void>)_table[300])(pairs);

    public nint AllocatorFree(nint allocator, void* memory) =>
        ((delegate* unmanaged<nint, void*, nint>)_table[76])(allocator, memory);

    // Session options.

    public nint CreateSessionOptions(nint* options) => ((delegate* unmanaged<nint*, nint>)_table[10])(options);

    public nint SetOptimizedModelFilePath(nint options, void* path) =>
        ((delegate* unmanaged<nint, void*, nint>)_table[11])(options, path);

    public nint EnableProfiling(nint options, void* prefix) =>
        ((delegate* unmanaged<nint, void*, nint>)_table[14])(options, prefix);

    public nint SetSessionExecutionMode(nint options, int mode) => SetInt(13, options, mode);

    public nint DisableCpuMemArena(nint options) => ((delegate* unmanaged<nint, nint>)_table[19])(options);

    public nint SetSessionGraphOptimizationLevel(nint options, int level) => SetInt(23, options, level);

    public nint SetIntraOpNumThreads(nint options, int threads) => SetInt(24, options, threads);

    public nint SetInterOpNumThreads(nint options, int threads) => SetInt(25, options, threads);

    public nint AddSessionConfigEntry(nint options, byte* key, byte* value) =>
        ((delegate* unmanaged<nint, byte*, byte*, nint>)_table[130])(options, key, value);

    public nint CreateCudaProviderOptions(nint* provider) => ((delegate* unmanaged<nint*, nint>)_table[205])(provider);

    public nint AppendCuda(nint options, nint provider) =>
        ((delegate* unmanaged<nint, nint, nint>)_table[204])(options, provider);

    public void ReleaseCudaProviderOptions(nint provider) => ((delegate* unmanaged<nint, void>)_table[208])(provider);

    public nint AppendExecutionProvider(nint options, byte* name) =>
        ((delegate* unmanaged<nint, byte*, byte**, byte**, nuint, nint>)_table[216])(options, name, null, null, 0);

    /// <summary>Since 1.22: makes a CreateSession that is under way return soon.</summary>
    public nint SetLoadCancellation(nint options, bool cancel) =>
        ((delegate* unmanaged<nint, byte, nint>)_table[293])(options, cancel ? (byte)1 : (byte)0);

    public void ReleaseSessionOptions(nint options) => ((delegate* unmanaged<nint, void>)_table[100])(options);

    // Session and its ports.

    public nint CreateSession(nint env, void* path, nint options, nint* session) =>
        ((delegate* unmanaged<nint, void*, nint, nint*, nint>)_table[7])(env, path, options, session);

    public delegate* unmanaged<nint, void> ReleaseSession => (delegate* unmanaged<nint, void>)_table[95];

    /// <summary>Ends profiling and tells the file that was written; the string is freed with that allocator.</summary>
    public nint EndProfiling(nint session, nint allocator, byte** file) =>
        ((delegate* unmanaged<nint, nint, byte**, nint>)_table[110])(session, allocator, file);

    public nint GetPortCount(nint session, bool input, nuint* count) =>
        ((delegate* unmanaged<nint, nuint*, nint>)_table[input ? 30 : 31])(session, count);

    public nint GetPortTypeInfo(nint session, bool input, nuint index, nint* info) =>
        ((delegate* unmanaged<nint, nuint, nint*, nint>)_table[input ? 33 : 34])(session, index, info);

    public nint GetPortName(nint session, bool input, nuint index, nint allocator, byte** name) =>
        ((delegate* unmanaged<nint, nuint, nint, byte**, nint>)_table[input ? 36 : 37])(session, index, allocator, name);

    public nint GetOnnxTypeFromTypeInfo(nint info, int* type) =>
        ((delegate* unmanaged<nint, int*, nint>)_table[56])(info, type);

    public nint CastTypeInfoToTensorInfo(nint info, nint* tensorInfo) =>
        ((delegate* unmanaged<nint, nint*, nint>)_table[55])(info, tensorInfo);

    public void ReleaseTypeInfo(nint info) => ((delegate* unmanaged<nint, void>)_table[98])(info);

    public nint GetTensorElementType(nint tensorInfo, int* type) =>
        ((delegate* unmanaged<nint, int*, nint>)_table[60])(tensorInfo, type);

    public nint GetDimensionsCount(nint tensorInfo, nuint* count) =>
        ((delegate* unmanaged<nint, nuint*, nint>)_table[61])(tensorInfo, count);

    public nint GetDimensions(nint tensorInfo, long* dims, nuint count) =>
        ((delegate* unmanaged<nint, long*, nuint, nint>)_table[62])(tensorInfo, dims, count);

    // Runs.

    public nint CreateRunOptions(nint* options) => ((delegate* unmanaged<nint*, nint>)_table[39])(options);

    public nint AddRunConfigEntry(nint runOptions, byte* key, byte* value) =>
        ((delegate* unmanaged<nint, byte*, byte*, nint>)_table[165])(runOptions, key, value);

    public nint SetTerminate(nint runOptions) => ((delegate* unmanaged<nint, nint>)_table[46])(runOptions);

    public nint UnsetTerminate(nint runOptions) => ((delegate* unmanaged<nint, nint>)_table[47])(runOptions);

    public delegate* unmanaged<nint, void> ReleaseRunOptions => (delegate* unmanaged<nint, void>)_table[97];

    public nint Run(nint session, nint runOptions, in OrtNames inputNames, nint* inputs, in OrtNames outputNames, nint* outputs) =>
        ((delegate* unmanaged<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)_table[9])(
            session, runOptions, inputNames.Pointer, inputs, inputNames.Count, outputNames.Pointer, outputNames.Count, outputs);

    // Values.

    public nint CreateTensorWithData(nint info, void* data, nuint bytes, long* shape, nuint rank, int type, nint* value) =>
        ((delegate* unmanaged<nint, void*, nuint, long*, nuint, int, nint*, nint>)_table[49])(
            info, data, bytes, shape, rank, type, value);

    public nint CreateTensor(nint allocator, long* shape, nuint rank, int type, nint* value) =>
        ((delegate* unmanaged<nint, long*, nuint, int, nint*, nint>)_table[48])(allocator, shape, rank, type, value);

    public nint GetTensorMutableData(nint value, void** data) =>
        ((delegate* unmanaged<nint, void**, nint>)_table[51])(value, data);

    public nint GetTensorTypeAndShape(nint value, nint* tensorInfo) =>
        ((delegate* unmanaged<nint, nint*, nint>)_table[65])(value, tensorInfo);

    public void ReleaseTensorTypeAndShapeInfo(nint tensorInfo) => ((delegate* unmanaged<nint, void>)_table[99])(tensorInfo);

    /// <summary>Gives a string element that many bytes to write to; unlike a C string it may hold NUL.</summary>
    public nint ResizeStringElement(nint value, nuint index, nuint bytes, byte** buffer) =>
        ((delegate* unmanaged<nint, nuint, nuint, byte**, nint>)_table[252])(value, index, bytes, buffer);

    public nint GetStringTensorDataLength(nint value, nuint* bytes) =>
        ((delegate* unmanaged<nint, nuint*, nint>)_table[53])(value, bytes);

    /// <summary>Copies all strings end to end, without separators, and the offset where each begins.</summary>
    public nint GetStringTensorContent(nint value, void* content, nuint bytes, nuint* offsets, nuint count) =>
        ((delegate* unmanaged<nint, void*, nuint, nuint*, nuint, nint>)_table[54])(value, content, bytes, offsets, count);

    public void ReleaseValue(nint value) => ((delegate* unmanaged<nint, void>)_table[96])(value);

    private nint SetInt(int slot, nint options, int value) =>
        ((delegate* unmanaged<nint, int, nint>)_table[slot])(options, value);
}
