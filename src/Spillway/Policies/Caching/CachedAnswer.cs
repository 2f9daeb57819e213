using System.Runtime.CompilerServices;

namespace Spillway.Policies.Caching;

/// <summary>
/// The output tensors of an answer in memory of their own. Immutable: any number of requests may point into it at once,
/// also after the cache has dropped it.
/// </summary>
internal sealed class CachedAnswer
{
    /// <summary>What the objects take beside the bytes: header, two fields, the arrays' headers.</summary>
    private const int Overhead = 96;

    private readonly Tensor[] _outputs;

    private CachedAnswer(Tensor[] outputs, int bytes) => (_outputs, Bytes) = (outputs, bytes);

    /// <summary>Memory that it takes.</summary>
    public int Bytes { get; }

    /// <summary>How many tensors.</summary>
    public int Count => _outputs.Length;

    /// <summary>Memory that a copy of these outputs would take.</summary>
    public static long Measure(TensorSet outputs)
    {
        long bytes = Overhead + ((long)Unsafe.SizeOf<Tensor>() * outputs.Count);
        foreach (ref readonly var output in outputs.Span)
            bytes += output.Data.Length;
        return bytes;
    }

    /// <summary>A copy of outputs, all bytes in one array.</summary>
    public static CachedAnswer Copy(TensorSet outputs)
    {
        var bytes = checked((int)Measure(outputs));
        var data = new byte[bytes - Overhead - (Unsafe.SizeOf<Tensor>() * outputs.Count)];
        var copies = outputs.Span.ToArray();
        var at = 0;
        foreach (ref var copy in copies.AsSpan())
        {
            copy.Data.CopyTo(data.AsMemory(at));
            copy.Data = data.AsMemory(at, copy.Data.Length);
            at += copy.Data.Length;
        }

        return new(copies, bytes);
    }

    /// <summary>
    /// Appends the tensors to a set, which points into this answer and returns no buffer of it to a pool.
    /// </summary>
    public void WriteTo(TensorSet into)
    {
        foreach (ref readonly var output in _outputs.AsSpan())
            into.Add() = output;
    }
}
