using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Spillway.Store.Sealing;

namespace Spillway.Store.Audit;

/// <summary>
/// Encrypted inputs, in files of a day. Each file has a data key of its own, sealed by the ring at its beginning; a
/// payload's nonce is its place in the file, and a file is written by one process in one go, so no nonce comes twice.
/// Deleting a file deletes its inputs for good; the log keeps their hashes. Not thread-safe.
/// </summary>
/// <param name="folder">Where the files are.</param>
/// <param name="log">The log's id, to which payloads are bound.</param>
/// <param name="ring">Seals the data keys.</param>
internal sealed class PayloadStore(string folder, string log, KeyRing ring) : IDisposable
{
    private const string End = ".bin";
    private const int SealedKeyBytesMax = 1024;

    private FileStream? _file;
    private AesGcm? _cipher;
    private DateOnly _day;
    private long _offset;
    private string _name = "";

    private static ReadOnlySpan<byte> Magic => "SPWPAY1\n"u8;

    /// <summary>Encrypts and appends; throws what the file system throws, and then begins another file.</summary>
    /// <param name="plain">Inputs.</param>
    /// <param name="record">Index of the record that will name it.</param>
    /// <param name="now">Chooses the day.</param>
    public PayloadPlace Append(ReadOnlySpan<byte> plain, long record, DateTimeOffset now)
    {
        try
        {
            var day = DateOnly.FromDateTime(now.UtcDateTime);
            if (_file is null || day != _day)
                Begin(day);
            var bytes = new byte[KeyRing.TagBytes + plain.Length];
            Span<byte> nonce = stackalloc byte[KeyRing.NonceBytes];
            nonce.Clear();
            BinaryPrimitives.WriteInt64LittleEndian(nonce[4..], _offset);
            _cipher!.Encrypt(nonce, plain, bytes.AsSpan(KeyRing.TagBytes), bytes.AsSpan(0, KeyRing.TagBytes),
                Belongs(record));
            RandomAccess.Write(_file!.SafeFileHandle, bytes, _offset);
            var place = new PayloadPlace(_name, _offset, bytes.Length, SHA256.HashData(bytes));
            _offset += bytes.Length;
            return place;
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Returns when what was appended is on the disk.</summary>
    public void Sync()
    {
        if (_file is not null)
            RandomAccess.FlushToDisk(_file.SafeFileHandle);
    }

    /// <summary>The inputs of a record; a fault says whether they are deleted, damaged or sealed with a key that is
    /// missing.</summary>
    public Outcome<byte[]> Read(in PayloadPlace place, long record)
    {
        var path = Path.Combine(folder, Path.GetFileName(place.File));
        if (!File.Exists(path))
            return new Fault(FaultKind.StoreFailed, $"The inputs of record {record} were deleted with {place.File}.");
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (place.Length < KeyRing.TagBytes || place.Offset < 0 || place.Offset + place.Length > file.Length)
            return Damaged(record);
        var bytes = new byte[place.Length];
        file.Position = place.Offset;
        file.ReadExactly(bytes);
        if (!SHA256.HashData(bytes).AsSpan().SequenceEqual(place.Hash))
            return Damaged(record);
        if (!DataKey(file, Path.GetFileName(path)).TryGet(out var key, out var fault))
            return fault;
        using var cipher = new AesGcm(key, KeyRing.TagBytes);
        Span<byte> nonce = stackalloc byte[KeyRing.NonceBytes];
        nonce.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(nonce[4..], place.Offset);
        var plain = new byte[bytes.Length - KeyRing.TagBytes];
        try
        {
            cipher.Decrypt(nonce, bytes.AsSpan(KeyRing.TagBytes), bytes.AsSpan(0, KeyRing.TagBytes), plain,
                Belongs(record));
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return Damaged(record);
        }
    }

    /// <summary>Deletes the files of days before; gives their names.</summary>
    public IReadOnlyList<string> DeleteBefore(DateOnly day)
    {
        List<string> gone = [];
        if (!Directory.Exists(folder))
            return gone;
        // A server whose models are asked no more keeps no file of a day that is over.
        if (_file is not null && _day < day)
            Close();
        foreach (var path in Directory.EnumerateFiles(folder, "*" + End).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(path);
            if (name == _name || name.Length < 8 || !DateOnly.TryParseExact(
                name.AsSpan(0, 8), "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var of)
                    || of >= day)
                continue;
            File.Delete(path);
            gone.Add(name);
        }

        return gone;
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    private static Fault Damaged(long record) =>
        new(FaultKind.StoreFailed, $"The inputs of record {record} were changed after they were written.");

    private byte[] Belongs(long record) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{log}|{record}|{RecordFormat.Format}"));

    private Outcome<byte[]> DataKey(FileStream file, string name)
    {
        var head = new byte[Magic.Length + sizeof(int)];
        file.Position = 0;
        file.ReadExactly(head);
        var length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(Magic.Length));
        if (!head.AsSpan().StartsWith(Magic) || length is < 1 or > SealedKeyBytesMax
            || length > file.Length - head.Length)
            return new Fault(FaultKind.StoreFailed, $"{name} is no file of payloads, or its beginning is damaged.");
        var closed = new byte[length];
        file.ReadExactly(closed);
        return ring.Open(closed, Encoding.UTF8.GetBytes($"{log}|{name}"));
    }

    private void Begin(DateOnly day)
    {
        Sync();
        Close();
        OwnerOnly.Folder(folder);
        var random = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        _name = $"{day.ToString("yyyyMMdd", CultureInfo.InvariantCulture)}-{random}{End}";
        _file = OwnerOnly.Open(Path.Combine(folder, _name), FileMode.CreateNew);
        var key = RandomNumberGenerator.GetBytes(KeyRing.KeyBytes);
        var closed = ring.Seal(key, Encoding.UTF8.GetBytes($"{log}|{_name}"));
        var head = new byte[Magic.Length + sizeof(int) + closed.Length];
        Magic.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(Magic.Length), closed.Length);
        closed.CopyTo(head.AsSpan(Magic.Length + sizeof(int)));
        RandomAccess.Write(_file.SafeFileHandle, head, 0);
        (_cipher, _day, _offset) = (new(key, KeyRing.TagBytes), day, head.Length);
        CryptographicOperations.ZeroMemory(key);
    }

    private void Close()
    {
        _file?.Dispose();
        _cipher?.Dispose();
        (_file, _cipher, _name) = (null, null, "");
    }
}
