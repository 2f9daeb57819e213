using System.Security.Cryptography;
using System.Text;

namespace Spillway.Store.Sealing;

/// <summary>
/// Keys that seal small secrets (AES-256-GCM): one seals, all of them open, so that keys change without anything having
/// to be sealed anew at once. What is sealed names its key, and is bound to where it belongs (associated data): moved
/// elsewhere it does not open. Nonces are 12 random bytes, which holds for 2^32 seals with one key (NIST SP 800-38D,
/// 8.3): rotate long before. Immutable; thread-safe.
/// </summary>
public sealed class KeyRing
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 32;

    /// <summary>Bytes of a nonce: what AES-GCM is made for.</summary>
    public const int NonceBytes = 12;

    /// <summary>Bytes of the tag, the longest there is.</summary>
    public const int TagBytes = 16;

    private const int IdLengthMax = 64;
    private const byte Format = 1;

    private readonly OrderedDictionary<string, byte[]> _keys;
    private readonly string? _file;

    private KeyRing(OrderedDictionary<string, byte[]> keys, string? file) => (_keys, _file) = (keys, file);

    /// <summary>The id of the key that seals: the first.</summary>
    public string Current => _keys.GetAt(0).Key;

    /// <summary>The ids of all keys, the newest first.</summary>
    public IReadOnlyList<string> Ids => [.. _keys.Keys];

    /// <summary>A ring with one new key, kept nowhere.</summary>
    public static KeyRing Make() => new(new() { [NewId()] = RandomNumberGenerator.GetBytes(KeyBytes) }, file: null);

    /// <summary>
    /// Reads the ring of a file that only its owner may read; makes it with one key where there is none.
    /// </summary>
    public static Outcome<KeyRing> Open(string file)
    {
        try
        {
            if (!File.Exists(file))
                return new KeyRing(Make()._keys, file).Save();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Fault(FaultKind.StoreFailed, $"The key ring {file} cannot be made: {e.Message}");
        }

        return KeyReference.Read(file, "the key ring", new Dictionary<string, string>()).TryGet(out var text,
            out var fault)
            ? Parse(text, file) is var read && read.TryGet(out var ring, out _) ? new KeyRing(ring._keys, file) : read
            : fault;
    }

    /// <summary>
    /// Reads lines "id:key", each key 32 bytes in base64, the one that seals first. Empty lines and those that begin
    /// with # are passed over.
    /// </summary>
    /// <param name="text">The lines.</param>
    /// <param name="where">Where they came from, for the fault.</param>
    public static Outcome<KeyRing> Parse(string text, string where)
    {
        var keys = new OrderedDictionary<string, byte[]>(StringComparer.Ordinal);
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            var key = new byte[KeyBytes + 2];
            if (line.Split(':') is not [{ Length: > 0 and <= IdLengthMax } id, var secret]
                || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
                || !Convert.TryFromBase64String(secret, key, out var length) || length != KeyBytes
                || !keys.TryAdd(id, key[..KeyBytes]))
            {
                return new Fault(FaultKind.StoreFailed, $"{where}, line {number}: not an id of its own, a colon and "
                    + $"{KeyBytes} bytes in base64.");
            }
        }

        return keys.Count > 0 ? new KeyRing(keys, file: null)
            : new Fault(FaultKind.StoreFailed, $"{where} holds no key. A line is an id, a colon and {KeyBytes} "
                + "bytes in "
                + "base64 (openssl rand -base64 32).");
    }

    /// <summary>The ring with one more key, which seals from now on; written where the ring came from.</summary>
    public Outcome<KeyRing> Rotate()
    {
        var keys = new OrderedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [NewId()] = RandomNumberGenerator.GetBytes(KeyBytes),
        };
        foreach (var (id, key) in _keys)
            keys.Add(id, key);
        return new KeyRing(keys, _file).Save();
    }

    /// <summary>The ring without an old key: what it sealed does not open any more.</summary>
    public Outcome<KeyRing> Retire(string id)
    {
        if (id == Current || !_keys.ContainsKey(id))
        {
            return new Fault(FaultKind.StoreFailed, id == Current
                ? $"The key {id} seals now. Rotate first."
                : $"The ring has no key {id}. It has {string.Join(", ", Ids)}.");
        }

        var keys = new OrderedDictionary<string, byte[]>(_keys, StringComparer.Ordinal);
        keys.Remove(id);
        return new KeyRing(keys, _file).Save();
    }

    /// <summary>Seals with the current key.</summary>
    /// <param name="plain">What to keep secret.</param>
    /// <param name="associated">Where it belongs; opens only with the same.</param>
    public byte[] Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> associated)
    {
        var (id, key) = _keys.GetAt(0);
        var head = Head(id);
        var made = new byte[head.Length + NonceBytes + TagBytes + plain.Length];
        head.CopyTo(made, 0);
        var nonce = made.AsSpan(head.Length, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Encrypt(nonce, plain, made.AsSpan(head.Length + NonceBytes + TagBytes),
            made.AsSpan(head.Length + NonceBytes, TagBytes), [.. head, .. associated]);
        return made;
    }

    /// <summary>Opens what any key of the ring sealed; a fault says why not, and nothing of the content.</summary>
    public Outcome<byte[]> Open(ReadOnlySpan<byte> closed, ReadOnlySpan<byte> associated)
    {
        if (KeyOf(closed) is not { } id)
            return new Fault(FaultKind.StoreFailed, "This is nothing that a key ring sealed, or it is cut off.");
        if (!_keys.TryGetValue(id, out var key))
        {
            return new Fault(FaultKind.StoreFailed, $"It is sealed with the key {id}, which the ring does not have; it "
                + $"has {string.Join(", ", Ids)}.");
        }

        var head = Head(id);
        var rest = closed[head.Length..];
        if (rest.Length < NonceBytes + TagBytes)
            return new Fault(FaultKind.StoreFailed, "It is cut off.");
        var plain = new byte[rest.Length - NonceBytes - TagBytes];
        try
        {
            using var cipher = new AesGcm(key, TagBytes);
            cipher.Decrypt(rest[..NonceBytes], rest[(NonceBytes + TagBytes)..],
                rest.Slice(NonceBytes, TagBytes), plain, [.. head, .. associated]);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return new Fault(FaultKind.StoreFailed, "It was changed after it was sealed, or it belongs elsewhere.");
        }
    }

    /// <summary>The id of the key that sealed it; null for what no ring sealed.</summary>
    public static string? KeyOf(ReadOnlySpan<byte> closed) =>
        closed.Length > 2 && closed[0] == Format && closed[1] is > 0 and <= IdLengthMax
        && closed.Length >= 2 + closed[1] ? Encoding.ASCII.GetString(closed.Slice(2, closed[1])) : null;

    /// <summary>The format, then the key's id; authenticated with the rest.</summary>
    private static byte[] Head(string id) => [Format, (byte)id.Length, .. Encoding.ASCII.GetBytes(id)];

    private static string NewId() => "k" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));

    private Outcome<KeyRing> Save()
    {
        if (_file is null)
            return this;
        var text = new StringBuilder("# The first key seals, all of them open. Keep this file secret.\n");
        foreach (var (id, key) in _keys)
            text.Append(id).Append(':').Append(Convert.ToBase64String(key)).Append('\n');
        try
        {
            OwnerOnly.Write(_file, Encoding.ASCII.GetBytes(text.ToString()));
            return this;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Fault(FaultKind.StoreFailed, $"The key ring {_file} cannot be written: {e.Message}");
        }
    }
}
