using Spillway.Store.Budgets;
using Spillway.Store.Switches;
using Spillway.Tests.Config;

namespace Spillway.Tests.Store;

public sealed class SliceStoreTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Rows_survive_and_the_last_write_of_a_cell_counts()
    {
        using var folder = new ConfigFolder();
        using (var store = Open(folder))
        {
            Assert.Null(store.Write([Row(drawn: 10), Row(drawn: 20) with { Scope = "tenant=acme" }]));
            Assert.Null(store.Write([Row(drawn: 30, spent: 11)]));
        }

        using var again = Open(folder);
        Assert.Equal([Row(drawn: 30, spent: 11), Row(drawn: 20) with { Scope = "tenant=acme" }],
            again.Load(s_now).Value.OrderBy(r => r.Scope));
    }

    [Fact]
    public void Windows_long_past_are_deleted_and_what_moved_is_forgotten()
    {
        using var folder = new ConfigFolder();
        using var store = Open(folder);
        var old = Row(drawn: 1) with { Start = s_now.AddDays(-100).UtcTicks, End = s_now.AddDays(-99).UtcTicks };
        Assert.Null(store.Write([old, Row(drawn: 2), Row(drawn: 3) with { Budget = "other" }]));
        Assert.Null(store.Write([Row(drawn: 3) with { Budget = "other", IsGone = true }]));
        Assert.Equal([Row(drawn: 2)], store.Load(s_now).Value);
    }

    [Fact]
    public void Start_with_a_clock_that_is_years_ahead_forgets_nothing_of_the_present()
    {
        using var folder = new ConfigFolder();
        using var store = Open(folder);
        Assert.Null(store.Write([Row(drawn: 2)]));
        Assert.Equal([Row(drawn: 2)], store.Load(s_now.AddYears(5)).Value);
        Assert.Equal([Row(drawn: 2)], store.Load(s_now).Value);
    }

    [Fact]
    public void Full_disk_is_a_fault_and_nothing_of_the_write_is_kept()
    {
        using var folder = new ConfigFolder();
        using var store = Open(folder);
        Assert.Null(store.Write([Row(drawn: 1)]));
        store.Database.Execute("PRAGMA max_page_count = 1");
        var many = Enumerable.Range(0, 2000).Select(i => Row(drawn: 5) with { Scope = $"tenant={i}" }).ToList();
        var fault = store.Write(many);
        Assert.Equal(FaultKind.StoreFailed, fault?.Kind);
        Assert.Contains("full", fault!.Message, StringComparison.Ordinal);
        Assert.Equal([Row(drawn: 1)], store.Load(s_now).Value);
    }

    [Fact]
    public void Damaged_database_is_refused_and_left_as_it_is()
    {
        using var folder = new ConfigFolder();
        var file = folder.PathOf(SliceStore.FileName);
        folder.Write(SliceStore.FileName, new string('x', 8192));
        Assert.False(SliceStore.Open(file).TryGet(out _, out var fault));
        Assert.Equal(FaultKind.StoreFailed, fault.Kind);
        Assert.Contains("damaged", fault.Message, StringComparison.Ordinal);
        Assert.Equal(new string('x', 8192), File.ReadAllText(file));
    }

    [Fact]
    public void Switches_survive_and_a_damaged_file_is_refused()
    {
        using var folder = new ConfigFolder();
        var file = folder.PathOf(SwitchFile.FileName);
        Assert.Empty(SwitchFile.Read(file).Value);
        var row = new SwitchRow("tenant", "acme", s_now, "late \"payer\"");
        Assert.Null(SwitchFile.Write(file, [row]));
        Assert.Equal([row], SwitchFile.Read(file).Value);
        File.WriteAllText(file, "[{\"what\":");
        Assert.Equal(FaultKind.StoreFailed, SwitchFile.Read(file).Fault?.Kind);
        Assert.NotNull(SwitchFile.Write(folder.PathOf("no/such/folder/x"), []));
    }

    [Fact]
    public void Off_file_counts_by_being_there_and_aborts_by_its_first_word()
    {
        using var folder = new ConfigFolder();
        var file = folder.PathOf(SwitchFile.OffName);
        Assert.False(SwitchFile.IsOff(file, out _));
        File.WriteAllText(file, "");
        Assert.True(SwitchFile.IsOff(file, out var aborts));
        Assert.False(aborts);
        File.WriteAllText(file, "abort\n");
        Assert.True(SwitchFile.IsOff(file, out aborts));
        Assert.True(aborts);
    }

    [Fact]
    public void Off_file_that_cannot_be_looked_for_is_neither_there_nor_gone()
    {
        using var folder = new ConfigFolder();
        Assert.Null(SwitchFile.IsOff(folder.PathOf(new string('x', 5000)), out _));
        folder.Write("state", "a file in place of the folder");
        Assert.False(SwitchFile.IsOff(folder.PathOf("no-such-folder/off"), out _));
    }

    [Fact]
    public void Files_of_a_store_are_their_owners_alone_also_in_a_folder_that_others_may_read()
    {
        using var folder = new ConfigFolder();
        if (OperatingSystem.IsWindows())
            return;
        const UnixFileMode Everybody = UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead
            | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(folder.Root, File.GetUnixFileMode(folder.Root) | Everybody);
        using var store = Open(folder);
        Assert.Null(store.Write([Row(drawn: 10)]));
        Assert.Null(SwitchFile.Write(folder.PathOf(SwitchFile.FileName), []));
        foreach (var file in Directory.EnumerateFiles(folder.Root))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    private static SliceStore Open(ConfigFolder folder) => SliceStore.Open(folder.PathOf(SliceStore.FileName)).Value;

    private static SliceRow Row(long drawn, long spent = 0) =>
        new("monthly", "", "calendar Day UTC", s_now.UtcTicks, s_now.AddDays(1).UtcTicks, drawn, spent);
}
