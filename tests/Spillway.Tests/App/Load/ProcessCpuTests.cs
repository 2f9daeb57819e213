using System.Globalization;
using Spillway.App.Load;

namespace Spillway.Tests.App.Load;

public sealed class ProcessCpuTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("spillway-proc").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_tree_is_summed_with_ended_children_and_without_strangers()
    {
        Write(10, parent: 1, "server", 100, 50, 7, 3);
        Write(11, parent: 10, "worker (a) b", 20, 0, 0, 0);
        Write(12, parent: 11, "grandchild", 5, 5, 0, 0);
        Write(13, parent: 1, "stranger", 1000, 1000, 0, 0);
        Directory.CreateDirectory(Path.Combine(_root, "self"));

        Assert.Equal(1.9, new ProcessCpu(_root).ReadSeconds(10)!.Value, 9);
    }

    [Fact]
    public void A_process_that_is_gone_has_no_time_and_a_ring_of_parents_ends()
    {
        Write(20, parent: 21, "a", 1, 0, 0, 0);
        Write(21, parent: 20, "b", 1, 0, 0, 0);
        Write(22, parent: 1, "c", 4, 0, 0, 0);
        File.WriteAllText(Path.Combine(_root, "22", "stat"), "22 (c) R 1");

        Assert.Null(new ProcessCpu(_root).ReadSeconds(99));
        Assert.Null(new ProcessCpu(_root).ReadSeconds(22));
        Assert.Equal(0.02, new ProcessCpu(_root).ReadSeconds(20)!.Value, 9);
    }

    [Fact]
    public void This_process_has_used_some_time()
    {
        var cpu = new ProcessCpu();
        if (!OperatingSystem.IsLinux())
            return;

        Assert.True(cpu.Exists(Environment.ProcessId));
        Assert.InRange(cpu.ReadSeconds(Environment.ProcessId)!.Value, 0.01, 1e6);
    }

    private void Write(int id, int parent, string name, params long[] times)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root, id.ToString(CultureInfo.InvariantCulture)));
        var text = $"{id} ({name}) S {parent} 1 1 0 -1 4194560 1 2 3 4 {string.Join(' ', times)} 20 0 9 0 12345";
        File.WriteAllText(Path.Combine(folder.FullName, "stat"), text);
    }
}
