using System.Text;
using System.Text.Json;
using Spillway.Config;
using Spillway.Config.Repository;

namespace Spillway.Tests.Config;

/// <summary>The section repository of spillway.yaml.</summary>
public sealed class RepositoryOptionsTests
{
    [Fact]
    public void Repository_alone_is_a_valid_configuration_with_an_absolute_path_and_no_listed_models()
    {
        using var folder = ConfigFolder.WithServer("repository: { path: ./echo/ }");

        var result = folder.Valid();
        var snapshot = Snapshot.From(result, 1, default);

        Assert.Empty(result.Models);
        Assert.Equal(new() { Path = folder.PathOf("echo") },
            snapshot.Repository! with { Load = new RepositoryOptions().Load });
        Assert.Equal((ModelControl.None, 15_000.0, true),
            (snapshot.Repository.ModelControl, snapshot.Repository.PollMs, snapshot.Repository.LoadsAll));
        Assert.Contains("\"repository\":{\"path\":", Json(snapshot), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_key_is_read_and_without_the_section_there_is_no_repository()
    {
        using var folder = ConfigFolder.WithServer("models: [echo]\nrepository: { path: echo, modelControl: explicit, "
            + "pollMs: 500, load: [a, b], modelsMax: 5, versionsMax: 2 }");

        var options = folder.Valid().Options!.Repository!;
        Assert.Equal((ModelControl.Explicit, 500.0, 5, 2, false),
            (options.ModelControl, options.PollMs, options.ModelsMax, options.VersionsMax, options.LoadsAll));
        Assert.Equal(["a", "b"], options.Load);

        folder.Write("spillway.yaml", "models: [echo]");
        Assert.Null(Snapshot.From(folder.Valid(), 1, default).Repository);
    }

    [Theory]
    [InlineData("repository: {}", "repository.path", 1, "The folder")]
    [InlineData("repository:", "repository.path", 1, "The folder")]
    [InlineData("repository: { path: gone }", "repository.path", 1, "relative to this file")]
    [InlineData("repository: { path: spillway.yaml }", "repository.path", 1, "relative to this file")]
    [InlineData("repository: { path: echo, load: [a] }", "repository.load", 1, "modelControl: explicit")]
    [InlineData("repository:\n  path: echo\n  modelControl: pol", "repository.modelControl", 3, "none, poll, explicit")]
    [InlineData("repository:\n  path: echo\n  pollMs: 1", "repository.pollMs", 3, "100 to 86400000 ms")]
    [InlineData("repository: echo", "repository", 1, "indented below it")]
    public void Mistake_in_the_section_names_key_place_and_remedy(string yaml, string key, int line, string remedy)
    {
        using var folder = ConfigFolder.WithServer(yaml);

        var error = folder.OnlyError();

        Assert.Equal((key, line), (error.Key, error.Line));
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Listed_model_may_not_choose_versions()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + "\nversions: { latest: 2 }\n");

        Assert.Contains("repository", folder.OnlyError().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void With_a_repository_a_variable_may_name_a_model_that_is_not_listed()
    {
        using var folder = ConfigFolder.WithServer("models: [echo]\nrepository: { path: echo }")
            .With("SPILLWAY__MODELS__LATER__BATCHING__RUNNERS", "2").With("SPILLWAY__REPOSITORY__POLLMS", "700");

        Assert.Equal(700, folder.Valid().Options!.Repository!.PollMs);
    }

    private static string Json(Snapshot snapshot)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            snapshot.WriteJson(json);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
