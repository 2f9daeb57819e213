using System.Buffers.Binary;

namespace Spillway.Protocols.OpenInference;

/// <summary>The memory form of BYTES tensors: each element a little-endian uint32 length and its bytes.</summary>
internal static class BytesTensor
{
    /// <summary>Checks that a tensor holds exactly that many whole elements and nothing else.</summary>
    public static Fault? Check(ReadOnlySpan<byte> data, long count, string input, string model)
    {
        var elements = 0L;
        while (data.Length > 0)
        {
            if (elements == count)
            {
                return Fault.Invalid(
                    $"unexpected number of string elements {elements + 1} for inference input '{input}' for model "
                    + $"'{model}', expecting {count}");
            }

            if (data.Length < 4)
            {
                return Fault.Invalid(
                    $"incomplete string length indicator for inference input '{input}' for model '{model}', "
                    + $"expecting 4 bytes but only {data.Length} bytes available");
            }

            var length = BinaryPrimitives.ReadUInt32LittleEndian(data);
            data = data[4..];
            if (length > data.Length)
            {
                return Fault.Invalid(
                    $"incomplete string data for inference input '{input}' for model '{model}', "
                    + $"expecting string of length {length} but only {data.Length} bytes available");
            }

            data = data[(int)length..];
            elements++;
        }

        return elements == count ? null : Fault.Invalid(
            $"expected {count} string elements for inference input '{input}' for model '{model}', got {elements}");
    }
}
