using System.Collections.Concurrent;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>
/// Batch curves of one declared model while this process lives, so that one that comes back into memory is not measured
/// again. Thread-safe; bounded by the few conditions under which a model is measured.
/// </summary>
internal sealed class CurveMemory : ICurveStore
{
    private readonly ConcurrentDictionary<string, IReadOnlyList<BatchPoint>> _curves = new(StringComparer.Ordinal);

    public IReadOnlyList<BatchPoint>? Find(string conditions) => _curves.GetValueOrDefault(conditions);

    public void Save(string conditions, IReadOnlyList<BatchPoint> curve) => _curves[conditions] = curve;
}
