using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>What must be known of a ModelInferRequest before its inputs can be read. Lies in the message.</summary>
internal ref struct ModelInferHead
{
    /// <summary>The served name, in UTF-8.</summary>
    public ReadOnlySpan<byte> Model;

    /// <summary>The version; empty for the model's own choice.</summary>
    public ReadOnlySpan<byte> Version;

    /// <summary>The caller's id; empty for none.</summary>
    public ReadOnlySpan<byte> Id;

    /// <summary>How many inputs.</summary>
    public int Inputs;

    /// <summary>How many raw_input_contents.</summary>
    public int Raws;

    /// <summary>
    /// The timeout parameter of a message whose head was read; null for none. What is wrong with it is told when the
    /// message is read against its model.
    /// </summary>
    public static TimeSpan? PeekTimeout(ReadOnlySpan<byte> message)
    {
        var wire = new WireReader(message);
        while (wire.Next(out var field))
        {
            if (field != 4)
                wire.Skip();
            else if (InferParameter.Read(wire.Bytes(), out var parameter) is null
                && parameter.Name.SequenceEqual("timeout"u8) && parameter.Whole(out var microseconds) is null)
                return TimeoutPeek.OfMicroseconds(microseconds);
        }

        return null;
    }

    /// <summary>Reads it, and sees that the whole message is well formed at its top.</summary>
    public static Fault? Read(ReadOnlySpan<byte> message, out ModelInferHead head)
    {
        head = default;
        var wire = new WireReader(message);
        while (wire.Next(out var field))
        {
            if (field is < 1 or > 7)
            {
                wire.Skip();
                continue;
            }

            var bytes = wire.Bytes();
            if (field == 1)
                head.Model = bytes;
            else if (field == 2)
                head.Version = bytes;
            else if (field == 3)
                head.Id = bytes;
            else if (field == 5)
                head.Inputs++;
            else if (field == 7)
                head.Raws++;
        }

        return wire.Failed ? GrpcFaults.Broken("ModelInferRequest", wire) : null;
    }
}
