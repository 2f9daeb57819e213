using Spillway.Store;
using Spillway.Store.Ledger;
using Spillway.Tests.Support;

namespace Spillway.Tests.Store.Ledger;

/// <summary>A ledger in a folder of its own, on a clock that stands still, so that only a flush or the stop
/// writes.</summary>
internal sealed class LedgerFolder : IAsyncDisposable
{
    private readonly string _root;
    private StateFolder? _state;

    public LedgerFolder(LedgerOptions? options = null)
    {
        _root = Directory.CreateTempSubdirectory("spillway-ledger-").FullName;
        Options = options ?? new();
        // A Sunday in November 2026, on an hour.
        Time.Advance(DateTimeOffset.FromUnixTimeSeconds(498_705 * 3600L) - DateTimeOffset.UnixEpoch);
    }

    public ManualTimeProvider Time { get; } = new();

    public LedgerOptions Options { get; }

    public SqliteLedger Ledger { get; private set; } = null!;

    public List<Fault?> Changes { get; } = [];

    public string PathOf(string name) => Path.Combine(_root, name);

    /// <summary>Opens it, as a server's start does.</summary>
    public Outcome<SqliteLedger> TryOpen(string currency = "EUR")
    {
        Assert.True(StateFolder.Open(_root).TryGet(out _state, out var held), held?.Message);
        var opened = SqliteLedger.Open(_state, currency, Options, Time, Changes.Add);
        if (opened.Fault is null)
            Ledger = opened.Value;
        else
            _state.Dispose();
        return opened;
    }

    public static LedgerFolder Opened(LedgerOptions? options = null)
    {
        var folder = new LedgerFolder(options);
        Assert.Null(folder.TryOpen().Fault);
        return folder;
    }

    /// <summary>What the disk holds at this moment, as the next process would find it after a kill.</summary>
    public LedgerFolder AfterKill()
    {
        var copy = new LedgerFolder(Options);
        foreach (var file in Directory.EnumerateFiles(_root))
        {
            if (Path.GetFileName(file) is not (var name and not "lock"))
                continue;
            using var from = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var to = File.Create(copy.PathOf(name));
            from.CopyTo(to);
        }

        return copy;
    }

    /// <summary>Stops cleanly and opens again.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        Assert.Null(TryOpen().Fault);
    }

    public async Task StopAsync()
    {
        await Ledger.DisposeAsync();
        _state!.Dispose();
    }

    /// <summary>An answer to a tenant, an hour after another.</summary>
    public LedgerEntry Entry(
        string tenant = "acme", long nano = 100, int hours = 0, EntryKind kind = EntryKind.Bill) => new()
    {
        UnixMs = Time.GetUtcNow().AddHours(hours).ToUnixTimeMilliseconds(), Kind = kind, Tenant = tenant, Key = "k1",
        Route = "ocr", Model = "line-ocr", Version = "1", Owner = "vision", Hardware = "cpu", RequestId = "r",
        Rows = 1, BusyTicks = 10, Time = new(nano),
    };

    public async Task<CostReport> ReportAsync(CostGroup by = CostGroup.Tenant, int hoursBack = 24)
    {
        await Ledger.FlushAsync();
        var now = Time.GetUtcNow();
        return Ledger.Read(new(by, now.AddHours(-hoursBack), now.AddHours(48))).Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (Ledger is not null)
            await Ledger.DisposeAsync();
        _state?.Dispose();
        Directory.Delete(_root, recursive: true);
    }
}
