using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class SharingConfigTests
{
    [Fact]
    public void Weight_priority_and_group_reach_the_snapshot()
    {
        using var folder = ConfigFolder.WithModel(
            ConfigFolder.Echo + "\nsharing: { weight: 3, priority: 1, group: heavy }\n");
        folder.Write("spillway.yaml", "models: [echo]\ngroups: { heavy: 2 }\n");
        var snapshot = Snapshot.From(folder.Valid(), 1, DateTimeOffset.UnixEpoch);
        Assert.Equal(new() { Weight = 3, Priority = 1, Group = "heavy" }, snapshot.Models[0].Sharing);
        Assert.Equal(2, snapshot.Groups["heavy"]);
    }

    [Fact]
    public void Group_that_the_root_file_does_not_have_is_named_with_what_to_add()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + "\nsharing: { group: heavy }\n");
        var error = folder.OnlyError();
        Assert.Equal(("models[0].sharing.group", "heavy"), (error.Key, error.Value));
        Assert.Contains("groups: { heavy: 1 }", error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("groups: { heavy: 0 }", "groups.heavy")]
    [InlineData("groups: { heavy: many }", "groups.heavy")]
    [InlineData("groups: [heavy]", "groups")]
    public void Limit_of_a_group_is_a_whole_number_of_runs(string yaml, string key)
    {
        using var folder = ConfigFolder.WithServer($"models: [echo]\n{yaml}\n");
        Assert.Equal(key, folder.OnlyError().Key);
    }

    [Theory]
    [InlineData("sharing: { weight: 0 }", "models[0].sharing.weight")]
    [InlineData("sharing: { priority: 4 }", "models[0].sharing.priority")]
    public void Weight_and_priority_have_ranges(string yaml, string key)
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + "\n" + yaml + "\n");
        Assert.Equal(key, folder.OnlyError().Key);
    }
}
