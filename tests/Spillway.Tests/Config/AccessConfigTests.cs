using Spillway.App.Hosting;
using Spillway.Config;
using Spillway.Policies.Identity;
using Spillway.Tests.Server;

namespace Spillway.Tests.Config;

public sealed class AccessConfigTests
{
    [Fact]
    public void By_default_there_are_no_keys()
    {
        var loaded = Load("");
        Assert.True(loaded.Valid, ConfigErrorText.Format(loaded.Errors));
        Assert.Equal(KeysMode.Off, loaded.Options.Access.Keys);
        Assert.DoesNotContain(loaded.Notes, n => n.Key.StartsWith("access", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("acces: { keys: required }", "acces", "access")]
    [InlineData("access: { kesy: required }", "access.kesy", "keys")]
    [InlineData("access: { keys: requierd }", "access.keys", "required")]
    [InlineData("access: { keys: required, orgins: [] }", "access.orgins", "origins")]
    [InlineData("access: { keys: required, jwt: { isuer: x, audience: y, jwks: z } }", "access.jwt.isuer", "issuer")]
    [InlineData("access: { keys: required, jwt: { issuer: x, audience: y, jwks: spillway.yaml, algorithms: [RS257] } }",
        "access.jwt.algorithms[0]", "RS256")]
    [InlineData("tenants: { team-a: { owners: me } }", "tenants.team-a.owners", "owner")]
    [InlineData("tenants: { team-a: { owner: me } }\naccess: { keys: required, tls: { certificate: spillway.yaml, "
        + "clientCertificates: optional, clientCa: spillway.yaml, clients: { probe: { tenant: taem-a } } } }",
        "access.tls.clients.probe.tenant", "team-a")]
    public void A_mistyped_key_is_an_error_with_a_suggestion(string yaml, string key, string suggestion)
    {
        var error = Assert.Single(Load(yaml).Errors, e => e.Key == key);
        Assert.Equal(suggestion, error.Suggestion);
    }

    [Theory]
    [InlineData("access: { keys: required, jwt: { issuer: x, audience: y, jwks: spillway.yaml, algorithms: [none] } }",
        "access.jwt.algorithms[0]")]
    [InlineData("access: { keys: required, jwt: { issuer: x, audience: y, jwks: spillway.yaml, algorithms: [HS256] } }",
        "access.jwt.algorithms[0]")]
    [InlineData("access: { keys: required, jwt: { issuer: x, audience: y, jwks: spillway.yaml, algorithms: [] } }",
        "access.jwt.algorithms")]
    [InlineData("access: { keys: required, jwt: { issuer: x, audience: y, jwks: 'http://example.org/keys' } }",
        "access.jwt.jwks")]
    [InlineData("access: { keys: required, jwt: { issuer: x, audience: y, jwks: nowhere.json } }", "access.jwt.jwks")]
    [InlineData("access: { keys: required, jwt: { audience: y, jwks: spillway.yaml } }", "access.jwt.issuer")]
    [InlineData("access: { jwt: { issuer: x, audience: y, jwks: spillway.yaml } }", "access.jwt")]
    [InlineData("access: { origins: ['https://app.example.org'] }", "access.origins")]
    [InlineData("access: { keys: required, origins: ['app.example.org'] }", "access.origins[0]")]
    [InlineData("access: { keys: required, origins: ['https://app.example.org/'] }", "access.origins[0]")]
    [InlineData("access: { keys: required, origins: ['*'] }", "access.origins[0]")]
    [InlineData("access: { keys: required, pepper: 'a secret that does not belong here' }", "access.pepper")]
    [InlineData("access: { tls: { certificate: nowhere.pem } }", "access.tls.certificate")]
    [InlineData("access: { keys: required, tls: { certificate: spillway.yaml, clientCertificates: required } }",
        "access.tls.clientCertificates")]
    [InlineData("tenants: { 'a b': { owner: me } }", "tenants.a b")]
    [InlineData("tenants: { 'x': { owner: me } }\nserver: { stateFolder: '' }", "server.stateFolder")]
    public void What_makes_no_sense_is_an_error_at_its_key(string yaml, string key) =>
        Assert.Contains(Load(yaml).Errors, e => e.Key == key && e.Line > 0);

    [Theory]
    [InlineData("", "access.keys: required")]
    [InlineData("access: { keys: required }", "access.tls")]
    public void Another_address_needs_keys_and_then_TLS(string access, string remedy)
    {
        var error = Assert.Single(Load($"server: {{ port: 0, address: 0.0.0.0 }}\n{access}").Errors);
        Assert.Equal("server.address", error.Key);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("access: { keys: required, plainText: true }")]
    [InlineData("access: { keys: required, tls: { certificate: spillway.yaml } }")]
    public void Another_address_is_served_with_keys_and_TLS_or_when_said_explicitly(string access) =>
        Assert.Empty(Load($"server: {{ port: 0, address: 0.0.0.0 }}\n{access}").Errors);

    [Fact]
    public void A_secret_in_the_wrong_place_is_not_repeated() => Assert.DoesNotContain(
        "hunter2", ConfigErrorText.Format(Load("access: { keys: required, pepper: hunter2 }").Errors),
            StringComparison.Ordinal);

    [Fact]
    public void A_tenant_without_an_owner_is_a_note()
    {
        var note = Assert.Single(
            Load("tenants: { a: { owner: me }, b: {} }").Notes,
            n => n.Key.StartsWith("tenants", StringComparison.Ordinal));
        Assert.Equal("tenants.b", note.Key);
        Assert.Contains("no owner", note.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_snapshot_shows_the_sections_with_absolute_paths()
    {
        var loaded = Load("access: { keys: required, pepper: 'file:p' }\ntenants: { a: { owner: me } }");
        var snapshot = Snapshot.From(loaded, number: 1, DateTimeOffset.UnixEpoch);
        Assert.True(Path.IsPathFullyQualified(snapshot.StateFolder));
        Assert.StartsWith($"file:{Path.GetDirectoryName(snapshot.Source)}", snapshot.Access.Pepper,
            StringComparison.Ordinal);
        Assert.Equal("me", snapshot.Tenants["a"].Owner);
        var other = Snapshot.From(Load("access: { keys: required }"), number: 1, DateTimeOffset.UnixEpoch);
        Assert.NotEqual(snapshot.Digest, other.Digest);
    }

    private static ConfigResult Load(string yaml)
    {
        using var folder = TestServer.Folder("", ("echo", TestServer.Simulated()));
        var file = folder.PathOf("spillway.yaml");
        var text = File.ReadAllText(file);
        if (yaml.StartsWith("server:", StringComparison.Ordinal)
            || yaml.Contains("\nserver:", StringComparison.Ordinal))
            text = "models: [echo]\n";
        File.WriteAllText(file, text + yaml);
        return ConfigLoader.Load(file, Composition.RuntimeOptions, new Dictionary<string, string>());
    }
}
