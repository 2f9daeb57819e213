using Spillway.Runtimes;
using Spillway.Runtimes.Onnx;
using Spillway.Shared;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Conformance;

public sealed class OnnxConformance(OnnxFixture onnx) : RuntimeConformance, IClassFixture<OnnxFixture>
{
    protected override IRuntime Runtime { get; } = new OnnxRuntime();

    protected override ModelSource Batched() => onnx.Source(OnnxModels.Tiny());

    protected override ModelSource? Unbatched() => onnx.Source(OnnxModels.Fixed());

    protected override (ModelSource Source, RunItem Long, RunItem Short) Endless() =>
        (onnx.Source(OnnxModels.Loop()), OnnxFixture.Turns(long.MaxValue), OnnxFixture.Turns(3));

    protected override (ModelSource Source, RunItem Bad, FaultKind Kind, RunItem Good) Failing() => (
        onnx.Source(OnnxModels.Lookup()),
        new RunItem().With(DataType.Int64, [1, 1], RunItem.Bytes(9L)),
        FaultKind.InvalidInput,
        new RunItem().With(DataType.Int64, [1, 1], RunItem.Bytes(3L)));

    protected override IEnumerable<ModelSource> Unloadable()
    {
        var whole = OnnxModels.Tiny();
        yield return onnx.Source([]);
        yield return onnx.Source("not a model at all"u8.ToArray());
        yield return onnx.Source(whole[..(whole.Length / 2)]);
        yield return onnx.Source(OnnxModels.Simple()) with { File = "/no/such/file.onnx" };
    }
}
