using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Engine.Access;
using Spillway.Policies.Identity;
using Spillway.Tests.Config;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Access;

public sealed class TokenRingTests : IAsyncLifetime, IDisposable
{
    /// <summary>Seconds: the clock makes large steps here.</summary>
    private const int FarAway = 1_000_000_000;

    private readonly Issuer _issuer = new();
    private readonly ConfigFolder _folder = new();
    private readonly ManualTimeProvider _time = new();
    private readonly AccessCounts _counts = new();
    private SigningKeys _keys = null!;
    private TokenRing _tokens = null!;

    private string Place => _folder.PathOf("jwks.json");

    public async Task InitializeAsync()
    {
        await File.WriteAllTextAsync(Place, _issuer.Jwks());
        _keys = new(
            Place, TimeSpan.FromMinutes(5), TimeSpan.FromDays(1), _time, _counts, NullLogger.Instance);
        Assert.Null(await _keys.StartAsync());
        _tokens = Ring();
        _time.Advance(TimeSpan.FromMinutes(1));
    }

    public async Task DisposeAsync() => await _keys.DisposeAsync();

    public void Dispose()
    {
        _issuer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_token_is_its_holder_in_its_tenant()
    {
        var caller = Who(_issuer.Token());
        Assert.Equal(("team-a", "jwt:alice", Roles.Caller), (caller.Tenant, caller.Key, caller.Roles));
        Assert.Equal("jwt:bob@example.org", Who(_issuer.Token(("sub", "bob@example.org"))).Key);
    }

    [Fact]
    public void Every_algorithm_of_the_list_is_taken()
    {
        Who(Issuer.Sign("PS256", "r1", Issuer.Claims(), _issuer.Ps256));
        Who(Issuer.Sign("ES256", "e1", Issuer.Claims(), _issuer.Es256));
        Refuses(Issuer.Sign("RS384", "r1", Issuer.Claims(),
            d => _issuer.Rsa.SignData(d, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1)), "algorithm");
    }

    [Fact]
    public void Two_tokens_of_one_holder_are_one_caller_and_a_known_one_allocates_nothing()
    {
        var token = _issuer.Token();
        var caller = Who(token);
        Assert.Same(caller, Who(_issuer.Token(("jti", "another"))));
        Assert.NotSame(caller, Who(_issuer.Token(("tenant", "team-b"))));
        _tokens.Identify(token, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            _tokens.Identify(token, out _);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("NONE")]
    [InlineData("")]
    [InlineData(null)]
    public void An_unsigned_token_is_refused(string? algorithm)
    {
        Refuses(Issuer.Sign(algorithm, "r1", Issuer.Claims(), _ => []), "algorithm");
        Refuses(Issuer.Sign(algorithm, null, Issuer.Claims(), _issuer.Rs256), "algorithm");
    }

    [Fact]
    public void The_public_key_is_no_shared_secret()
    {
        // The classic confusion: HS256 with the bytes of the RSA key that everybody knows.
        var pem = Encoding.ASCII.GetBytes(_issuer.Rsa.ExportSubjectPublicKeyInfoPem());
        Refuses(Issuer.Sign("HS256", "r1", Issuer.Claims(), d => HMACSHA256.HashData(pem, d)), "algorithm");
    }

    [Fact]
    public void A_forged_token_is_refused()
    {
        using var other = new Issuer();
        Refuses(other.Token(), "signature");
        Refuses(Issuer.Sign("ES256", "r1", Issuer.Claims(), other.Es256), "signature");
        Refuses(Issuer.Sign("RS256", "r1", Issuer.Claims(), _ => []), "signature");
        var token = _issuer.Token();
        var parts = token.Split('.');
        var forged = Issuer.Text("""
            {"iss":"https://id.example.org","aud":"spillway","sub":"root","tenant":"ops","exp":3600}
            """u8.ToArray());
        Refuses($"{parts[0]}.{forged}.{parts[2]}", "signature");
        Refuses(token[..^4] + (token.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBB" : "AAAA"), "signature");
    }

    [Fact]
    public void A_token_that_brings_its_own_key_is_checked_with_ours()
    {
        using var other = new Issuer();
        var key = other.Rsa.ExportParameters(false);
        Refuses(Issuer.Sign("RS256", "r1", Issuer.Claims(), other.Rs256,
            ("jwk", new { kty = "RSA", n = Issuer.Text(key.Modulus!), e = Issuer.Text(key.Exponent!) }),
            ("jku", "http://127.0.0.1:1/keys")), "signature");
        Refuses(Issuer.Sign("RS256", "r1", Issuer.Claims(), _issuer.Rs256, ("crit", new[] { "exp" })), "algorithm");
    }

    [Theory]
    [InlineData("iss", "https://evil.example.org")]
    [InlineData("iss", null)]
    [InlineData("aud", "another service")]
    [InlineData("aud", null)]
    public void Another_issuer_or_audience_is_refused(string claim, string? value) =>
        Refuses(_issuer.Token((claim, value)), "issuer or audience");

    [Fact]
    public void A_token_ends_though_it_is_known_with_the_skew_of_clocks()
    {
        var token = _issuer.Token();
        Who(token);
        _time.Advance(TimeSpan.FromMinutes(59) + TimeSpan.FromSeconds(29));
        Who(token);
        _time.Advance(TimeSpan.FromSeconds(1));
        Refuses(token, "has ended");
        Refuses(_issuer.Token(("exp", null)), "has ended");
        Refuses(_issuer.Token(("nbf", 3600 + 100), ("exp", 9000)), "not valid yet");
        Who(_issuer.Token(("nbf", 3600 + 59), ("exp", 9000)));
    }

    [Theory]
    [InlineData("tenant", null)]
    [InlineData("tenant", "a b")]
    [InlineData("tenant", "a\r\nX: y")]
    [InlineData("tenant", 7)]
    [InlineData("sub", null)]
    [InlineData("sub", "alice\r\nSet-Cookie: x")]
    [InlineData("sub", "")]
    public void Claims_that_name_nobody_are_refused(string claim, object? value) =>
        Refuses(_issuer.Token((claim, value)), claim == "sub" ? "no subject" : "names no tenant");

    [Fact]
    public void A_tenant_must_be_one_of_the_configuration()
    {
        _tokens = Ring(tenants: "team-b");
        Refuses(_issuer.Token(), "names no tenant");
        Who(_issuer.Token(("tenant", "team-b")));
    }

    [Fact]
    public void Words_of_a_claim_are_roles_as_declared()
    {
        _tokens = Ring(new() { RolesClaim = "roles" });
        Assert.Equal(Roles.Caller | Roles.Operator,
            Who(_issuer.Token(("roles", new[] { "caller", "operator", "x" }))).Roles);
        Assert.Equal(Roles.Auditor, Who(_issuer.Token(("roles", "auditor admin"))).Roles);
        Assert.Equal(Roles.None, Who(_issuer.Token()).Roles);
        Assert.Equal(Roles.None, Who(_issuer.Token(("roles", 5))).Roles);
        _tokens = Ring(new()
        {
            RolesClaim = "groups",
            Roles = new Dictionary<string, string> { ["ml-admins"] = "operator", ["users"] = "caller" },
        });
        Assert.Equal(Roles.Operator, Who(_issuer.Token(("groups", new[] { "ml-admins", "caller" }))).Roles);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a.b.c")]
    [InlineData("e30.e30.")]
    [InlineData("a.b")]
    [InlineData("a.b.c.d.e")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.W10.x")]
    public void What_is_no_token_is_none(string text)
    {
        Assert.NotNull(_tokens.Identify(text, out var why).Fault);
        Assert.True(why is Refusal.Malformed or Refusal.Token);
    }

    [Theory]
    [InlineData("exp", "tomorrow")]
    [InlineData("exp", -1)]
    [InlineData("exp", new[] { 1 })]
    [InlineData("nbf", long.MaxValue)]
    [InlineData("nbf", "now")]
    [InlineData("iss", 5)]
    [InlineData("aud", 5)]
    [InlineData("sub", new[] { "alice" })]
    [InlineData("tenant", new[] { "team-a", "team-b" })]
    public void Claims_of_another_kind_are_refused_and_break_nothing(string claim, object value) =>
        Assert.NotNull(_tokens.Identify(_issuer.Token((claim, value)), out _).Fault);

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(253_402_300_799)]
    public void A_token_for_ever_breaks_nothing(long expires) =>
        _tokens.Identify(_issuer.Token(("exp", expires)), out _);

    [Fact]
    public void A_long_token_is_refused_unread() =>
        Assert.NotNull(_tokens.Identify(_issuer.Token(("x", new string('a', 8192))), out _).Fault);

    [Fact]
    public void Ten_thousand_wrong_tokens_leave_nothing_in_memory()
    {
        var parts = _issuer.Token().Split('.');
        for (var i = 0; i < 10_000; i++)
            Assert.NotNull(_tokens.Identify($"{parts[0]}.{parts[1]}.{i}", out _).Fault);
        Assert.Equal(0, _tokens.KnownCount);
    }

    [Fact]
    public async Task A_new_key_is_read_in_the_background_and_a_key_that_is_gone_is_gone()
    {
        using var next = new Issuer();
        var old = _issuer.Token(("exp", FarAway));
        Who(old);
        var before = _keys.Current;
        var token = Issuer.Sign("RS256", "r2", Issuer.Claims(("exp", FarAway)), next.Rs256);
        Refuses(token, "not known here");
        var key = next.Rsa.ExportParameters(false);
        await File.WriteAllTextAsync(Place, $$"""
            {"keys":[{"kty":"RSA","kid":"r2","n":"{{Issuer.Text(key.Modulus!)}}","e":"{{Issuer.Text(key.Exponent!)}}"}]}
            """);
        await AdvanceUntilAsync(() => !ReferenceEquals(before, _keys.Current));
        Who(token);
        Refuses(old, "not known here");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"keys":[{"kty":"oct","kid":"r1","k":"c2VjcmV0"}]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","kid":"weak","n":"wQ","e":"AQAB"}]}""")]
    public async Task A_key_set_without_use_is_a_start_up_fault_and_later_leaves_the_keys_before(string text)
    {
        var place = _folder.PathOf("bad.json");
        await File.WriteAllTextAsync(place, text);
        await using var keys = new SigningKeys(
            place, TimeSpan.FromMinutes(5), TimeSpan.FromDays(1), _time, _counts, NullLogger.Instance);
        Assert.Contains(place, (await keys.StartAsync())!.Message, StringComparison.Ordinal);

        var (token, before) = (_issuer.Token(("exp", FarAway)), _keys.Current);
        await File.WriteAllTextAsync(Place, text);
        var failed = _counts.JwksReads.Failed;
        await AdvanceUntilAsync(() => _counts.JwksReads.Failed > failed);
        Assert.Same(before, _keys.Current);
        Who(token);
    }

    /// <summary>The reader waits on the clock; each turn lets it go on once.</summary>
    private async Task AdvanceUntilAsync(Func<bool> isSo)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TestServer.Patience, "It did not happen.");
            if (_time.TimersSet > 0)
                _time.Advance(TimeSpan.FromSeconds(30));
            await Task.Yield();
        }
    }

    private TokenRing Ring(JwtOptions? options = null, params string[] tenants) => new(
        (options ?? new()) with { Issuer = Issuer.Name, Audience = Issuer.Audience, Jwks = Place }, _keys, tenants,
            _time);

    private Caller Who(string token) => _tokens.Identify(token, out _).Value;

    private void Refuses(string token, string says)
    {
        var fault = _tokens.Identify(token, out _).Fault;
        Assert.NotNull(fault);
        Assert.Equal(FaultKind.Unauthenticated, fault.Kind);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
    }
}
