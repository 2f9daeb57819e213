using System.Text.Json;

namespace Spillway.Tests.Server.Access;

/// <summary>
/// `spillway keys` as a person meets it: the first key beside a stopped server, the others over the wire.
/// </summary>
public sealed class KeysCommandTests
{
    [Fact]
    public async Task Keys_are_made_offline_and_then_over_the_wire_and_every_command_sends_one()
    {
        var folder = KeyedServer.Folder();
        var (code, output, errors) = await ChildProcess.RunAsync(
            "keys", "create", "--config", folder.Root, "--tenant", "ops", "--role", "operator");
        Assert.True(code == 0, errors);
        var first = output.Trim();
        Assert.StartsWith("sw_live_", first, StringComparison.Ordinal);
        Assert.Contains("shown this once", errors, StringComparison.Ordinal);

        await using var server = await TestServer.StartAsync(folder);
        var at = server.Address.ToString();
        (code, _, errors) = await ChildProcess.RunAsync("keys", "create", "--config", folder.Root, "--tenant", "x");
        Assert.Equal(1, code);
        Assert.Contains("One server at a time", errors, StringComparison.Ordinal);

        (code, output, _) = await ChildProcess.RunAsync("keys", "create", "--server", at, "--key", first, "--tenant",
            "team-a", "--name", "batch", "--model", "echo", "--expires", "90d", "--decimals", "2", "--json");
        Assert.Equal(0, code);
        var key = JsonElement.Parse(output);
        var (text, id) = (key.GetProperty("key").GetString()!, key.GetProperty("id").GetString()!);

        (code, output, _) = await ChildProcess.RunAsync("keys", "list", "--server", at, "--key", first);
        Assert.Equal(0, code);
        var line = output.Split('\n').Single(l => l.StartsWith(id, StringComparison.Ordinal));
        Assert.All(new[] { "team-a", "live until", "caller, echo, 2 decimals", "never used", "\"batch\"" },
            s => Assert.Contains(s, line, StringComparison.Ordinal));
        Assert.DoesNotContain(text, output, StringComparison.Ordinal);

        (code, output, _) = await ChildProcess.RunAsync("models", "--server", at, "--key", first);
        Assert.Equal(0, code);
        Assert.Contains("echo", output, StringComparison.Ordinal);
        (code, _, errors) = await ChildProcess.RunAsync("models", "--server", at);
        Assert.Equal(1, code);
        Assert.Contains("401: This server answers to keys", errors, StringComparison.Ordinal);
        (code, _, errors) = await ChildProcess.RunAsync("load", "--server", at, "--key", text, "--model", "echo",
            "--requests", "20", "--warmup", "0s", "--duration", "30s");
        Assert.True(code == 0, errors);

        // A whole key may be pasted where its id is meant.
        (code, output, errors) = await ChildProcess.RunAsync(
            "keys", "rotate", text, "--grace", "1h", "--server", at, "--key", first);
        Assert.True(code == 0 && output.StartsWith($"sw_live_{id}_", StringComparison.Ordinal), errors);
        (code, output, _) = await ChildProcess.RunAsync("keys", "revoke", id, "--server", at, "--key", first);
        Assert.Equal(0, code);
        Assert.Contains("is revoked", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--expires", "soon")]
    [InlineData("--expires", "-1d")]
    [InlineData("--expires", "")]
    public async Task A_time_that_is_none_is_told(string option, string value)
    {
        using var folder = KeyedServer.Folder();
        var (code, _, errors) = await ChildProcess.RunAsync(
            "keys", "create", "--config", folder.Root, "--tenant", "a", option, value);
        Assert.Equal(2, code);
        Assert.Contains("90d", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_cannot_stand_in_a_header_is_told()
    {
        var (code, _, errors) = await ChildProcess.RunAsync(
            "models", "--server", "http://127.0.0.1:1", "--key", "a\nb");
        Assert.Equal(2, code);
        Assert.Contains("characters that no key has", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_warns_about_a_tenant_without_an_owner()
    {
        using var folder = KeyedServer.Folder(more: "tenants: { team-a: {} }\n");
        var (code, _, errors) = await ChildProcess.RunAsync("check", folder.Root);
        Assert.Equal(0, code);
        Assert.Contains("tenants.team-a", errors, StringComparison.Ordinal);
        Assert.Contains("no owner", errors, StringComparison.Ordinal);
    }
}
