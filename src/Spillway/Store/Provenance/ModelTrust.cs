using System.Security.Cryptography;

namespace Spillway.Store.Provenance;

/// <summary>Where a model comes from.</summary>
/// <param name="Digest">SHA-256 in hexadecimal (<see cref="ModelStatement.Digest"/>); empty when nobody asked.</param>
/// <param name="SignedBy">Id of the trusted key that signed it; empty for none.</param>
/// <param name="Doubt">Why a signature that lies beside the model does not count; empty for none.</param>
public sealed record ModelProvenance(string Digest, string SignedBy, string Doubt)
{
    /// <summary>Nothing is known.</summary>
    public static ModelProvenance Unknown { get; } = new("", "", "");
}

/// <summary>
/// Knows whose signatures count, and judges models by them before they are loaded. Immutable; thread-safe.
/// </summary>
public sealed class ModelTrust
{
    private readonly IReadOnlyList<ECDsa> _keys;
    private readonly SigningOptions _options;

    private ModelTrust(IReadOnlyList<ECDsa> keys, SigningOptions options) => (_keys, _options) = (keys, options);

    /// <summary>Trusts nobody and demands nothing: digests only.</summary>
    public static ModelTrust Nobody { get; } = new([], new());

    /// <summary>Reads the trusted keys; a fault names the file that is none.</summary>
    public static Outcome<ModelTrust> Load(SigningOptions options)
    {
        List<ECDsa> keys = [];
        foreach (var file in options.Trusted)
        {
            if (!ReadKey(file).TryGet(out var key, out var fault))
                return fault;
            keys.Add(key);
        }

        return new ModelTrust(keys, options);
    }

    /// <summary>Whether a model must be signed.</summary>
    /// <param name="deployment">Its name.</param>
    /// <param name="own">Whether its own declaration demands it.</param>
    public bool Demands(string deployment, bool own) =>
        own || (_options.Required && !_options.Exempt.Contains(deployment));

    /// <summary>Reads a public key of P-256 in PEM; a fault says why not.</summary>
    public static Outcome<ECDsa> ReadKey(string file)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(file));
            if (key.KeySize == 256)
                return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            key.Dispose();
            return new Fault(FaultKind.LoadFailed, $"The key {file} cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            // Said below.
        }

        key.Dispose();
        return new Fault(FaultKind.LoadFailed, $"{file} holds no ECDSA public key of the curve P-256 in PEM. From a "
            + "private "
            + "key: openssl ec -in key.pem -pubout -out key.pub.pem");
    }

    /// <summary>
    /// Hashes a model's files and looks at its signature. A fault when one is demanded and none counts: the model must
    /// not be loaded then, not even to be probed.
    /// </summary>
    /// <param name="deployment">Its name.</param>
    /// <param name="demanded">Whether its own declaration demands a signature.</param>
    /// <param name="files">Absolute, the model file first; empty for a model without files; null when not all are
    /// known.</param>
    public Outcome<ModelProvenance> Judge(string deployment, bool demanded, IReadOnlyList<string>? files)
    {
        if (files is { Count: 0 })
            return ModelProvenance.Unknown;
        demanded = Demands(deployment, demanded);
        if (files is null)
        {
            return demanded
                ? Refused(deployment, "its files cannot all be told")
                : ModelProvenance.Unknown;
        }

        try
        {
            var parts = ModelStatement.Hash(files);
            var (signer, why) = Signer(files[0] + ModelStatement.FileEnd, parts);
            return signer.Length == 0 && demanded
                ? Refused(deployment, why)
                : new ModelProvenance(
                    ModelStatement.Digest(parts), signer, File.Exists(files[0] + ModelStatement.FileEnd) ? why : "");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The load itself says what is missing, unless it must not happen.
            return demanded ? Refused(deployment, e.Message.TrimEnd('.')) : ModelProvenance.Unknown;
        }
    }

    private (string Signer, string Why) Signer(string envelope, IReadOnlyList<ModelPart> parts)
    {
        if (!File.Exists(envelope))
            return ("", $"there is no signature beside it ({Path.GetFileName(envelope)})");
        if (_keys.Count == 0)
            return ("", "no key is trusted (signing.trusted)");
        if (new FileInfo(envelope).Length > DsseEnvelope.BytesMax)
            return ("", $"its signature has more than {DsseEnvelope.BytesMax:N0} bytes");
        if (!DsseEnvelope.Open(File.ReadAllBytes(envelope), ModelStatement.PayloadType, _keys)
            .TryGet(out var opened, out var fault))
            return ("", $"its signature {Path.GetFileName(envelope)} does not count: {fault.Message}");
        return ModelStatement.Mismatch(opened.Body, parts) is { } mismatch
            ? ("", $"its signature does not fit: {mismatch}")
            : (opened.KeyId, "");
    }

    private static Fault Refused(string deployment, string why) => new(
        FaultKind.LoadFailed, $"{deployment} must be signed (signing.required) and is not: {why}. Sign it with "
            + "`spillway "
            + "sign <model-file> --key key.pem`, and name the public key in signing.trusted.");
}
