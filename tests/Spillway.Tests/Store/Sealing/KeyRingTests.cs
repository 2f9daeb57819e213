using System.Text;
using Spillway.Store.Sealing;

namespace Spillway.Tests.Store.Sealing;

public sealed class KeyRingTests
{
    private static readonly byte[] s_secret = Encoding.UTF8.GetBytes("the pepper of all keys");
    private static readonly byte[] s_place = Encoding.UTF8.GetBytes("keys|pepper");

    [Fact]
    public void What_is_sealed_opens_only_with_its_key_its_place_and_unchanged()
    {
        var ring = KeyRing.Make();
        var closed = ring.Seal(s_secret, s_place);

        Assert.Equal(s_secret, ring.Open(closed, s_place).Value);
        Assert.Equal(ring.Current, KeyRing.KeyOf(closed));
        Assert.NotEqual(closed, ring.Seal(s_secret, s_place));
        Refused(ring.Open(closed, "keys|other"u8), "belongs elsewhere");
        Refused(KeyRing.Make().Open(closed, s_place), "which the ring does not have");
        for (var i = 0; i < closed.Length; i++)
        {
            var changed = closed.ToArray();
            changed[i] ^= 1;
            Assert.False(ring.Open(changed, s_place).TryGet(out _, out _), $"byte {i}");
            Assert.False(ring.Open(closed.AsSpan(0, i), s_place).TryGet(out _, out _), $"cut at {i}");
        }
    }

    [Fact]
    public void A_rotated_ring_seals_with_the_new_key_opens_with_both_and_survives_a_restart()
    {
        using var folder = new Folder();
        var ring = KeyRing.Open(folder.File).Value;
        var old = ring.Seal(s_secret, s_place);
        var rotated = ring.Rotate().Value;
        var again = KeyRing.Open(folder.File).Value;

        Assert.Equal([rotated.Current, ring.Current], again.Ids);
        Assert.Equal(s_secret, again.Open(old, s_place).Value);
        Assert.Equal(rotated.Current, KeyRing.KeyOf(again.Seal(s_secret, s_place)));
        Refused(again.Retire(again.Current), "seals now");
        Refused(again.Retire("nobody"), "has no key nobody");
        Refused(again.Retire(ring.Current).Value.Open(old, s_place), "does not have");
        Assert.Equal([rotated.Current], KeyRing.Open(folder.File).Value.Ids);
    }

    [Fact]
    public void A_ring_that_others_may_read_is_refused()
    {
        if (OperatingSystem.IsWindows())
            return;
        using var folder = new Folder();
        _ = KeyRing.Open(folder.File).Value;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File));
        File.SetUnixFileMode(folder.File, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Refused(KeyRing.Open(folder.File), "chmod 600");
    }

    [Theory]
    [InlineData("", "holds no key")]
    [InlineData("# only\n\n", "holds no key")]
    [InlineData("a:c2hvcnQ=", "line 1")]
    [InlineData("nonsense", "line 1")]
    [InlineData("a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\na:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "line 2")]
    [InlineData("a/b:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "line 1")]
    public void A_ring_that_is_none_says_which_line(string text, string says) =>
        Refused(KeyRing.Parse(text, "the ring"), says);

    [Fact]
    public void A_secret_by_reference_is_read_from_a_variable_or_an_owners_file_and_never_shown()
    {
        using var folder = new Folder();
        var variables = new Dictionary<string, string> { ["SECRET"] = "hush" };
        Assert.Equal("hush", KeyReference.Read("env:SECRET", "audit.callerKey", variables).Value);
        Refused(KeyReference.Read("env:MISSING", "audit.callerKey", variables), "audit.callerKey names the variable "
            + "MISSING");
        Refused(KeyReference.Read(folder.File, "audit.callerKey", variables), "cannot be read");
    }

    private static void Refused<T>(Outcome<T> outcome, string says)
    {
        Assert.False(outcome.TryGet(out _, out var fault));
        Assert.Contains(says, fault!.Message, StringComparison.Ordinal);
    }

    private sealed class Folder : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("spillway-ring-").FullName;

        public string File => Path.Combine(_path, "keyring");

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }
}
