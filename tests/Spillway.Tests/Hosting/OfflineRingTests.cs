using Spillway.Config;
using Spillway.Hosting;
using Spillway.Store;
using Spillway.Store.Sealing;
using Spillway.Tests.Config;

namespace Spillway.Tests.Hosting;

public sealed class OfflineRingTests
{
    [Fact]
    public void A_ring_is_rotated_and_its_old_key_retired_beside_a_stopped_server()
    {
        using var config = ConfigFolder.WithServer("models: [echo]\n");
        var snapshot = Snapshot.From(config.Load(), number: 1, DateTimeOffset.UnixEpoch);
        Assert.Contains("There is no key ring", OfflineRing.Ids(snapshot).Fault!.Message, StringComparison.Ordinal);

        Directory.CreateDirectory(snapshot.StateFolder);
        var file = Path.Combine(snapshot.StateFolder, "keyring");
        var first = KeyRing.Open(file).Value;
        var closed = first.Seal([1, 2, 3], [4]);
        var rotated = OfflineRing.Rotate(snapshot).Value;

        Assert.Equal([rotated[0], first.Current], rotated);
        Assert.Equal([1, 2, 3], KeyRing.Open(file).Value.Open(closed, [4]).Value);
        Assert.Contains("seals now", OfflineRing.Retire(snapshot, rotated[0]).Fault!.Message, StringComparison.Ordinal);
        Assert.Equal([rotated[0]], OfflineRing.Retire(snapshot, first.Current).Value);
        Assert.NotNull(KeyRing.Open(file).Value.Open(closed, [4]).Fault);
    }

    [Fact]
    public void The_ring_of_a_running_server_is_left_alone()
    {
        using var config = ConfigFolder.WithServer("models: [echo]\n");
        var snapshot = Snapshot.From(config.Load(), number: 1, DateTimeOffset.UnixEpoch);
        using var held = StateFolder.Open(snapshot.StateFolder).Value;
        _ = KeyRing.Open(Path.Combine(snapshot.StateFolder, "keyring")).Value;

        Assert.NotNull(OfflineRing.Rotate(snapshot).Fault);
    }
}
