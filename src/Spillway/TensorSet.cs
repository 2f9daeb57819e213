using System.Buffers;

namespace Spillway;

/// <summary>
/// The tensors of one request or answer with the pooled buffers they borrow. Reused from request to request; one owner
/// at a time. <see cref="Reset"/> gives every buffer back, so nobody may hold a tensor's data past it.
/// </summary>
public sealed class TensorSet
{
    private readonly List<byte[]> _buffers = new(4);
    private Tensor[] _tensors = new Tensor[4];

    /// <summary>How many tensors.</summary>
    public int Count { get; private set; }

    /// <summary>One tensor, by reference.</summary>
    public ref Tensor this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
            return ref _tensors[index];
        }
    }

    /// <summary>The tensors, valid until the next <see cref="Add"/> or <see cref="Reset"/>.</summary>
    public Span<Tensor> Span => _tensors.AsSpan(0, Count);

    /// <summary>
    /// Appends an empty tensor to fill in. A bound on the count is the caller's (see Signature.PortsMax).
    /// </summary>
    public ref Tensor Add()
    {
        if (Count == _tensors.Length)
            Array.Resize(ref _tensors, Count * 2);
        _tensors[Count] = default;
        return ref _tensors[Count++];
    }

    /// <summary>Finds the tensor of a port; -1 when absent.</summary>
    public int Find(int port)
    {
        for (var i = 0; i < Count; i++)
        {
            if (_tensors[i].Port == port)
                return i;
        }

        return -1;
    }

    /// <summary>Bytes of the buffers that were borrowed since <see cref="Reset"/>.</summary>
    public long BytesRented { get; private set; }

    /// <summary>
    /// Borrows a buffer of exactly that length from the pool, not cleared, until <see cref="Reset"/>.
    /// </summary>
    public Memory<byte> Rent(int length)
    {
        if (length == 0)
            return Memory<byte>.Empty;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        _buffers.Add(buffer);
        BytesRented += length;
        return buffer.AsMemory(0, length);
    }

    /// <summary>Takes over a buffer that somebody rented from <see cref="ArrayPool{T}.Shared"/>.</summary>
    public void Adopt(byte[] rented) => _buffers.Add(rented);

    /// <summary>Forgets the tensors and returns the buffers.</summary>
    public void Reset()
    {
        foreach (var buffer in _buffers)
            ArrayPool<byte>.Shared.Return(buffer);
        _buffers.Clear();
        BytesRented = 0;
        Array.Clear(_tensors, 0, Count);
        Count = 0;
    }
}
