using System.Security.Cryptography.X509Certificates;
using Spillway.Policies.Identity;

namespace Spillway.Hosting;

/// <summary>Certificates from PEM and PFX files. Throws what .NET throws for files that are none.</summary>
internal static class TlsFiles
{
    /// <summary>A server's certificate with its private key, and what stands between it and its authority.</summary>
    public static X509Certificate2 Certificate(TlsOptions options, string password,
        out X509Certificate2Collection chain)
    {
        if (IsPem(options.Certificate))
        {
            chain = All(options.Certificate);
            var leaf = Pem(options, password);
            foreach (var own in chain.Where(c => c.Thumbprint == leaf.Thumbprint).ToList())
                chain.Remove(own);
            return leaf;
        }

        chain = X509CertificateLoader.LoadPkcs12CollectionFromFile(options.Certificate, password);
        var found = chain.FirstOrDefault(c => c.HasPrivateKey)
            ?? throw new ArgumentException("the PFX file has no private key");
        chain.Remove(found);
        return found;
    }

    /// <summary>Every certificate of a PEM file; at least one.</summary>
    public static X509Certificate2Collection All(string file)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(file);
        return all.Count > 0 ? all : throw new ArgumentException($"{file} has no certificate in PEM form");
    }

    private static X509Certificate2 Pem(TlsOptions options, string password)
    {
        var key = options.Key.Length > 0 ? options.Key : null;
        var leaf = password.Length > 0
            ? X509Certificate2.CreateFromEncryptedPemFile(options.Certificate, password, key)
            : X509Certificate2.CreateFromPemFile(options.Certificate, key);
        if (!OperatingSystem.IsWindows())
            return leaf;
        // Windows serves only keys that it has in a store.
        using (leaf)
            return X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), password: null);
    }

    private static bool IsPem(string file)
    {
        using var stream = File.OpenRead(file);
        Span<byte> start = stackalloc byte[4096];
        var length = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        return start[..length].IndexOf("-----BEGIN "u8) >= 0;
    }
}
