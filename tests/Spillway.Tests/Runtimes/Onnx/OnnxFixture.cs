using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Shared;
using Spillway.Tests.Conformance;

namespace Spillway.Tests.Runtimes.Onnx;

/// <summary>Loads generated models from a temporary folder.</summary>
public sealed class OnnxFixture : IDisposable
{
    private readonly TempFolder _folder = new();
    private int _count;

    /// <summary>Writes the model and says how to load it.</summary>
    public ModelSource Source(byte[] model, OnnxOptions? options = null) =>
        new("generated", _folder.Write($"{Interlocked.Increment(ref _count)}.onnx", model), options ?? new OnnxOptions());

    /// <summary>Loads a model that must load.</summary>
    public ILoadedModel Load(byte[] model, OnnxOptions? options = null) =>
        new OnnxRuntime().Load(Source(model, options), CancellationToken.None).Value;

    /// <summary>Loads a model that must not, and gives the fault.</summary>
    public Fault LoadFault(byte[] model, OnnxOptions? options = null)
    {
        var fault = new OnnxRuntime().Load(Source(model, options), CancellationToken.None).Fault;
        Assert.NotNull(fault);
        return fault;
    }

    /// <summary>An input of <see cref="OnnxModels.Loop"/> that takes n turns.</summary>
    public static RunItem Turns(long n) => new RunItem().With(DataType.Int64, [], RunItem.Bytes(n)).With([4], 1, 2, 3, 4);

    public void Dispose() => _folder.Dispose();
}
