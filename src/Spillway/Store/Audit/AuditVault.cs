using System.Security.Cryptography;
using Spillway.Store.Sealing;

namespace Spillway.Store.Audit;

/// <summary>
/// What a log tells only to whoever has its secrets: who a caller is, and what was asked. For the owner's command line,
/// beside a running server or without one.
/// </summary>
public sealed class AuditVault : IDisposable
{
    private readonly AuditFolder _folder;
    private PayloadStore? _payloads;

    private AuditVault(AuditFolder folder) => _folder = folder;

    /// <summary>Opens nothing yet.</summary>
    /// <param name="folder">A log inside its state folder.</param>
    public static AuditVault Open(AuditFolder folder) => new(folder);

    /// <summary>
    /// The hash under which the log knows a tenant, or "tenant/key"; a fault where the key is not there.
    /// </summary>
    public Outcome<string> HashOf(string caller)
    {
        if (!File.Exists(_folder.CallerKey))
            return new Fault(FaultKind.StoreFailed, $"There is no file {_folder.CallerKey} to make callers' hashes "
                + "with.");
        if (!AuditKeys.OpenCallers(_folder, "", new Dictionary<string, string>()).TryGet(out var hashes, out var fault))
            return fault;
        var slash = caller.IndexOf('/', StringComparison.Ordinal);
        return Convert.ToHexStringLower(
            slash < 0 ? hashes.Tenant(caller) : hashes.Key(caller[..slash], caller[(slash + 1)..]));
    }

    /// <summary>The inputs that a record of kind payload names; a fault says why they cannot be had.</summary>
    public Outcome<byte[]> Inputs(AuditRecord record)
    {
        if (record.Payload is not { } place)
            return new Fault(FaultKind.StoreFailed, $"Record {record.Index} names no inputs.");
        if (_payloads is null)
        {
            var ring = Path.Combine(Path.GetDirectoryName(_folder.Path)!, AuditLog.RingName);
            if (!File.Exists(ring))
                return new Fault(FaultKind.StoreFailed, $"There is no key ring {ring}.");
            if (!KeyRing.Open(ring).TryGet(out var keys, out var fault))
                return fault;
            _payloads = new(_folder.Payloads, _folder.ReadId(), keys);
        }

        try
        {
            return _payloads.Read(place, record.Index);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return new Fault(FaultKind.StoreFailed, $"The inputs of record {record.Index} cannot be read: {e.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _payloads?.Dispose();
}
