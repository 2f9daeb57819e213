using Spillway.Policies.Identity;

namespace Spillway.Config;

/// <summary>Rules of the section access.jwt.</summary>
internal static class JwtChecks
{
    private const string Section = "access.jwt";

    /// <summary>Reports what the section breaks; gives it with an absolute path where its keys are a file.</summary>
    public static JwtOptions Check(JwtOptions jwt, OptionBinder bound, string folder)
    {
        if (jwt.Algorithms.Count == 0 && !bound.Failed($"{Section}.algorithms"))
        {
            bound.Report($"{Section}.algorithms", "", "No algorithm is taken, so no token ever would be.",
                "Name one or more, or remove the key (default RS256, PS256 and ES256).");
        }

        if (jwt.TenantClaim.Length == 0 && !bound.Failed($"{Section}.tenantClaim"))
        {
            bound.Report($"{Section}.tenantClaim", "", "Nothing says to which tenant a token belongs.",
                "Name the claim, or remove the key (default tenant).");
        }

        if (jwt.Roles.Count > 0 && jwt.RolesClaim.Length == 0 && !bound.Failed(Section))
        {
            bound.Report($"{Section}.roles", "", "It has no effect without rolesClaim.",
                "Name the claim that has these words, or remove roles.");
        }

        return jwt with { Jwks = Jwks(jwt.Jwks, bound, folder) };
    }

    private static string Jwks(string text, OptionBinder bound, string folder)
    {
        const string Key = $"{Section}.jwks";
        if (text.Length == 0 || bound.Failed(Key) || !text.Contains("://", StringComparison.Ordinal))
            return AccessChecks.FileOf(text, Key, folder, bound);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.UserInfo.Length > 0
            || !(uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback)))
        {
            bound.Report(Key, text, "It is not an https address without a user name.",
                "Whoever can change these keys on their way can sign tokens: use https (http only on this machine), or "
                + "a file.");
        }

        return text;
    }
}
