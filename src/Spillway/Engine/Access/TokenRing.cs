using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Spillway.Policies.Identity;

namespace Spillway.Engine.Access;

/// <summary>
/// Who holds a token of an identity provider. A token's signature is checked once and then known by a keyed hash, until
/// it ends or the provider's keys change; both memories are bounded. Wrong tokens leave nothing behind. Thread-safe.
/// </summary>
internal sealed class TokenRing(
    JwtOptions options, SigningKeys keys, IReadOnlyCollection<string> tenants, TimeProvider time)
{
    /// <summary>The longest token.</summary>
    public const int LengthMax = 8192;

    private static readonly Fault s_form = No("It is neither a key nor a signed token (JWT), or it is longer than "
        + "8,192 "
        + "characters.");

    private static readonly Fault s_algorithm = No("The token is signed by an algorithm that is not taken here "
        + "(access.jwt.algorithms).");

    private static readonly Fault s_key = No("The token is signed by a key that is not known here. If the identity "
        + "provider has just begun to use it, try again in half a minute.");

    private static readonly Fault s_keyless = No("This server has no keys of the identity provider now: they could not "
        + "be read. Its operator finds the reason in its log; try again in half a minute.");

    private static readonly Fault s_time = No("The token has ended, or is not valid yet. Get another from the identity "
        + "provider.");

    private static readonly Fault s_invalid = No("The token is not valid here: its signature, issuer or audience is "
        + "another.");

    private static readonly Fault s_tenant = No("The token names no tenant of this server (access.jwt.tenantClaim, "
        + "tenants).");

    private static readonly Fault s_subject = No("The token has no subject (the claim sub) of at most 128 letters, "
        + "digits "
        + "and the marks ._-@:/|+.");

    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = LengthMax };
    private readonly TimeSpan _skew = TimeSpan.FromMilliseconds(options.ClockSkewMs);
    private readonly SipHash _tags = SipHash.Random();
    private readonly BoundedMap<UInt128, Known> _known = new(options.CacheMax);
    private readonly BoundedMap<(string Tenant, string Subject, Roles Roles), Caller> _callers = new(options.CacheMax);

    private sealed record Known(Caller Caller, long UntilTicks, SigningKeySet Keys);

    /// <summary>Tokens that are known now.</summary>
    public int KnownCount => _known.Count;

    /// <summary>Who holds a token. Allocates nothing when it is known.</summary>
    public Outcome<Caller> Identify(ReadOnlySpan<char> text, out Refusal why)
    {
        why = Refusal.Malformed;
        if (text.Length > LengthMax || text.Count('.') != 2)
            return s_form;
        var (tag, now, set) = (_tags.Of(text), time.GetUtcNow(), keys.Current);
        why = Refusal.Token;
        if (_known.TryGet(tag, out var known) && now.UtcTicks < known.UntilTicks && ReferenceEquals(known.Keys, set))
            return known.Caller;
        return Check(text.ToString(), tag, set, now, out why);
    }

    private static Fault No(string message) => new(FaultKind.Unauthenticated, message);

    /// <summary>A token that is not known.</summary>
    private Outcome<Caller> Check(string text, UInt128 tag, SigningKeySet set, DateTimeOffset now, out Refusal why)
    {
        why = Refusal.Token;
        try
        {
            var token = new JsonWebToken(text);
            if (Verify(token, set, now) is { } refused)
                return refused;
            if (!Holder(token).TryGet(out var caller, out var fault))
                return fault;
            var until = Math.Min(token.ValidTo.Ticks, DateTime.MaxValue.Ticks - _skew.Ticks) + _skew.Ticks;
            _known.Set(tag, new(caller, until, set));
            return caller;
        }
#pragma warning disable CA1031 // A library's surprise over a stranger's text, whatever its type: it is no token.
        catch (Exception)
#pragma warning restore CA1031
        {
            why = Refusal.Malformed;
            return s_form;
        }
    }

    /// <summary>What is cheap first: a flood of wrong tokens costs few signatures.</summary>
    private Fault? Verify(JsonWebToken token, SigningKeySet set, DateTimeOffset now)
    {
        if (!options.Algorithms.Contains(token.Alg, StringComparer.Ordinal)
            || token.TryGetHeaderValue<object>("crit", out _))
            return s_algorithm;
        if (!IsNow(token.ValidFrom, token.ValidTo, now))
            return s_time;
        if (token.Issuer != options.Issuer)
            return s_invalid;
        if (set.Find(token.Kid ?? "") is not { } key)
        {
            keys.Want();
            return set.Count == 0 ? s_keyless : s_key;
        }

        return IsSigned(token, key) ? null : s_invalid;
    }

    private bool IsSigned(JsonWebToken token, SecurityKey key)
    {
        var result = _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = options.Issuer,
            ValidAudience = options.Audience,
            ValidAlgorithms = options.Algorithms,
            IssuerSigningKey = key,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            // By this server's clock, and done already.
            ValidateLifetime = false,
            LogValidationExceptions = false,
        });
        // Without a configuration manager it has nothing to wait for.
        return result.IsCompletedSuccessfully && result.Result.IsValid;
    }

    /// <summary>Moves the clock and not the token's times, which may be the last that there are.</summary>
    private bool IsNow(DateTime from, DateTime to, DateTimeOffset now) => to > DateTime.MinValue
        && now.UtcDateTime - _skew < to && now.UtcDateTime + _skew >= from;

    private Outcome<Caller> Holder(JsonWebToken token)
    {
        if (!token.TryGetPayloadValue<object>(options.TenantClaim, out var claim) || claim is not string tenant
            || !AccessNames.IsTenant(tenant) || (tenants.Count > 0 && !tenants.Contains(tenant)))
            return s_tenant;
        var subject = token.Subject;
        if (!AccessNames.IsSubject(subject))
            return s_subject;
        var roles = options.RolesClaim.Length == 0 ? Roles.Caller : RolesOf(token);
        if (_callers.TryGet((tenant, subject, roles), out var known))
            return known;
        var caller = new Caller { Tenant = tenant, Key = $"jwt:{subject}", Roles = roles };
        _callers.Set((tenant, subject, roles), caller);
        return caller;
    }

    /// <summary>A list has a claim for each of its elements; one text may hold several words.</summary>
    private Roles RolesOf(JsonWebToken token)
    {
        var roles = Roles.None;
        foreach (var word in token.Claims.Where(c => c.Type == options.RolesClaim).SelectMany(c => c.Value.Split(' ')))
        {
            var meant = options.Roles.Count == 0 ? word : options.Roles.GetValueOrDefault(word, "");
            roles |= RoleWords.TryParse(meant, out var role) ? role : Roles.None;
        }

        return roles;
    }
}
