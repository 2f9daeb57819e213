using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Spillway.Policies.Caching;

/// <summary>
/// A question as it stands in its request: a head that says everything but the inputs' elements (who may see the
/// answer, what answers, which outputs, types, shapes, lengths), and those elements where they lie. Nothing is copied
/// until it is to be kept. Inputs are taken in the order in which they were given; in another order it is another
/// question.
/// </summary>
internal readonly ref struct CacheKey
{
    private readonly ReadOnlySpan<byte> _head;
    private readonly ReadOnlySpan<Tensor> _inputs;

    private CacheKey(ReadOnlySpan<byte> head, ReadOnlySpan<Tensor> inputs, KeyHash hash)
    {
        _head = head;
        _inputs = inputs;
        Length = head.Length;
        Hash = hash.Add(UInt128.One, head);
        foreach (ref readonly var input in inputs)
        {
            Length += input.Data.Length;
            Hash = hash.Add(Hash, input.Data.Span);
        }
    }

    /// <summary>Under the process's key.</summary>
    public UInt128 Hash { get; }

    /// <summary>Bytes of the whole.</summary>
    public long Length { get; }

    /// <summary>Bytes of the head of a question.</summary>
    public static int HeadBytes(
        CacheSubject subject, string scope, InferenceRequest request, ReadOnlySpan<byte> parameters)
    {
        const int perOutput = 2 * sizeof(int), perInput = (3 * sizeof(int)) + (Shape.RankMax * sizeof(long));
        return (5 * sizeof(int)) + subject.Bytes.Length + (scope.Length * sizeof(char)) + parameters.Length
            + (request.Outputs.Count * perOutput) + (request.Inputs.Count * perInput);
    }

    /// <summary>Bytes of the inputs' elements.</summary>
    public static long InputBytes(InferenceRequest request)
    {
        long bytes = 0;
        foreach (ref readonly var input in request.Inputs.Span)
            bytes += input.Data.Length;
        return bytes;
    }

    /// <summary>The key of a request; every part of the head follows its length, so no two heads are one.</summary>
    /// <param name="subject">What answers.</param>
    /// <param name="scope">The tenant; empty when answers are shared.</param>
    /// <param name="request">Its outputs and inputs.</param>
    /// <param name="parameters">Whatever else the answer depends on.</param>
    /// <param name="head">Room for <see cref="HeadBytes"/>, kept by the caller as long as the key.</param>
    /// <param name="hash">The process's.</param>
    public static CacheKey Of(
        CacheSubject subject, string scope, InferenceRequest request, ReadOnlySpan<byte> parameters, Span<byte> head,
        KeyHash hash)
    {
        var rest = Part(head, subject.Bytes);
        rest = Part(rest, MemoryMarshal.AsBytes(scope.AsSpan()));
        rest = Part(rest, parameters);
        rest = Number(rest, request.Outputs.Count);
        for (var i = 0; i < request.Outputs.Count; i++)
            rest = Number(Number(rest, request.Outputs[i].Port), request.Outputs[i].Classes);
        rest = Number(rest, request.Inputs.Count);
        foreach (ref readonly var input in request.Inputs.Span)
        {
            var shape = input.Shape;
            rest = Number(Number(rest, input.Port), ((int)input.Type << 8) | shape.Rank);
            var dims = MemoryMarshal.AsBytes(shape.Dims);
            dims.CopyTo(rest);
            rest = Number(rest[dims.Length..], input.Data.Length);
        }

        return new(head[..^rest.Length], request.Inputs.Span, hash);
    }

    /// <summary>Whether a stored key is this one, byte for byte.</summary>
    public bool Equals(ReadOnlySpan<byte> stored)
    {
        if (stored.Length != Length || !stored[.._head.Length].SequenceEqual(_head))
            return false;
        stored = stored[_head.Length..];
        foreach (ref readonly var input in _inputs)
        {
            if (!stored[..input.Data.Length].SequenceEqual(input.Data.Span))
                return false;
            stored = stored[input.Data.Length..];
        }

        return true;
    }

    /// <summary>The whole in memory of its own.</summary>
    public byte[] Copy()
    {
        var copy = new byte[Length];
        _head.CopyTo(copy);
        var rest = copy.AsSpan(_head.Length);
        foreach (ref readonly var input in _inputs)
        {
            input.Data.Span.CopyTo(rest);
            rest = rest[input.Data.Length..];
        }

        return copy;
    }

    private static Span<byte> Part(Span<byte> into, ReadOnlySpan<byte> part)
    {
        into = Number(into, part.Length);
        part.CopyTo(into);
        return into[part.Length..];
    }

    private static Span<byte> Number(Span<byte> into, int number)
    {
        BinaryPrimitives.WriteInt32LittleEndian(into, number);
        return into[sizeof(int)..];
    }
}
