using Microsoft.Extensions.Logging;
using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public sealed class TraceControlTests
{
    [Fact]
    public void Without_settings_everything_is_kept()
    {
        var server = new TraceControl();
        var model = new TraceControl(server);
        Assert.Equal(TraceSetting.Everything, model.Setting);
        Assert.All(Enumerable.Range(0, 10), _ => Assert.True(model.Keeps(answered: true)));
    }

    [Fact]
    public void A_model_follows_the_server_until_it_has_its_own_setting()
    {
        var server = new TraceControl();
        var model = new TraceControl(server);
        server.Set(new(On: false, Rate: 1, Count: -1));
        Assert.False(model.Keeps(answered: true));
        model.Set(TraceSetting.Everything);
        Assert.True(model.Keeps(answered: true));
        model.Set(null);
        Assert.False(model.Keeps(answered: false));
        server.Set(null);
        Assert.True(model.Keeps(answered: true));
    }

    [Fact]
    public void A_rate_keeps_every_so_manyth_answered_request_and_every_failed_one()
    {
        var control = new TraceControl();
        control.Set(new(On: true, Rate: 3, Count: -1));
        Assert.Equal(
            [true, false, false, true, false, false, true],
            Enumerable.Range(0, 7).Select(_ => control.Keeps(answered: true)));
        Assert.All(Enumerable.Range(0, 5), _ => Assert.True(control.Keeps(answered: false)));
    }

    [Fact]
    public void A_count_runs_out_and_shows_what_is_left()
    {
        var control = new TraceControl();
        control.Set(new(On: true, Rate: 1, Count: 2));
        Assert.True(control.Keeps(answered: true));
        Assert.Equal(1, control.Setting.Count);
        Assert.True(control.Keeps(answered: false));
        Assert.False(control.Keeps(answered: true));
        Assert.False(control.Keeps(answered: false));
        Assert.Equal(0, control.Setting.Count);
    }

    [Fact]
    public void The_log_switch_writes_each_level_by_itself_and_critical_always()
    {
        var log = new LogSwitch();
        LogLevel[] Written() => [.. Enum.GetValues<LogLevel>().Where(log.Allows)];
        Assert.Equal([LogLevel.Information, LogLevel.Warning, LogLevel.Error, LogLevel.Critical], Written());
        log.Setting = new() { Information = false, VerboseLevel = 1 };
        Assert.Equal([LogLevel.Debug, LogLevel.Warning, LogLevel.Error, LogLevel.Critical], Written());
        log.Setting = new() { Information = false, Warning = false, Error = false };
        Assert.Equal([LogLevel.Critical], Written());
        log.Setting = new() { VerboseLevel = 2 };
        Assert.Equal(Enum.GetValues<LogLevel>().Where(l => l is not LogLevel.None), Written());
    }
}
