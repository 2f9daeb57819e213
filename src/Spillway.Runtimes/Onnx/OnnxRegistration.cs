namespace Spillway.Runtimes.Onnx;

/// <summary>Adds the runtime to a server.</summary>
public static class OnnxRegistration
{
    /// <summary>
    /// Models of runtime "onnx". The native library is looked for with the first of them:
    /// <see cref="OnnxOptions.Library"/> says where; this assembly brings none.
    /// </summary>
    public static RuntimeSet AddOnnx(this RuntimeSet runtimes)
    {
        ArgumentNullException.ThrowIfNull(runtimes);
        return runtimes.Add(new OnnxRuntime());
    }
}
