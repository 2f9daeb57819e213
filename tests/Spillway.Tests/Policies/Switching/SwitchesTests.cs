using Spillway.Policies.Switching;

namespace Spillway.Tests.Policies.Switching;

public sealed class SwitchesTests
{
    [Theory]
    [InlineData(SwitchKind.Everything, "", true, true, true)]
    [InlineData(SwitchKind.Tenant, "acme", true, false, true)]
    [InlineData(SwitchKind.Model, "m1", true, true, false)]
    [InlineData(SwitchKind.Route, "r1", true, true, false)]
    public void Switch_stops_what_it_names_and_nothing_else(
        SwitchKind kind, string name, bool acme1, bool other1, bool acme2)
    {
        var switches = Switches.AllOn.With(Off(kind, name));
        Assert.Equal(acme1, switches.Stops("acme", "m1", "r1") is not null);
        Assert.Equal(other1, switches.Stops("other", "m1", "r1") is not null);
        Assert.Equal(acme2, switches.Stops("acme", "m2", "r2") is not null);
    }

    [Fact]
    public void On_again_is_on_again_and_only_that()
    {
        var switches = Switches.AllOn.With(Off(SwitchKind.Tenant, "acme")).With(Off(SwitchKind.Model, "m1"))
            .Without(new(SwitchKind.Tenant, "acme"));
        Assert.Null(switches.Stops("acme", "m2", "r2"));
        Assert.NotNull(switches.Stops("acme", "m1", "r1"));
        Assert.Same(Switches.AllOn, switches.Without(new(SwitchKind.Model, "m1")));
    }

    [Fact]
    public void What_the_file_turned_off_stays_off_until_the_file_goes()
    {
        var switches = Switches.AllOn.With(Off(SwitchKind.Everything, "") with { ByFile = true });
        Assert.NotNull(switches.Without(new(SwitchKind.Everything, "")).Stops("a", "m", "r"));
        Assert.Same(Switches.AllOn, switches.WithoutFile());
        var both = switches.With(Off(SwitchKind.Everything, ""));
        Assert.NotNull(both.WithoutFile().Stops("a", "m", "r"));
    }

    private static SwitchedOff Off(SwitchKind kind, string name) =>
        new(new(kind, name), DateTimeOffset.UnixEpoch, "");
}
