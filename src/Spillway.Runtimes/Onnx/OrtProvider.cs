namespace Spillway.Runtimes.Onnx;

/// <summary>An execution provider that the library has.</summary>
/// <param name="Word">As configuration names it: "cpu", "cuda".</param>
/// <param name="NativeName">As ONNX Runtime names it without its suffix: "CUDA".</param>
internal sealed record OrtProvider(string Word, string NativeName)
{
    private const string Suffix = "ExecutionProvider";

    /// <summary>ONNX Runtime runs on the processor without being told.</summary>
    public bool IsCpu => Word == "cpu";

    /// <summary>
    /// Finds a provider, whatever the case of its letters; one the library lacks is a fault that lists those present.
    /// </summary>
    public static Outcome<OrtProvider> Resolve(OrtLibrary library, string word)
    {
        foreach (var name in library.Providers)
        {
            var native = name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name;
            if (native.Equals(word, StringComparison.OrdinalIgnoreCase))
                return new OrtProvider(native.ToLowerInvariant(), native);
        }

        var present = string.Join(", ", library.Providers
            .Select(static name => name.Replace(Suffix, "", StringComparison.Ordinal).ToLowerInvariant()));
        return new Fault(
            FaultKind.LoadFailed,
            $"onnx.provider is '{word}', which ONNX Runtime {library.Version} in '{library.File}' does not have. " +
            $"It has: {present}. Choose one of these, or set SPILLWAY_ORT_LIB to a library built with {word}.");
    }

    /// <summary>Where a model on this provider runs: all cores as one device, or one accelerator.</summary>
    /// <param name="intraOpThreads">Threads of one run; a processor carries correspondingly fewer runs.</param>
    public Device ToDevice(int intraOpThreads) => IsCpu
        ? new Device("cpu", Math.Max(1, Environment.ProcessorCount / intraOpThreads))
        : new Device($"{Word}:0", Parallelism: 1);

    /// <summary>Adds it to a session's options. CUDA has functions of its own; the others share one.</summary>
    public unsafe void AppendTo(nint options, OrtApi api)
    {
        if (IsCpu)
            return;
        if (Word != "cuda")
        {
            fixed (byte* name = OrtNames.Text(Word == "xnnpack" ? "XNNPACK" : NativeName))
                api.Check(api.AppendExecutionProvider(options, name));
            return;
        }

        nint cuda;
        api.Check(api.CreateCudaProviderOptions(&cuda));
        try
        {
            api.Check(api.AppendCuda(options, cuda));
        }
        finally
        {
            api.ReleaseCudaProviderOptions(cuda);
        }
    }
}
