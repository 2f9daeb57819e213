namespace Spillway.Protocols.Grpc;

/// <summary>
/// How a protobuf field's value is written. Groups (3 and 4) are not taken: nobody has sent them since 2008.
/// </summary>
internal enum WireType : byte
{
    /// <summary>Seven bits a byte, the lowest first.</summary>
    Varint = 0,

    /// <summary>Eight bytes, little-endian.</summary>
    Fixed64 = 1,

    /// <summary>A varint length and that many bytes.</summary>
    Length = 2,

    /// <summary>Four bytes, little-endian.</summary>
    Fixed32 = 5,
}
