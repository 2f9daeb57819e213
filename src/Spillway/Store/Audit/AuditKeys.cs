using System.Security.Cryptography;
using System.Text;
using Spillway.Store.Sealing;

namespace Spillway.Store.Audit;

/// <summary>The keys of a log, made with it or named by configuration.</summary>
internal sealed class AuditKeys : IDisposable
{
    private AuditKeys(string log, AuditSigner signer, CallerHash callers, KeyRing ring) =>
        (Log, Signer, Callers, Ring) = (log, signer, callers, ring);

    /// <summary>The log's id.</summary>
    public string Log { get; }

    /// <summary>Signs heads.</summary>
    public AuditSigner Signer { get; }

    /// <summary>Hides callers.</summary>
    public CallerHash Callers { get; }

    /// <summary>Seals the data keys of payloads.</summary>
    public KeyRing Ring { get; }

    /// <summary>
    /// Reads the keys, and makes those that are missing and not named, readable by their owner alone. A fault says
    /// which
    /// cannot be read.
    /// </summary>
    /// <param name="folder">Of the log; made where there is none.</param>
    /// <param name="options">May name keys that are elsewhere.</param>
    /// <param name="ringFile">The key ring of the state folder.</param>
    /// <param name="variables">Environment variables.</param>
    public static Outcome<AuditKeys> Open(
        AuditFolder folder, AuditOptions options, string ringFile, IReadOnlyDictionary<string, string> variables)
    {
        OwnerOnly.Folder(folder.Path);
        if (!OpenSigner(folder, options.SigningKey, variables).TryGet(out var signer, out var fault)
            || !OpenCallers(folder, options.CallerKey, variables).TryGet(out var callers, out fault)
            || !KeyRing.Open(ringFile).TryGet(out var ring, out fault))
            return fault;
        // Every key that ever signed stays known, or the heads before a change of keys could not be verified.
        foreach (var file in (string[])[folder.PublicKey, folder.PublicKeyOf(signer.Id)])
        {
            if (!File.Exists(file) || File.ReadAllText(file) != signer.PublicPem)
                OwnerOnly.Write(file, Encoding.ASCII.GetBytes(signer.PublicPem));
        }

        if (!folder.Exists)
            OwnerOnly.Write(folder.IdFile, Encoding.ASCII.GetBytes(AuditFolder.NewId() + "\n"));
        return new AuditKeys(folder.ReadId(), signer, callers, ring);
    }

    /// <summary>The key that hides callers, to look for somebody in a log.</summary>
    public static Outcome<CallerHash> OpenCallers(
        AuditFolder folder, string reference, IReadOnlyDictionary<string, string> variables)
    {
        if (reference.Length == 0)
        {
            reference = folder.CallerKey;
            if (!File.Exists(reference))
            {
                var made = Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyRing.KeyBytes));
                OwnerOnly.Write(reference, Encoding.ASCII.GetBytes(made + "\n"));
            }
        }

        if (!KeyReference.Read(reference, "audit.callerKey", variables).TryGet(out var text, out var fault))
            return fault;
        var key = new byte[KeyRing.KeyBytes + 2];
        return Convert.TryFromBase64String(text.Trim(), key, out var length) && length == KeyRing.KeyBytes
            ? new CallerHash(key[..length])
            : new Fault(FaultKind.StoreFailed, $"audit.callerKey is not {KeyRing.KeyBytes} bytes in base64. Make one "
                + "with: openssl rand -base64 32");
    }

    /// <inheritdoc/>
    public void Dispose() => Signer.Dispose();

    private static Outcome<AuditSigner> OpenSigner(
        AuditFolder folder, string reference, IReadOnlyDictionary<string, string> variables)
    {
        if (reference.Length == 0)
        {
            reference = folder.SigningKey;
            if (!File.Exists(reference))
            {
                using var made = AuditSigner.Make();
                OwnerOnly.Write(reference, Encoding.ASCII.GetBytes(made.PrivatePem()));
            }
        }

        return KeyReference.Read(reference, "audit.signingKey", variables).TryGet(out var pem, out var fault)
            ? AuditSigner.Read(pem, KeyReference.IsVariable(reference) ? $"The variable {reference[4..]}" : reference)
            : fault;
    }
}
