using System.Text;

namespace Spillway.Tests.Server;

/// <summary>The ledger under a process: a kill, a second server, a damaged file.</summary>
public sealed class LedgerProcessTests
{
    private const string Sections = """
        prices: { currency: EUR, devices: { simulated: [{ from: 2026-01-01, perHour: 3.6 }] } }
        ledger: { flushMs: 60000 }

        """;

    [Fact]
    public async Task What_kill_9_took_is_counted_at_the_next_start()
    {
        using var folder = Folder();
        await using (var child = ChildProcess.Spillway(["up", folder.Root]))
        {
            using var http = await ConnectAsync(child);
            for (var i = 0; i < 10; i++)
                Assert.True((await http.PostAsync("/v2/models/echo/infer", Row())).IsSuccessStatusCode);
            await TestServer.UntilAsync(async () =>
                (await http.GetStringAsync("/metrics")).Contains("\nspillway_ledger_queue 10\n",
                    StringComparison.Ordinal));
            await child.SignalAsync("KILL");
            await child.EndAsync();
        }

        await using var next = ChildProcess.Spillway(["up", folder.Root]);
        using var again = await ConnectAsync(next);
        Assert.Contains(
            "\nspillway_ledger_lost_total{reason=\"ended\"} 10\n", await again.GetStringAsync("/metrics"),
                StringComparison.Ordinal);
        await next.SignalAsync("TERM");
        var (code, output, _) = await next.EndAsync();
        Assert.Equal(0, code);
        Assert.Contains("ended with 10 ledger entries", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_on_the_folder_does_not_start_and_says_why()
    {
        using var folder = Folder();
        await using var first = ChildProcess.Spillway(["up", folder.Root]);
        using var http = await ConnectAsync(first);
        await using var second = ChildProcess.Spillway(["up", folder.Root]);
        var (code, _, errors) = await second.EndAsync();
        Assert.Equal(1, code);
        Assert.Contains("One server at a time uses it", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        Assert.True((await http.PostAsync("/v2/models/echo/infer", Row())).IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_damaged_ledger_keeps_the_server_from_starting_and_says_what_to_do()
    {
        using var folder = Folder();
        folder.Write("state/ledger.db", new string('x', 9000));
        await using var child = ChildProcess.Spillway(["up", folder.Root]);
        var (code, _, errors) = await child.EndAsync();
        Assert.Equal(1, code);
        Assert.Contains("ledger.db is damaged", errors, StringComparison.Ordinal);
        Assert.Contains("remove the section ledger", errors, StringComparison.Ordinal);
    }

    private static Spillway.Tests.Config.ConfigFolder Folder()
    {
        var folder = TestServer.Folder("", ("echo", TestServer.Simulated()));
        File.AppendAllText(folder.PathOf("spillway.yaml"), Sections);
        return folder;
    }

    private static async Task<HttpClient> ConnectAsync(ChildProcess child)
    {
        var ready = await child.LineAsync("Ready: ");
        return new(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(ready[ready.IndexOf("http://", StringComparison.Ordinal)..]),
                Timeout = TestServer.Patience,
        };
    }

    private static StringContent Row() => new(TestServer.Row(), Encoding.UTF8, "application/json");
}
