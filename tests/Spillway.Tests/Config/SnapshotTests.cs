using System.Text;
using System.Text.Json;
using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class SnapshotTests
{
    private static readonly DateTimeOffset s_at = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Digest_follows_what_is_in_effect_and_not_how_it_was_written()
    {
        using var folder = ConfigFolder.WithServer("server: { port: 8000 }\nmodels: [echo]\n");
        var first = Snapshot.From(folder.Valid(), 1, s_at);
        folder.Write("spillway.yaml", "# the same\nmodels:\n  - ./echo\n").With("SPILLWAY__SERVER__NAME", "spillway");
        var same = Snapshot.From(folder.Valid(), 2, s_at);
        folder.With("SPILLWAY__MODELS__ECHO__SIMULATED__SEED", "2");
        var other = Snapshot.From(folder.Valid(), 3, s_at);

        Assert.Equal(64, first.Digest.Length);
        Assert.Equal(first.Digest, same.Digest);
        Assert.NotEqual(first.Digest, other.Digest);
        Assert.Equal((2, s_at), (same.Number, same.LoadedAt));
    }

    [Fact]
    public void Effective_configuration_is_JSON_with_every_key_and_the_runtimes_section()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo);
        var snapshot = Snapshot.From(folder.Valid(), 1, s_at);

        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            snapshot.WriteJson(json);
        var root = JsonDocument.Parse(Encoding.UTF8.GetString(buffer.ToArray())).RootElement;

        Assert.Equal(8000, root.GetProperty("server").GetProperty("port").GetInt32());
        var model = root.GetProperty("models")[0];
        Assert.Equal(256, model.GetProperty("batching").GetProperty("queueLengthMax").GetInt32());
        Assert.Equal(3.5, model.GetProperty("simulated").GetProperty("latencyMs").GetProperty("8").GetDouble());
        Assert.Equal(JsonValueKind.Null, model.GetProperty("outputs").GetProperty("ctc").ValueKind);
    }

    [Fact]
    public void Invalid_result_makes_no_snapshot()
    {
        using var folder = ConfigFolder.WithServer("models: [gone]");

        Assert.Throws<ArgumentException>(() => Snapshot.From(folder.Load(), 1, s_at));
    }
}
