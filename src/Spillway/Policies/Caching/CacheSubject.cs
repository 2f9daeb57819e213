using System.Runtime.InteropServices;

namespace Spillway.Policies.Caching;

/// <summary>
/// What answers a question: one version of a deployment behind one served name. Made once for each door; its bytes
/// begin the key of every question, so that another version's answers cannot be found. Immutable.
/// </summary>
internal sealed class CacheSubject
{
    private readonly byte[] _bytes;

    /// <summary>A version of a deployment behind a served name.</summary>
    /// <param name="deployment">The deployment's name.</param>
    /// <param name="digest">What tells its versions apart: the digest of the model's files and of its options.</param>
    /// <param name="served">The served name and version, whose outputs may be made of the model's.</param>
    public CacheSubject(string deployment, string digest, ModelRef served)
    {
        Version = $"{deployment}\n{digest}";
        var text = $"{Version.Length}:{Version}{served.Name.Length}:{served.Name}{served.Version}";
        _bytes = MemoryMarshal.AsBytes(text.AsSpan()).ToArray();
    }

    /// <summary>The deployment with its digest, which is what is retired.</summary>
    public string Version { get; }

    /// <summary>The bytes in a key.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;
}
