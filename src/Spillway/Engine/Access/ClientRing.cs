using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Spillway.Policies.Identity;

namespace Spillway.Engine.Access;

/// <summary>
/// Who the holders of client certificates are. That a certificate leads to a pinned authority was checked when the
/// connection was made. Thread-safe.
/// </summary>
internal sealed class ClientRing
{
    private const string CommonName = "2.5.4.3";

    private static readonly Fault s_unknown = new(
        FaultKind.Unauthenticated,
        "The connection's client certificate is nobody's here: its common name is not among access.tls.clients. Show a "
        + "key, or ask the operator to add it.");

    private readonly FrozenDictionary<string, Caller> _callers;

    // A connection shows the same certificate with each of its requests.
    private readonly ConditionalWeakTable<X509Certificate2, Caller> _known = [];

    /// <param name="clients">By common name.</param>
    public ClientRing(IReadOnlyDictionary<string, ClientOptions> clients) =>
        _callers = clients.ToFrozenDictionary(c => c.Key, c => Make(c.Key, c.Value), StringComparer.Ordinal);

    /// <summary>Who holds a certificate.</summary>
    public Outcome<Caller> Identify(X509Certificate2 certificate, out Refusal why)
    {
        why = Refusal.Unknown;
        if (_known.TryGetValue(certificate, out var known))
            return known;
        if (NameOf(certificate) is not { } name || !_callers.TryGetValue(name, out var caller))
            return s_unknown;
        _known.AddOrUpdate(certificate, caller);
        return caller;
    }

    /// <summary>The one common name; null when there is none or several, which nobody is asked to tell apart.</summary>
    private static string? NameOf(X509Certificate2 certificate)
    {
        string? name = null;
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
                return null;
            if (part.GetSingleElementType().Value != CommonName)
                continue;
            if (name is not null)
                return null;
            name = part.GetSingleElementValue();
        }

        return name;
    }

    private static Caller Make(string name, ClientOptions client)
    {
        var roles = Roles.None;
        foreach (var word in client.Roles)
            roles |= RoleWords.TryParse(word, out var role) ? role : Roles.None;
        return new() { Tenant = client.Tenant, Key = $"cert:{name}", Roles = roles };
    }
}
