using Spillway.Config;
using Spillway.Config.Repository;

namespace Spillway.Tests.Config.Repository;

public sealed class RepositoryDiffTests
{
    private static readonly ConfigError s_error = new("f", "k", 1, 1, "v", "problem", "remedy");

    [Fact]
    public void First_comparison_adds_everything_in_order()
    {
        var diff = RepositoryDiff.Between(RepositoryView.Empty("r"), View(Model("b", (2, "x"), (10, "y")), Model("a",
            (1, "z"))));

        Assert.Equal([("a", 1), ("b", 2), ("b", 10)], diff.Added.Select(c => (c.Model, c.Version)));
        Assert.Empty(diff.Changed.Concat(diff.Removed));
        Assert.False(diff.IsEmpty);
    }

    [Fact]
    public void Changed_and_removed_versions_are_told_apart()
    {
        var old = View(Model("a", (1, "x"), (2, "x"), (3, "x")), Model("b", (1, "x")));

        var diff = RepositoryDiff.Between(old, View(Model("a", (2, "new"), (3, "x"), (4, "x"))));

        Assert.Equal([("a", 4)], diff.Added.Select(c => (c.Model, c.Version)));
        Assert.Equal([("a", 2)], diff.Changed.Select(c => (c.Model, c.Version)));
        Assert.Equal([("a", 1), ("b", 1)], diff.Removed.Select(c => (c.Model, c.Version)));
        Assert.Equal("new", diff.Changed[0].Options.File);
        Assert.Equal("x", diff.Removed[0].Options.File);
    }

    [Fact]
    public void Model_that_breaks_keeps_its_old_versions_until_it_is_mended_and_is_refused_once()
    {
        var first = RepositoryDiff.Between(RepositoryView.Empty("r"), View(Model("a", (1, "x")))).Next;
        var broken = View(Model("a") with { Errors = [s_error] });

        var second = RepositoryDiff.Between(first, broken);
        Assert.True(second.IsEmpty);
        Assert.Equal("a", Assert.Single(second.Refused).Name);

        var third = RepositoryDiff.Between(second.Next, broken);
        Assert.True(third.IsEmpty);
        Assert.Empty(third.Refused);

        var mended = RepositoryDiff.Between(third.Next, View(Model("a", (2, "x"))));
        Assert.Equal((2, 1), (Assert.Single(mended.Added).Version, Assert.Single(mended.Removed).Version));
    }

    [Fact]
    public void Version_that_is_still_being_copied_does_not_cost_the_one_that_serves()
    {
        var old = View(Model("a", (1, "x")));

        var copying = RepositoryDiff.Between(old, View(Model("a") with { Found = [1, 2], Errors = [s_error] }));
        Assert.True(copying.IsEmpty);

        var done = RepositoryDiff.Between(copying.Next, View(Model("a", (2, "y"))));
        Assert.Equal((2, 1), (Assert.Single(done.Added).Version, Assert.Single(done.Removed).Version));
    }

    [Fact]
    public void Folder_that_could_not_be_read_to_its_end_removes_nothing()
    {
        var old = View(Model("a", (1, "x")), Model("b", (1, "x")));

        var diff = RepositoryDiff.Between(old, View(Model("c", (1, "x"))) with { IsComplete = false });

        Assert.Equal("c", Assert.Single(diff.Added).Model);
        Assert.Empty(diff.Removed);
        Assert.Equal(["a", "b", "c"], diff.Next.Models.Select(m => m.Name));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Applying_each_difference_gives_what_is_next_and_models_with_errors_lose_nothing(int seed)
    {
        var random = new Random(seed);
        var served = new Dictionary<(string Model, int Version), string>();
        var view = RepositoryView.Empty("r");
        for (var round = 0; round < 200; round++)
        {
            var fresh = Random(random);
            var before = served.ToDictionary();

            var diff = RepositoryDiff.Between(view, fresh);

            Assert.All(diff.Added, c => Assert.True(served.TryAdd((c.Model, c.Version), c.Options.File)));
            Assert.All(diff.Removed, c => Assert.True(served.Remove((c.Model, c.Version))));
            foreach (var change in diff.Changed)
            {
                Assert.NotEqual(served[(change.Model, change.Version)], change.Options.File);
                served[(change.Model, change.Version)] = change.Options.File;
            }

            var next = diff.Next.Models.SelectMany(m => m.Versions, (m, v) => ((m.Name, v.Number), v.Fingerprint));
            Assert.Equal(next.OrderBy(n => n.Item1), served.Select(s => (s.Key, s.Value)).OrderBy(s => s.Key));
            Assert.True(RepositoryDiff.Between(diff.Next, diff.Next).IsEmpty);
            Assert.True(RepositoryDiff.Between(diff.Next, fresh).IsEmpty, $"seed {seed} round {round}");
            foreach (var model in fresh.Models)
            {
                if (model.Errors.Count > 0)
                    Assert.All(before.Keys.Where(k => k.Model == model.Name), k => Assert.Contains(k, served.Keys));
                else
                    Assert.Equal(model.Versions.Select(v => v.Number), served.Keys.Where(k => k.Model == model.Name)
                        .Select(k => k.Version).Order());
            }

            foreach (var list in (IReadOnlyList<RepositoryChange>[])[diff.Added, diff.Changed, diff.Removed])
                Assert.Equal(list.OrderBy(c => c.Model, StringComparer.Ordinal).ThenBy(c => c.Version), list);
            view = diff.Next;
        }
    }

    private static RepositoryView Random(Random random)
    {
        var models = new List<RepositoryModel>();
        foreach (var name in (string[])["a", "b", "c", "d"])
        {
            if (random.Next(4) == 0)
                continue;
            var versions = Enumerable.Range(1, 4).Where(_ => random.Next(2) == 0)
                .Select(v => (v, $"print{random.Next(3)}")).ToArray();
            var model = Model(name, versions);
            models.Add(random.Next(4) == 0 ? model with { Errors = [s_error] } : model);
        }

        return View([.. models]) with { IsComplete = random.Next(5) > 0 };
    }

    private static RepositoryView View(params RepositoryModel[] models) => new() { Root = "r", Models = models };

    private static RepositoryModel Model(string name, params (int Number, string Print)[] versions) => new()
    {
        Name = name,
        Folder = name,
        Versions = [.. versions.Select(v => new RepositoryVersion(
            v.Number, new() { Name = name, Version = v.Number, File = v.Print }, v.Print))],
    };
}
