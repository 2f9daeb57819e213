using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Grpc;

/// <summary>What one InferInputTensor declares. Lies in the message.</summary>
internal ref struct InferInput
{
    /// <summary>The input's name, in UTF-8.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Its declared data-type.</summary>
    public ReadOnlySpan<byte> Type { get; private set; }

    /// <summary>Its declared shape; negative dimensions are kept, for the text that refuses them.</summary>
    public Shape Shape;

    /// <summary>Whether it brings typed contents that are not empty.</summary>
    public bool HasContents { get; private set; }

    /// <summary>Reads it; nothing is compared with the model yet.</summary>
    public static Fault? Read(ReadOnlySpan<byte> part, out InferInput input)
    {
        input = default;
        var wire = new WireReader(part);
        while (wire.Next(out var field))
        {
            Fault? fault = null;
            switch (field)
            {
                case 1:
                    input.Name = wire.Bytes();
                    break;
                case 2:
                    input.Type = wire.Bytes();
                    break;
                case 3:
                    fault = ReadShape(ref wire, ref input.Shape);
                    break;
                case 4:
                    fault = ReadParameter(wire.Bytes());
                    break;
                case 5:
                    input.HasContents |= !wire.Bytes().IsEmpty;
                    break;
                default:
                    wire.Skip();
                    break;
            }

            if (fault is not null)
                return fault;
        }

        return wire.Failed ? GrpcFaults.Broken("InferInputTensor", wire) : null;
    }

    private static Fault? ReadShape(scoped ref WireReader wire, ref Shape shape)
    {
        if (wire.Type != WireType.Length)
            return Add(wire.Whole(), ref shape);
        var dims = new WireReader(wire.Bytes());
        while (dims.NextPacked(out var dim))
        {
            if (Add(dim, ref shape) is { } tooMany)
                return tooMany;
        }

        return dims.Failed ? GrpcFaults.Broken("a shape", dims) : null;
    }

    private static Fault? Add(ulong dim, ref Shape shape) =>
        shape.TryAdd((long)dim) ? null : RequestFaults.TooManyDimensions(Spillway.Shape.RankMax);

    private static Fault? ReadParameter(ReadOnlySpan<byte> entry)
    {
        if (InferParameter.Read(entry, out var parameter) is { } broken)
            return broken;
        return parameter.Name.SequenceEqual("shared_memory_region"u8)
            ? RequestFaults.Unsupported(
                "shared memory (parameter 'shared_memory_region')", "send the data in raw_input_contents")
            : null;
    }
}
