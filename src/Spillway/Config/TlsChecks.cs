using Spillway.Policies.Identity;

namespace Spillway.Config;

/// <summary>Rules of the section access.tls.</summary>
internal static class TlsChecks
{
    private const string Section = "access.tls";

    /// <summary>Reports what the section breaks; gives it with absolute paths.</summary>
    public static TlsOptions Check(TlsOptions tls, SpillwayOptions options, OptionBinder bound, string folder)
    {
        const string Mode = $"{Section}.clientCertificates";
        if (tls.ClientCertificates is not ClientCertificates.Off && tls.ClientCa.Length == 0 && !bound.Failed(Section))
        {
            bound.Report(Mode, bound.Written(Mode), "Nothing says which clients' certificates are trusted.",
                $"Set {Section}.clientCa to a PEM file with their authorities.");
        }

        if (tls.ClientCertificates is ClientCertificates.Off && (tls.ClientCa.Length > 0 || tls.Clients.Count > 0)
            && !bound.Failed(Mode))
        {
            bound.Report(Mode, bound.Written(Mode), "clientCa and clients have no effect while none is asked for.",
                "Set it to optional or required, or remove them.");
        }

        foreach (var (name, client) in tls.Clients)
            AccessChecks.Tenant(client.Tenant, $"{Section}.clients.{name}.tenant", options, bound);
        return tls with
        {
            Certificate = AccessChecks.FileOf(tls.Certificate, $"{Section}.certificate", folder, bound),
            Key = AccessChecks.FileOf(tls.Key, $"{Section}.key", folder, bound),
            ClientCa = AccessChecks.FileOf(tls.ClientCa, $"{Section}.clientCa", folder, bound),
            Password = AccessChecks.Reference(tls.Password, $"{Section}.password", folder, bound),
        };
    }
}
