using System.Text.Json;

namespace Spillway.Tests.Server.Access;

/// <summary>Keys, as callers of REST meet them.</summary>
public sealed class KeysTests : IAsyncLifetime
{
    private const string Realm = "Bearer realm=\"spillway\"";

    private KeyedServer _server = null!;

    public async Task InitializeAsync() => _server = await KeyedServer.StartAsync();

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task Without_a_key_only_health_is_answered()
    {
        Assert.Equal(200, (await _server.GetAsync("/v2/health/live", key: null)).Status);
        Assert.Equal(200, (await _server.GetAsync("/v2/health/ready", key: null)).Status);
        foreach (var path in new[]
        {
            "/v2", "/v2/models", "/v2/models/echo", "/v2/models/echo/ready", "/v2/models/stats", "/v2/logging",
            "/v2/trace/setting", "/metrics", "/admin/v1/server", "/admin/v1/keys", "/nothing", "/v2/health/live/",
        })
        {
            var reply = (await _server.GetAsync(path, key: null)).Is(
                401, "unauthenticated", "send the header Authorization");
            Assert.Equal(Realm, reply.Header("WWW-Authenticate"));
        }

        (await _server.InferAsync("echo", key: null)).Is(401, "unauthenticated");
        Assert.Equal(13, await _server.RefusedAsync("missing"));
    }

    [Fact]
    public async Task A_key_is_taken_in_either_header()
    {
        var (key, _) = await _server.KeyAsync("""{"tenant":"team-a"}""");
        Assert.Equal(200, (await _server.InferAsync("echo", key)).Status);
        Assert.Equal(200, (await _server.InferAsync("echo", key: null, ("x-api-key", key))).Status);
        Assert.Equal(200, (await _server.InferAsync("echo", key, ("x-api-key", key))).Status);
        Assert.Equal(200, (await _server.InferAsync("echo", key: null, ("authorization", $"bearer {key}"))).Status);
        (await _server.InferAsync("echo", key, ("x-api-key", _server.Operator))).Is(
            401, "unauthenticated", "several keys");
        (await _server.InferAsync("echo", key: null, ("Authorization", "Basic YTpi"))).Is(
            401, "unauthenticated", "Bearer");
        Assert.Equal(200, (await _server.InferAsync(
            "echo", null, ("Authorization", "Basic YTpi"), ("x-api-key", key))).Status);
    }

    [Fact]
    public async Task A_wrong_key_is_refused_whatever_is_wrong_with_it()
    {
        var (key, _) = await _server.KeyAsync("""{"tenant":"team-a"}""");
        foreach (var wrong in new[] { key[..^1], key + "x", "sw_", "x", "sw_live_aaaaaaaaaaaa_x_y",
            new string('a', 20_000) })
        {
            var reply = await _server.InferAsync("echo", null, ("x-api-key", wrong));
            Assert.True(reply.Status == 401, $"{wrong}: {reply.Text}");
            Assert.Equal(Realm + ", error=\"invalid_token\"", reply.Header("WWW-Authenticate"));
            // What was sent stands nowhere in the answer.
            if (wrong.Length > 3)
                Assert.DoesNotContain(wrong, reply.Text + string.Join(' ', reply.Headers.Values),
                    StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Roles_decide_what_a_key_may_do()
    {
        var (caller, _) = await _server.KeyAsync("""{"tenant":"a"}""");
        var (auditor, _) = await _server.KeyAsync("""{"tenant":"a","roles":["auditor"]}""");
        Assert.Equal(200, (await _server.GetAsync("/v2/models/echo", caller)).Status);
        foreach (var path in new[] { "/metrics", "/admin/v1/server", "/admin/v1/keys", "/admin/v1/requests" })
            (await _server.GetAsync(path, caller)).Is(403, "forbidden", "needs the role operator");
        (await _server.SendAsync("POST", "/v2/logging", caller, "{}")).Is(403, "forbidden", "role operator");
        (await _server.SendAsync("POST", "/v2/models/echo/trace/setting", caller, "{}")).Is(
            403, "forbidden", "operator");
        (await _server.SendAsync("POST", "/v2/repository/models/echo/unload", caller, "{}")).Is(
            403, "forbidden", "operator");
        Assert.Equal(200, (await _server.GetAsync("/v2/logging", caller)).Status);

        Assert.Equal(200, (await _server.GetAsync("/metrics", auditor)).Status);
        (await _server.InferAsync("echo", auditor)).Is(403, "forbidden", "role caller", "auditor");
        (await _server.GetAsync("/admin/v1/keys", auditor)).Is(403, "forbidden", "role operator");
        (await _server.GetAsync("/v2/models", auditor)).Is(403, "forbidden", "caller or operator");

        (await _server.InferAsync("echo", _server.Operator)).Is(403, "forbidden", "role caller");
        Assert.Equal(200, (await _server.GetAsync("/v2/models", _server.Operator)).Status);
    }

    [Fact]
    public async Task A_key_for_some_models_learns_nothing_of_the_others()
    {
        var (key, id) = await _server.KeyAsync("""{"tenant":"a","models":["echo","gone"]}""");
        Assert.Equal(200, (await _server.InferAsync("echo", key)).Status);
        foreach (var model in new[] { "other", "nowhere" })
        {
            var reply = (await _server.InferAsync(model, key)).Is(
                403, "forbidden", id, $"may not use the model '{model}'");
            Assert.Contains("it is for echo, gone", reply.Error, StringComparison.Ordinal);
            (await _server.GetAsync($"/v2/models/{model}", key)).Is(403, "forbidden");
        }

        Assert.DoesNotContain("other", (await _server.GetAsync("/v2/models", key)).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("other", (await _server.GetAsync("/v2/models/stats", key)).Text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("other", (await _server.InferAsync("gone", key)).Is(404, "unknown_model").Text,
            StringComparison.Ordinal);
        (await _server.SendAsync("POST", "/v2/repository/index", key, "{}")).Is(
            403, "forbidden", "for some models only");
        Assert.Equal(5, await _server.RefusedAsync("model"));
    }

    [Fact]
    public async Task A_revoked_key_is_refused_with_the_next_request()
    {
        var (key, id) = await _server.KeyAsync("""{"tenant":"a"}""");
        Assert.Equal(200, (await _server.InferAsync("echo", key)).Status);
        var revoked = await _server.SendAsync("POST", $"/admin/v1/keys/{id}/revoke", _server.Operator);
        Assert.True(revoked.Status == 200 && revoked.Json.TryGetProperty("revoked", out _), revoked.Text);
        (await _server.InferAsync("echo", key)).Is(401, "unauthenticated", $"The key {id} was revoked");
        Assert.Equal(1, await _server.RefusedAsync("revoked"));
    }

    [Fact]
    public async Task A_rotated_key_works_with_both_secrets_and_without_grace_with_the_new_one_only()
    {
        var (first, id) = await _server.KeyAsync("""{"tenant":"a"}""");
        var second = (await RotateAsync(id, """{"grace_s":3600}""")).GetProperty("key").GetString()!;
        Assert.Equal(200, (await _server.InferAsync("echo", first)).Status);
        Assert.Equal(200, (await _server.InferAsync("echo", second)).Status);
        var third = (await RotateAsync(id, """{"grace_s":0}""")).GetProperty("key").GetString()!;
        (await _server.InferAsync("echo", second)).Is(401, "unauthenticated");
        Assert.Equal(200, (await _server.InferAsync("echo", third)).Status);
    }

    [Fact]
    public async Task The_list_shows_everything_but_secrets()
    {
        var (key, id) = await _server.KeyAsync(
            """
            {"tenant":"a","name":"batch","environment":"test","models":["echo"],"top_k":3,
             "criticality":"sheddable","lifetime_s":60}
            """);
        await _server.InferAsync("echo", key);
        var reply = await _server.GetAsync("/admin/v1/keys", _server.Operator);
        Assert.DoesNotContain(key.Split('_')[3], reply.Text, StringComparison.Ordinal);
        var listed = reply.Json.GetProperty("keys").EnumerateArray().Single(k => k.GetProperty("id").GetString() == id);
        Assert.Equal("batch", listed.GetProperty("name").GetString());
        Assert.Equal(3, listed.GetProperty("top_k").GetInt32());
        Assert.Equal("sheddable", listed.GetProperty("criticality").GetString());
        Assert.True(listed.TryGetProperty("last_used", out _) && listed.TryGetProperty("expires", out _));
    }

    [Theory]
    [InlineData("", "The body is empty")]
    [InlineData("[]", "object")]
    [InlineData("{", "not JSON")]
    [InlineData("{}", "'tenant' is missing")]
    [InlineData("""{"tennant":"a"}""", "did you mean tenant?")]
    [InlineData("""{"tenant":"a b"}""", "'tenant' is 'a b'")]
    [InlineData("""{"tenant":"a","roles":["operater"]}""", "did you mean operator?")]
    [InlineData("""{"tenant":"a","roles":[]}""", "'roles' is empty")]
    [InlineData("""{"tenant":"a","models":[]}""", "'models' has 0 names")]
    [InlineData("""{"tenant":"a","models":["../x"]}""", "'models' is '../x'")]
    [InlineData("""{"tenant":"a","decimals":10}""", "'decimals' is 10")]
    [InlineData("""{"tenant":"a","top_k":0}""", "'top_k' is 0")]
    [InlineData("""{"tenant":"a","lifetime_s":-1}""", "'lifetime_s'")]
    [InlineData("""{"tenant":"a","name":"a\r\nX-Evil: 1"}""", "'name' is 'a··X-Evil: 1'")]
    [InlineData("""{"tenant":"a","criticality":"urgent"}""", "'criticality' is 'urgent'")]
    [InlineData("""{"tenant":"a","label_only":"yes"}""", "true or false")]
    public async Task An_order_that_makes_no_sense_says_what_is_wrong(string body, string says) =>
        (await _server.SendAsync("POST", "/admin/v1/keys", _server.Operator, body)).Is(400, "invalid_input", says);

    [Fact]
    public async Task Paths_and_methods_that_do_not_exist_are_told()
    {
        (await _server.GetAsync("/admin/v1/keys/x/y", _server.Operator)).Is(404, "unknown_path", "keys/<id>/rotate");
        var reply = (await _server.SendAsync("DELETE", "/admin/v1/keys", _server.Operator)).Is(405, "wrong_method");
        Assert.Equal("GET, POST", reply.Header("Allow"));
        (await _server.SendAsync("POST", "/admin/v1/keys/nobody/revoke", _server.Operator)).Is(
            400, "invalid_input", "no key of that id");
    }

    [Fact]
    public async Task The_record_of_a_request_says_who_asked()
    {
        var (key, id) = await _server.KeyAsync("""{"tenant":"team-a"}""");
        await _server.InferAsync("echo", key, ("X-Request-Id", "asked"));
        JsonElement record = default;
        await TestServer.UntilAsync(async () =>
        {
            var reply = await _server.GetAsync("/admin/v1/requests/asked", _server.Operator);
            record = reply.Json;
            return reply.Status == 200;
        });
        Assert.Equal("team-a", record.GetProperty("tenant").GetString());
        Assert.Equal(id, record.GetProperty("key").GetString());
    }

    [Fact]
    public async Task With_a_key_any_Host_is_served()
    {
        var (key, _) = await _server.KeyAsync("""{"tenant":"team-a"}""");
        var answer = await RawConnection.AskAsync(_server.Server.Address,
            $"GET /v2/models/echo HTTP/1.1\r\nHost: models.example.org\r\nAuthorization: Bearer {key}\r\nConnection: "
                + $"close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n", "HTTP/1.1 401")]
    [InlineData("x-api-key: a\r\nx-api-key: b\r\n", "HTTP/1.1 401")]
    [InlineData("x-api-key: a\0b\r\n", "HTTP/1.1 400")]
    [InlineData("x-api-key: a\rSet-Cookie: b\r\n", "HTTP/1.1 400")]
    [InlineData("x-api-key:\r\n", "HTTP/1.1 401")]
    [InlineData("Authorization: Bearer \r\n", "HTTP/1.1 401")]
    [InlineData("Origin: http://example.org\r\n", "HTTP/1.1 403")]
    [InlineData("Sec-Fetch-Site: cross-site\r\n", "HTTP/1.1 403")]
    public async Task Hostile_headers_are_refused(string headers, string status)
    {
        var answer = await RawConnection.AskAsync(
            _server.Server.Address, $"GET /v2/models HTTP/1.1\r\nHost: h\r\n{headers}Connection: close\r\n\r\n");
        Assert.StartsWith(status, answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Set-Cookie", answer, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Access-Control-Allow", answer, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Thousands_of_wrong_keys_are_counted_and_the_server_serves_on()
    {
        var (key, _) = await _server.KeyAsync("""{"tenant":"a"}""");
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            var wrong = Spillway.Policies.Identity.KeyText.Create("live", Spillway.Policies.Identity.KeyText.NewId());
            Assert.Equal(401, (await _server.InferAsync("echo", wrong)).Status);
        });
        Assert.Equal(2000, await _server.RefusedAsync("unknown"));
        Assert.Equal(200, (await _server.InferAsync("echo", key)).Status);
    }

    private async Task<JsonElement> RotateAsync(string id, string body)
    {
        var reply = await _server.SendAsync("POST", $"/admin/v1/keys/{id}/rotate", _server.Operator, body);
        Assert.True(reply.Status == 200, reply.Text);
        return reply.Json;
    }
}
