using System.Runtime.CompilerServices;

namespace Spillway.Policies.Caching;

/// <summary>
/// The output tensors of an answer in memory of their own. Immutable: any number of requests may point into it at once,
/// also after the cache has dropped it.
/// </summary>
internal sealed class CachedAnswer
{
    /// <summary>
    /// What the objects take beside the bytes: header, three fields, the arrays' headers. The origin is shared by all
    /// answers of a deployment.
    /// </summary>
    private const int Overhead = 104;

    private readonly Tensor[] _outputs;

    private CachedAnswer(Tensor[] outputs, int bytes, AnswerOrigin origin) =>
        (_outputs, Bytes, Origin) = (outputs, bytes, origin);

    /// <summary>Which model it is of.</summary>
    public AnswerOrigin Origin { get; }

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
    /// <param name="outputs">Copied.</param>
    /// <param name="origin">Which model they are of; null for none.</param>
    public static CachedAnswer Copy(TensorSet outputs, AnswerOrigin? origin = null)
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

        return new(copies, bytes, origin ?? AnswerOrigin.None);
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
