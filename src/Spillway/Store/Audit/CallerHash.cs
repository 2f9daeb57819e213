using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace Spillway.Store.Audit;

/// <summary>
/// Callers as keyed hashes: who has the key can find a caller's records, who has only the log can tell callers apart
/// and not who they are. HMAC-SHA-256, cut to 16 bytes. Thread-safe.
/// </summary>
/// <param name="key">32 bytes.</param>
internal sealed class CallerHash(byte[] key)
{
    /// <summary>Bytes of one hash.</summary>
    public const int Bytes = 16;

    // A caller is one object for all its requests, so its hashes are made once.
    private readonly ConditionalWeakTable<Caller, byte[]> _known = [];

    /// <summary>The hash of its tenant, then the hash of tenant and key.</summary>
    public byte[] Of(Caller caller) => _known.TryGetValue(caller, out var hashes)
        ? hashes
        : _known.GetValue(caller, c => [.. Tenant(c.Tenant), .. Key(c.Tenant, c.Key)]);

    /// <summary>The hash of a tenant.</summary>
    public byte[] Tenant(string tenant) => Hash($"tenant|{tenant}");

    /// <summary>The hash of a key of a tenant.</summary>
    public byte[] Key(string tenant, string callerKey) => Hash($"caller|{tenant}|{callerKey}");

    private byte[] Hash(string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text))[..Bytes];
}
