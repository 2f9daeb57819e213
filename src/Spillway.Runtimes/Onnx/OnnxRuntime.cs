namespace Spillway.Runtimes.Onnx;

/// <summary>
/// Runs ONNX models in this process through ONNX Runtime's C interface, without a NuGet package. The native library is
/// found and loaded with the first model (<see cref="OnnxOptions.Library"/> says where); its telemetry is off.
/// Thread-safe.
/// </summary>
public sealed class OnnxRuntime : IRuntime
{
    /// <inheritdoc/>
    public string Name => "onnx";

    /// <inheritdoc/>
    public Type OptionsType => typeof(OnnxOptions);

    /// <inheritdoc/>
    public Outcome<ILoadedModel> Load(ModelSource source, CancellationToken cancellation)
    {
        var options = (OnnxOptions)source.Options;
        if (cancellation.IsCancellationRequested)
            return Stopped(source);
        var found = OrtLocator.Find(
            options.Library, Environment.GetEnvironmentVariable(OrtLocator.Variable), AppContext.BaseDirectory);
        if (!found.TryGet(out var file, out var fault)
            || !OrtLibrary.Load(file).TryGet(out var library, out fault)
            || (fault = CheckFile(source)) is not null
            || !OrtProvider.Resolve(library, options.Provider).TryGet(out var provider, out fault))
            return fault with { Message = $"Model '{source.Name}': {fault.Message}" };

        try
        {
            return OnnxModel.Create(library, source, options, provider, cancellation);
        }
        catch (OrtException) when (cancellation.IsCancellationRequested)
        {
            return Stopped(source);
        }
        catch (OrtException error)
        {
            return new Fault(
                FaultKind.LoadFailed,
                $"Model '{source.Name}' could not be loaded from '{source.File}': {error.Message} " +
                "Check that the file is a complete ONNX model that this version of ONNX Runtime " +
                $"({library.Version}) knows.");
        }
    }

    private static Fault Stopped(ModelSource source) =>
        new(FaultKind.Cancelled, $"Loading model '{source.Name}' was cancelled.");

    /// <summary>What can be said of the file without the native library, in clearer words than its own.</summary>
    private static Fault? CheckFile(ModelSource source)
    {
        try
        {
            if (Directory.Exists(source.File))
                return Bad("is a folder; name the .onnx file in it");
            using var stream = File.OpenRead(source.File);
            return stream.Length == 0 ? Bad("is empty") : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Bad($"cannot be read: {error.Message}");
        }

        Fault Bad(string why) => new(FaultKind.LoadFailed, $"the model file '{source.File}' {why}");
    }
}
