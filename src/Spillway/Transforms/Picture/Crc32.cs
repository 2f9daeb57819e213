using System.Buffers.Binary;

namespace Spillway.Transforms.Picture;

/// <summary>
/// CRC-32 as PNG chunks carry it (ISO 3309, reflected polynomial 0xEDB88320). Slicing by eight bytes: about 2 GB a
/// second, well ahead of the inflater that follows it. The framework has it in an extra package only.
/// </summary>
internal static class Crc32
{
    private static readonly uint[] Table = Build();

    /// <summary>The checksum of the bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<uint> table = Table;
        var crc = uint.MaxValue;
        while (bytes.Length >= 8)
        {
            var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ crc;
            var high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            crc = table[0x700 + (int)(low & 0xff)] ^ table[0x600 + (int)((low >> 8) & 0xff)]
                ^ table[0x500 + (int)((low >> 16) & 0xff)] ^ table[0x400 + (int)(low >> 24)]
                ^ table[0x300 + (int)(high & 0xff)] ^ table[0x200 + (int)((high >> 8) & 0xff)]
                ^ table[0x100 + (int)((high >> 16) & 0xff)] ^ table[(int)(high >> 24)];
            bytes = bytes[8..];
        }

        foreach (var value in bytes)
            crc = (crc >> 8) ^ table[(int)((crc ^ value) & 0xff)];
        return ~crc;
    }

    private static uint[] Build()
    {
        var table = new uint[8 * 256];
        for (var i = 0; i < 256; i++)
        {
            var value = (uint)i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) == 0 ? value >> 1 : (value >> 1) ^ 0xEDB88320;
            table[i] = value;
        }

        for (var i = 256; i < table.Length; i++)
            table[i] = (table[i - 256] >> 8) ^ table[(int)(table[i - 256] & 0xff)];
        return table;
    }
}
