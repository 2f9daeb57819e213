namespace Spillway;

/// <summary>
/// One tensor in flight: where it belongs, what it holds, and its bytes (little-endian, row-major; BYTES elements as
/// uint32 length + bytes). It borrows <see cref="Data"/> from the request or answer that holds it.
/// </summary>
public struct Tensor
{
    /// <summary>Index into the signature's inputs or outputs.</summary>
    public int Port { get; set; }

    /// <summary>Element type.</summary>
    public DataType Type { get; set; }

    /// <summary>Dimensions, all known and not negative.</summary>
    public Shape Shape { get; set; }

    /// <summary>The elements.</summary>
    public ReadOnlyMemory<byte> Data { get; set; }
}
