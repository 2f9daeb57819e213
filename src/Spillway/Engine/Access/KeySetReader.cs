using System.Collections.Frozen;
using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Spillway.Engine.Access;

/// <summary>Reads a JSON Web Key Set, RFC 7517: of its keys those that verify signatures of others.</summary>
internal static class KeySetReader
{
    /// <summary>The largest set.</summary>
    public const int BytesMax = 1 << 20;

    private const int KeysMax = 100;
    private const int RsaBitsMin = 2048;

    /// <summary>A file's bytes; an <see cref="IOException"/> when it is too large.</summary>
    public static async Task<byte[]> FileAsync(string file, CancellationToken cancellation)
    {
        var length = new FileInfo(file).Length;
        return length <= BytesMax
            ? await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false)
            : throw new IOException($"it has {length:N0} bytes, and a key set at most {BytesMax:N0}");
    }

    /// <summary>Public RSA and elliptic keys by their ids; a set without any is a fault.</summary>
    public static Outcome<FrozenDictionary<string, SecurityKey>> Parse(byte[] bytes)
    {
        JsonWebKeySet set;
        try
        {
            set = JsonWebKeySet.Create(Encoding.UTF8.GetString(bytes));
        }
#pragma warning disable CA1031 // A library's surprise over bytes from elsewhere, whatever its type, is a fault here.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            return new Fault(FaultKind.InvalidInput, $"it is no JSON Web Key Set ({broken.GetType().Name})");
        }

        if (set.Keys.Count > KeysMax)
            return new Fault(FaultKind.InvalidInput, $"it has {set.Keys.Count} keys, and {KeysMax} are taken");
        var found = new Dictionary<string, SecurityKey>(StringComparer.Ordinal);
        foreach (var key in set.Keys.Where(IsFit))
            found.TryAdd(key.Kid ?? "", key);
        return found.Count > 0
            ? found.ToFrozenDictionary(StringComparer.Ordinal)
            : new Fault(FaultKind.InvalidInput,
                $"it has no key of use: RSA of {RsaBitsMin} bits or more, or EC, for signatures");
    }

    /// <summary>Never a shared secret: with one, whoever verifies tokens could make them.</summary>
    private static bool IsFit(JsonWebKey key) => key.Kty switch
    {
        JsonWebAlgorithmsKeyTypes.RSA => key.KeySize >= RsaBitsMin,
        JsonWebAlgorithmsKeyTypes.EllipticCurve => key.Crv is "P-256" or "P-384" or "P-521",
        _ => false,
    } && key.Use is null or "" or "sig";
}
