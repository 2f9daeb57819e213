using System.Buffers.Binary;
using System.Text;

namespace Spillway.Transforms.Tokens;

/// <summary>
/// Reads the names and values at the beginning of a GGUF file (version 2 or 3, little-endian). What it claims is never
/// believed before it was read: lists grow as their members come, and what is not asked for is passed over.
/// </summary>
/// <param name="file">Behind its first four bytes.</param>
internal sealed class GgufHead(Stream file)
{
    /// <summary>The longest name and text; the longest in use are chat templates of some 20 kB.</summary>
    public const int TextBytesMax = 1024 * 1024;

    /// <summary>The most values: models in use have about 40.</summary>
    private const int ValuesMax = 65_536;

    /// <summary>The most members of a list that is kept.</summary>
    private const int MembersMax = MergeList.PairsMax;

    /// <summary>All that is read of a file, which may have a hundred gigabytes of weights behind it.</summary>
    private const long BytesMax = 256L * 1024 * 1024;

    private readonly byte[] _small = new byte[8];
    private readonly byte[] _passed = new byte[4096];
    private long _read;

    private enum Kind
    {
        UInt8 = 0,
        Int8 = 1,
        UInt16 = 2,
        Int16 = 3,
        UInt32 = 4,
        Int32 = 5,
        Float32 = 6,
        Bool = 7,
        Text = 8,
        List = 9,
        UInt64 = 10,
        Int64 = 11,
        Float64 = 12,
    }

    /// <summary>Values by name: a text, a number, true or false, or a list of texts or numbers.</summary>
    /// <param name="wanted">Which of them.</param>
    public Dictionary<string, object> Read(IReadOnlySet<string> wanted)
    {
        var version = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
        if (version is not (2 or 3))
            throw new InvalidDataException($"it is GGUF of version {version}, and only 2 and 3 are known");
        // The tensors' count: they stand behind the values.
        Take(8);
        var count = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        if (count > ValuesMax)
            throw new InvalidDataException($"it claims {count} values, and at most {ValuesMax} are read");
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        for (var i = 0UL; i < count; i++)
        {
            var name = Text();
            var kind = (Kind)BinaryPrimitives.ReadInt32LittleEndian(Take(4));
            if (wanted.Contains(name))
                values[name] = Value(kind, name);
            else
                Skip(kind);
            if (values.Count == wanted.Count)
                break;
        }

        return values;
    }

    private object Value(Kind kind, string name) => kind switch
    {
        Kind.Text => Text(),
        Kind.List => List(name),
        _ => Number(kind, name),
    };

    private object List(string name)
    {
        var (kind, count) = ListHead();
        if (count > MembersMax)
            throw new InvalidDataException($"its {name} claims {count} members, and at most {MembersMax} are read");
        if (kind is Kind.Text)
        {
            var texts = new List<string>();
            for (var i = 0UL; i < count; i++)
                texts.Add(Text());
            return texts;
        }

        var numbers = new List<float>();
        for (var i = 0UL; i < count; i++)
            numbers.Add((float)Number(kind, name));
        return numbers;
    }

    private (Kind Kind, ulong Count) ListHead()
    {
        var kind = (Kind)BinaryPrimitives.ReadInt32LittleEndian(Take(4));
        return (kind, BinaryPrimitives.ReadUInt64LittleEndian(Take(8)));
    }

    private double Number(Kind kind, string name)
    {
        var bytes = Take(Width(kind) is > 0 and var width ? width
            : throw new InvalidDataException($"its {name} is of a kind ({(int)kind}) that is no number"));
        return kind switch
        {
            Kind.UInt8 or Kind.Bool => bytes[0],
            Kind.Int8 => (sbyte)bytes[0],
            Kind.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            Kind.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
            Kind.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            Kind.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            Kind.Float32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
            Kind.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            Kind.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            _ => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        };
    }

    private void Skip(Kind kind)
    {
        if (kind is Kind.Text)
        {
            Pass(TextLength());
            return;
        }

        if (kind is not Kind.List)
        {
            Pass(Width(kind) is > 0 and var width ? width
                : throw new InvalidDataException($"it has a value of the kind {(int)kind}, which is not known"));
            return;
        }

        var (members, count) = ListHead();
        if (members is Kind.Text)
        {
            // Each takes eight bytes at least, so a claim beyond the file ends with it.
            for (var i = 0UL; i < count; i++)
                Pass(TextLength());
        }
        else if (Width(members) is > 0 and var size && count <= BytesMax)
            Pass((long)count * size);
        else
            throw new InvalidDataException($"it has a list of {count} members of the kind {(int)members}");
    }

    private static int Width(Kind kind) => kind switch
    {
        Kind.UInt8 or Kind.Int8 or Kind.Bool => 1,
        Kind.UInt16 or Kind.Int16 => 2,
        Kind.UInt32 or Kind.Int32 or Kind.Float32 => 4,
        Kind.UInt64 or Kind.Int64 or Kind.Float64 => 8,
        _ => 0,
    };

    private int TextLength()
    {
        var length = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
        return length <= TextBytesMax ? (int)length
            : throw new InvalidDataException($"it claims a text of {length} bytes; at most {TextBytesMax} are read");
    }

    private string Text()
    {
        var bytes = new byte[TextLength()];
        file.ReadExactly(bytes);
        Count(bytes.Length);
        return Encoding.UTF8.GetString(bytes);
    }

    private ReadOnlySpan<byte> Take(int bytes)
    {
        file.ReadExactly(_small, 0, bytes);
        Count(bytes);
        return _small.AsSpan(0, bytes);
    }

    private void Pass(long bytes)
    {
        Count(bytes);
        while (bytes > 0)
        {
            var part = (int)Math.Min(bytes, _passed.Length);
            file.ReadExactly(_passed, 0, part);
            bytes -= part;
        }
    }

    private void Count(long bytes)
    {
        _read += bytes;
        if (_read > BytesMax)
            throw new InvalidDataException($"its values take more than {BytesMax:N0} bytes");
    }
}
