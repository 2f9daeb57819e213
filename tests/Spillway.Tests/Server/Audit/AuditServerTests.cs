using System.Text;
using System.Text.Json;
using Spillway.Store.Audit;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server.Audit;

/// <summary>A server with an audit log, asked over the wire; then its files, as an auditor meets them.</summary>
public sealed class AuditServerTests
{
    [Fact]
    public async Task Requests_refusals_and_changes_are_in_the_log_and_it_is_whole_after_the_stop()
    {
        using var folder = Folder("audit: { headMs: 10 }");
        string digest;
        await using (var server = await StartAsync(folder))
        {
            digest = server.Snapshot.Digest;
            Assert.Equal(200, (await server.InferRowAsync("echo", id: "first")).Status);
            Assert.Equal(400, (await server.InferAsync("echo", "{}", ("X-Request-Id", "wrong"))).Status);
            await server.SendAsync(new(HttpMethod.Post, "/v2/logging") { Content = new StringContent(
                """{"log_verbose_level":1}""") });
        }

        var log = AuditFolder.At(folder.PathOf("state"));
        var records = new AuditReader(log).From(0).Select(Json).ToList();
        var first = records.Single(r => Text(r, "request_id") == "first");
        Assert.Equal(("access", "echo", "ok", digest),
            (Text(first, "kind"), Text(first, "model"), Text(first, "outcome"), Text(first, "config_digest")));
        Assert.Equal(200, first.GetProperty("status").GetInt32());
        Assert.Equal(64, first.GetProperty("config_digest").GetString()!.Length);
        var wrong = records.Single(r => Text(r, "request_id") == "wrong");
        Assert.Equal(("refusal", "invalid_input", "refused_invalid"),
            (Text(wrong, "kind"), Text(wrong, "outcome"), Text(wrong, "decision")));
        Assert.Contains(records, r => Text(r, "action") == "settings.log" && Text(r, "outcome") == "ok");
        Assert.Equal("server.stopped", Text(records[^1], "action"));

        var (code, output, errors) = await ChildProcess.RunAsync("audit", "verify", folder.PathOf("state"), "--json");
        Assert.True(code == 0, output + errors);
        var report = JsonElement.Parse(output);
        Assert.True(report.GetProperty("whole").GetBoolean());
        Assert.Equal(records.Count, report.GetProperty("signed").GetInt32());
    }

    [Fact]
    public async Task The_admin_protocol_shows_state_heads_records_and_proofs()
    {
        using var folder = Folder("audit: { headMs: 10 }");
        await using var server = await StartAsync(folder);
        await server.InferRowAsync("echo", id: "asked");
        await TestServer.UntilAsync(async () =>
            (await server.GetAsync("/admin/v1/audit/proof?request=asked")).Status == 200);

        // The head is in its file a moment before it is in the state.
        JsonElement state = default;
        await TestServer.UntilAsync(async () =>
        {
            state = (await server.GetAsync("/admin/v1/audit")).Json;
            var head = state.GetProperty("head");
            return head.ValueKind is JsonValueKind.Object && head.GetProperty("size").GetInt32() == 2;
        });
        Assert.Equal(2, state.GetProperty("records").GetInt32());
        Assert.Equal(2, state.GetProperty("head").GetProperty("size").GetInt32());
        Assert.StartsWith("-----BEGIN PUBLIC KEY", state.GetProperty("public_key").GetString(),
            StringComparison.Ordinal);
        var page = (await server.GetAsync("/admin/v1/audit/records?from=1&limit=1")).Json;
        Assert.Equal("asked", page.GetProperty("records")[0].GetProperty("request_id").GetString());
        Assert.Equal(2, page.GetProperty("next").GetInt32());
        Assert.NotEqual(0, (await server.GetAsync("/admin/v1/audit/heads")).Json.GetProperty("heads").GetArrayLength());

        // Whoever has the proof and the key needs nothing else.
        folder.Write("proof.json", (await server.GetAsync("/admin/v1/audit/proof?request=asked")).Text)
            .Write("key.pem", state.GetProperty("public_key").GetString()!);
        var (code, output, errors) = await ChildProcess.RunAsync(
            "audit", "verify", "--proof", folder.PathOf("proof.json"), "--key", folder.PathOf("key.pem"));
        Assert.True(code == 0, errors);
        Assert.StartsWith("Record 1 (Access", output, StringComparison.Ordinal);
        (code, output, errors) = await ChildProcess.RunAsync(
            "audit", "verify", "--server", server.Address.ToString(), "--key", folder.PathOf("key.pem"));
        Assert.True(code == 0, errors);
        Assert.StartsWith("Whole: ", output, StringComparison.Ordinal);
        folder.Write("proof.json", File.ReadAllText(folder.PathOf("proof.json")).Replace("\"index\":1", "\"index\":0",
            StringComparison.Ordinal));
        (code, _, _) = await ChildProcess.RunAsync(
            "audit", "verify", "--proof", folder.PathOf("proof.json"), "--key", folder.PathOf("key.pem"));
        Assert.Equal(3, code);

        Assert.Equal(404, (await server.GetAsync("/admin/v1/audit/proof?request=never")).Status);
        Assert.Equal(404, (await server.GetAsync("/admin/v1/audit/consistency?first=999")).Status);
        Assert.Equal(404, (await server.GetAsync("/admin/v1/audit/nothing")).Status);
        Assert.Equal(405, (await server.GetAsync("/admin/v1/audit/retain")).Status);
    }

    [Fact]
    public async Task Over_the_wire_too_heads_that_were_taken_away_are_found()
    {
        using var folder = Folder("audit: { headMs: 10 }");
        await using var server = await StartAsync(folder);
        await server.InferRowAsync("echo", id: "asked");
        await TestServer.UntilAsync(async () =>
            (await server.GetAsync("/admin/v1/audit/proof?request=asked")).Status == 200);
        var log = AuditFolder.At(folder.PathOf("state"));
        File.Copy(log.PublicKey, folder.PathOf("key.pem"));
        var (code, output, errors) = await VerifyAsync();
        Assert.True(code == 0, output + errors);

        // An older head than the server signed, then none.
        var heads = File.ReadAllLines(log.Heads);
        File.Move(log.Heads, folder.PathOf("heads.before"));
        File.WriteAllLines(log.Heads, heads[..^1]);
        (code, _, errors) = await VerifyAsync();
        Assert.Equal(3, code);
        Assert.Contains("DAMAGED (HeadMissing)", errors, StringComparison.Ordinal);
        Assert.Contains("The server signed a head of 2 records", errors, StringComparison.Ordinal);
        File.Delete(log.Heads);
        (code, _, errors) = await VerifyAsync();
        Assert.Equal(3, code);
        Assert.Contains("heads were taken away", errors, StringComparison.Ordinal);

        Task<(int Code, string Output, string Errors)> VerifyAsync() => ChildProcess.RunAsync(
            "audit", "verify", "--server", server.Address.ToString(), "--key", folder.PathOf("key.pem"));
    }

    [Fact]
    public async Task A_server_without_the_section_keeps_nothing_and_says_so()
    {
        using var folder = Folder("");
        await using var server = await StartAsync(folder);
        await server.InferRowAsync("echo");
        (await server.GetAsync("/admin/v1/audit")).Is(501, "unsupported", "no section audit");
        Assert.False(Directory.Exists(folder.PathOf("state")));
    }

    [Fact]
    public async Task Inputs_are_kept_only_where_a_model_asks_for_it_and_come_back_with_the_keys()
    {
        using var folder = Folder("audit: { headMs: 10 }").Write("kept/model.yaml", TestServer.Simulated(
            more: "audit: { payloads: true }"));
        await using (var server = await StartAsync(folder))
        {
            await server.InferRowAsync("echo", id: "plain");
            await server.InferRowAsync("kept", id: "private");
        }

        var log = AuditFolder.At(folder.PathOf("state"));
        var record = Assert.Single(new AuditReader(log).From(0), r => r.Kind is AuditKind.Payload);
        Assert.Equal("private", record.RequestId);
        using var vault = AuditVault.Open(log);
        var inputs = vault.Inputs(record).Value;
        var length = BitConverter.ToInt32(inputs);
        Assert.Equal("""[{"name":"x","datatype":"FP32","shape":"[1,4]","bytes":16}]""",
            Encoding.UTF8.GetString(inputs, 4, length));
        float[] values = [1, 2, 3, 4];
        Assert.Equal(values, System.Runtime.InteropServices.MemoryMarshal.Cast<byte,
            float>(inputs.AsSpan(4 + length)).ToArray());

        var (code, output, _) = await ChildProcess.RunAsync(
            "audit", "export", "--folder", folder.PathOf("state"), "--request", "private", "--payloads");
        Assert.Equal(0, code);
        Assert.Contains(Convert.ToBase64String(inputs), output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Declared_to_refuse_a_server_answers_503_while_the_log_cannot_be_written_and_goes_on_afterwards()
    {
        using var folder = Folder("audit: { headMs: 10 }");
        var segment = AuditFolder.At(folder.PathOf("state/audit")).Segment(0);
        Directory.CreateDirectory(segment);
        await using (var server = await StartAsync(folder))
        {
            Reply? refused = null;
            await TestServer.UntilAsync(async () => (refused = await server.InferRowAsync("echo")).Status == 503);
            refused!.Is(503, "store_failed", "audit log cannot be written", "audit.onFailure: refuse");
            (await server.SendAsync(new(HttpMethod.Post, "/v2/logging") { Content = new StringContent("{}") }))
                .Is(503, "store_failed");
            Directory.Delete(segment);
            await TestServer.UntilAsync(async () => (await server.InferRowAsync("echo")).Status == 200);
        }

        Assert.Contains(new AuditReader(AuditFolder.At(folder.PathOf("state"))).From(0), r =>
            r.Action == "requests.refused");
    }

    [Fact]
    public async Task A_killed_server_loses_only_what_waited_and_its_next_start_says_how_much()
    {
        using var folder = Folder("audit: { headMs: 50 }");
        await using (var child = ChildProcess.Spillway(["up", folder.Root]))
        {
            var ready = await child.LineAsync("Ready: ");
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            http.BaseAddress = new(ready[ready.IndexOf("http://", StringComparison.Ordinal)..]);
            for (var i = 0; i < 50; i++)
            {
                using var answer = await http.PostAsync("/v2/models/echo/infer", new StringContent(TestServer.Row()));
                Assert.True(answer.IsSuccessStatusCode);
            }

            await child.SignalAsync("KILL");
            await child.EndAsync();
        }

        var log = AuditFolder.At(folder.PathOf("state"));
        var kept = new AuditReader(log).From(0).Count(r => r.Kind is AuditKind.Access);
        Assert.InRange(kept, 0, 50);
        await (await StartAsync(folder)).DisposeAsync();
        var said = new AuditReader(log).From(0).Single(r => r.Action == "server.recovered");
        if (OperatingSystem.IsLinux())
            Assert.Contains($"{50 - kept} record(s) lost with its memory", said.Reason, StringComparison.Ordinal);
        var (code, output, errors) = await ChildProcess.RunAsync("audit", "verify", folder.PathOf("state"));
        Assert.True(code == 0, output + errors);
    }

    [Fact]
    public async Task A_damaged_log_is_named_by_the_command_and_no_server_goes_on_with_it()
    {
        using var folder = Folder("audit: { headMs: 10 }");
        await using (var server = await StartAsync(folder))
        {
            for (var i = 0; i < 10; i++)
                await server.InferRowAsync("echo", id: $"r-{i}");
        }

        var segment = AuditFolder.At(folder.PathOf("state")).Segment(0);
        var bytes = File.ReadAllBytes(segment);
        bytes[bytes.AsSpan().IndexOf("r-4"u8)] ^= 1;
        File.WriteAllBytes(segment, bytes);

        var (code, _, errors) = await ChildProcess.RunAsync("audit", "verify", folder.PathOf("state"));
        Assert.Equal(3, code);
        Assert.Contains("first bad record 5", errors, StringComparison.Ordinal);
        (code, _, errors) = await ChildProcess.RunAsync("up", folder.Root);
        Assert.Equal(1, code);
        Assert.Contains("record 5 is damaged", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_on_one_state_folder_ends_with_a_sentence()
    {
        using var folder = Folder("audit: {}");
        await using var server = await StartAsync(folder);
        var (code, _, errors) = await ChildProcess.RunAsync("up", folder.Root);
        Assert.Equal(1, code);
        Assert.Contains("One server at a time", errors, StringComparison.Ordinal);
    }

    private static ConfigFolder Folder(string root) => new ConfigFolder()
        .Write("spillway.yaml", $"server: {{ port: 0 }}\nmodels: [echo, kept]\n{root}\n")
        .Write("echo/model.yaml", TestServer.Simulated()).Write("kept/model.yaml", TestServer.Simulated());

    private static Task<TestServer> StartAsync(ConfigFolder folder) =>
        TestServer.StartAsync(folder.PathOf("spillway.yaml"));

    private static JsonElement Json(AuditRecord record)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            record.WriteJson(json);
        return JsonElement.Parse(buffer.ToArray());
    }

    private static string? Text(JsonElement record, string name) =>
        record.TryGetProperty(name, out var value) ? value.GetString() : null;
}
