using System.Net;
using Spillway.Policies.Identity;

namespace Spillway.Config;

/// <summary>Rules of the sections access and tenants that concern more than the form of one value.</summary>
internal static class AccessChecks
{
    private const string EnvPrefix = "env:";
    private const string FilePrefix = "file:";

    /// <summary>Reports what the sections break; gives the section access with absolute paths.</summary>
    public static AccessOptions Check(SpillwayOptions options, OptionBinder bound, string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        var access = options.Access;
        Address(options, bound);
        foreach (var name in options.Tenants.Keys.Where(n => !AccessNames.IsTenant(n)))
        {
            bound.Report($"tenants.{name}", name, "It cannot be a tenant's name.",
                $"A name is {AccessNames.TenantInWords}.");
        }

        for (var i = 0; i < access.Origins.Count; i++)
            Origin(access.Origins[i], $"access.origins[{i}]", bound);
        if (access.Keys is KeysMode.Off)
            WithoutKeys(access, bound);
        access = access with { Pepper = Reference(access.Pepper, "access.pepper", folder, bound) };
        if (access.Tls is { } tls)
            access = access with { Tls = TlsChecks.Check(tls, options, bound, folder) };
        if (access.Jwt is { } jwt)
            access = access with { Jwt = JwtChecks.Check(jwt, bound, folder) };
        return access;
    }

    /// <summary>What is allowed and deserves a word.</summary>
    public static IReadOnlyList<ConfigError> Notes(SpillwayOptions options, OptionBinder bound, string source)
    {
        var notes = new List<ConfigError>();
        foreach (var (name, tenant) in options.Tenants.Where(t => string.IsNullOrWhiteSpace(t.Value.Owner)))
        {
            var (key, at) = ($"tenants.{name}", bound.Place($"tenants.{name}"));
            notes.Add(new(at.File.Length > 0 ? at.File : source, key, at.Line, at.Column, tenant.Owner,
                "The tenant has no owner.", $"Say who answers for it: {key}.owner."));
        }

        return notes;
    }

    /// <summary>Reports a tenant that the section tenants does not have, where there is one.</summary>
    public static void Tenant(string tenant, string key, SpillwayOptions options, OptionBinder bound)
    {
        if (bound.Failed(key))
            return;
        if (!AccessNames.IsTenant(tenant))
        {
            bound.Report(key, tenant, "It cannot be a tenant's name.", $"A name is {AccessNames.TenantInWords}.");
        }
        else if (options.Tenants.Count > 0 && !options.Tenants.ContainsKey(tenant))
        {
            bound.Report(key, tenant, "There is no such tenant.",
                $"Tenants here: {string.Join(", ", options.Tenants.Keys.Take(20))}.",
                Suggestion.Nearest(tenant, options.Tenants.Keys));
        }
    }

    /// <summary>env:NAME, or file:PATH whose path becomes absolute; empty stays empty.</summary>
    public static string Reference(string text, string key, string folder, OptionBinder bound)
    {
        if (text.Length == 0 || bound.Failed(key))
            return text;
        if (text.StartsWith(EnvPrefix, StringComparison.Ordinal) && text.Length > EnvPrefix.Length)
            return text;
        if (!text.StartsWith(FilePrefix, StringComparison.Ordinal) || text.Length == FilePrefix.Length
            || text.Contains('\0', StringComparison.Ordinal))
        {
            // The value may be the secret itself: it is not shown.
            bound.Report(key, "", "Here belongs the place of a secret and not the secret.",
                "Write env:NAME for a variable, or file:PATH for a file.");
            return "";
        }

        return FilePrefix + Path.GetFullPath(text[FilePrefix.Length..], folder);
    }

    /// <summary>A file that must be there, as an absolute path.</summary>
    public static string FileOf(string text, string key, string folder, OptionBinder bound)
    {
        if (text.Length == 0 || bound.Failed(key))
            return text;
        var full = text.Contains('\0', StringComparison.Ordinal) ? "" : Path.GetFullPath(text, folder);
        if (!File.Exists(full))
        {
            bound.Report(key, text, $"There is no file {ErrorList.Clean(full, 1024)}.",
                "Create it, or change the path; it is relative to this file.");
        }

        return full;
    }

    private static void Address(SpillwayOptions options, OptionBinder bound)
    {
        const string Key = "server.address";
        var (address, access) = (options.Server.Address, options.Access);
        if (bound.Failed(Key) || IsLoopback(address))
            return;
        if (!IPAddress.TryParse(address, out _))
        {
            bound.Report(Key, address, "It is no address of a network interface.",
                "Use 127.0.0.1, ::1 or localhost; with keys also another, as 0.0.0.0 for all.");
        }
        else if (access.Keys is KeysMode.Off && !bound.Failed("access.keys"))
        {
            bound.Report(Key, address,
                "Only loopback addresses are allowed without keys: whoever reached the port could use every model.",
                "Use 127.0.0.1, ::1 or localhost; or set access.keys: required and make a key with "
                + "`spillway keys create`.");
        }
        else if (access.Tls is null && !access.PlainText && !bound.Failed("access"))
        {
            bound.Report(Key, address,
                "Beyond loopback, keys and answers would cross the network in the clear: there is no TLS.",
                "Set access.tls: { certificate: …, key: … }; or, behind a proxy that ends TLS, access.plainText: "
                    + "true.");
        }
    }

    private static void WithoutKeys(AccessOptions access, OptionBinder bound)
    {
        foreach (var (key, isSet) in new[]
        {
            ("access.jwt", access.Jwt is not null), ("access.origins", access.Origins.Count > 0),
            ("access.pepper", access.Pepper.Length > 0), ("access.metricsOpen", access.MetricsOpen),
            ("access.tls.clientCertificates", access.Tls is { ClientCertificates: not ClientCertificates.Off }),
        })
        {
            if (isSet && !bound.Failed("access"))
                bound.Report(key, "", "It has no effect without keys.", "Set access.keys: required, or remove it.");
        }
    }

    private static void Origin(string text, string key, OptionBinder bound)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"
            && uri.GetLeftPart(UriPartial.Authority).Equals(text, StringComparison.Ordinal))
            return;
        bound.Report(key, text, "It is no origin as browsers send it.",
            "Write scheme, host and port as in https://app.example.org or http://localhost:3000, in small letters and "
            + "without a slash at the end.");
    }

    private static bool IsLoopback(string address) =>
        address == "localhost" || (IPAddress.TryParse(address, out var ip) && IPAddress.IsLoopback(ip));
}
