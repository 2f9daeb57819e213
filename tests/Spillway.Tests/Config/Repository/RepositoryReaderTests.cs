using Spillway.Config;
using Spillway.Config.Repository;

namespace Spillway.Tests.Config.Repository;

public sealed class RepositoryReaderTests
{
    private const string Simulated = """
        runtime: simulated
        simulated:
          inputs: { x: "FP32 [-1,4]" }
          outputs: { y: "FP32 [-1,2]" }
          latencyMs: { 1: 2.0, 8: 3.5 }
        """;

    [Fact]
    public void Model_without_configuration_has_defaults_and_serves_its_newest_version()
    {
        using var folder = new RepositoryFolder().Versions("digits", 1, 2, 10);

        var view = folder.Read();

        var model = Assert.Single(view.Models);
        Assert.Empty(view.AllErrors);
        Assert.Equal([1, 2, 10], model.Found);
        var version = Assert.Single(model.Versions);
        Assert.Equal(("digits", 10, "onnx"), (version.Options.Name, version.Options.Version, version.Options.Runtime));
        Assert.Equal(folder.PathOf("digits/10/model.onnx"), version.Options.File);
        Assert.Equal((folder.PathOf("digits"), ""), (version.Options.Source, model.ConfigFile));
        Assert.Equal("digits", Assert.Single(version.Options.Serve).Key);
        Assert.Equal(new(), version.Options.Batching);
    }

    [Fact]
    public void Both_forms_of_configuration_are_read_and_name_their_source()
    {
        using var folder = new RepositoryFolder().Versions("a", 1).Versions("b", 1)
            .Write("a/model.yaml", "batching: { batchRowsMax: 4 }").Write("b/config.pbtxt", "max_batch_size: 5");

        Assert.Equal((4, folder.PathOf("a/model.yaml")), Said("a"));
        Assert.Equal((5, folder.PathOf("b/config.pbtxt")), Said("b"));

        (int Rows, string Source) Said(string name) =>
            (folder.Only(name).Batching.BatchRowsMax, folder.Only(name).Source);
    }

    [Fact]
    public void Both_forms_at_once_is_an_error_that_names_both_files()
    {
        using var folder = new RepositoryFolder().Versions("a", 1).Write("a/model.yaml", "").Write("a/config.pbtxt",
            "");

        var error = folder.Error("a");

        Assert.Contains(folder.PathOf("a/model.yaml"), error.Problem, StringComparison.Ordinal);
        Assert.Contains(folder.PathOf("a/config.pbtxt"), error.Problem, StringComparison.Ordinal);
        Assert.Empty(folder.Model("a").Versions);
    }

    [Fact]
    public void One_broken_model_never_hides_the_others_and_every_error_has_its_place()
    {
        using var folder = new RepositoryFolder().Versions("a", 1).Versions("b", 1).Versions("c", 1)
            .Write("b/model.yaml", "batching:\n  queueLengthMax: 0\nnmae: x\n").Write("d/readme.txt", "");

        var view = folder.Read();

        Assert.Equal(["a", "b", "c", "d"], view.Models.Select(m => m.Name));
        Assert.Equal([1, 0, 1, 0], view.Models.Select(m => m.Versions.Count));
        Assert.Equal([(folder.PathOf("b/model.yaml"), 3), (folder.PathOf("b/model.yaml"), 2), (folder.PathOf("d"), 0)],
            view.AllErrors.Select(e => (e.File, e.Line)));
        Assert.Equal("name", view.Models[1].Errors[0].Suggestion);
    }

    [Theory]
    [InlineData("", new[] { 7 })]
    [InlineData("versions: { latest: 2 }", new[] { 3, 7 })]
    [InlineData("versions: { latest: 9 }", new[] { 1, 3, 7 })]
    [InlineData("versions: { all: true }", new[] { 1, 3, 7 })]
    [InlineData("versions: { only: [3, 1] }", new[] { 1, 3 })]
    public void Version_policy_chooses_folders(string yaml, int[] chosen)
    {
        using var folder = new RepositoryFolder().Versions("m", 7, 1, 3).Write("m/model.yaml", yaml)
            // None of these is a version.
            .Write("m/0/model.onnx", "").Write("m/03/model.onnx", "").Write("m/v2/model.onnx", "")
            .Write("m/99999999999/model.onnx", "").Write("m/5", "a file");

        var model = folder.Model("m");

        Assert.Empty(model.Errors);
        Assert.Equal(chosen, model.Versions.Select(v => v.Number));
        Assert.All(model.Versions, v => Assert.Equal(folder.PathOf($"m/{v.Number}/model.onnx"), v.Options.File));
    }

    [Theory]
    [InlineData("versions: { only: [1, 4] }", "no folder for version 4")]
    [InlineData("versions: { latest: 2, all: true }", "Only one of latest, all and only")]
    [InlineData("versions: { only: [0] }", "out of range")]
    [InlineData("version: 1", "the folder gives the version")]
    [InlineData("name: other", "the folder gives the name, which is m")]
    [InlineData("file: ../1/model.onnx", "lies in the model's own folder")]
    [InlineData("file: /etc/hostname", "lies in the model's own folder")]
    [InlineData("file: npm:a/b.onnx", "lies in the model's own folder")]
    [InlineData("file: other.onnx", "There is no model file at")]
    [InlineData("file: .", "lies in the model's own folder")]
    [InlineData("labels: { y: ../../secret.txt }", "lies in the model's own folder")]
    [InlineData("onnx: { library: evil.so }", "may not choose native code")]
    [InlineData("onnx: { cache: /srv/others }", "may not choose a folder to write to and delete from")]
    [InlineData("onnx: { cacheBytesMax: 1048576 }", "may not say how much of the server's cache")]
    [InlineData("expects: { inputs: { x: \"FP23 [1]\" } }", "The type must be one of")]
    [InlineData("- a", "holds no keys")]
    public void What_a_repository_does_not_allow_is_an_error(string yaml, string problem)
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Outside("secret.txt", "s").Write("m/model.yaml",
            yaml);

        var error = folder.Error("m");

        Assert.Contains(problem, error.Problem, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remedy);
        Assert.Empty(folder.Model("m").Versions);
    }

    [Fact]
    public void A_load_request_may_not_choose_the_servers_folders_either()
    {
        using var folder = new RepositoryFolder().Versions("m", 1);

        var error = folder.Error("m", """{"parameters":{"spillway.onnx.cache":{"string_value":"/srv/others"}}}""");

        Assert.Contains("may not choose a folder", error.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("off")]
    [InlineData("auto")]
    public void A_model_in_a_repository_may_do_without_the_cache(string cache)
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/model.yaml", $"onnx: {{ cache: {cache} }}");

        Assert.True(folder.Only("m").IsFound);
    }

    [Fact]
    public void More_versions_than_allowed_is_an_error()
    {
        using var folder = new RepositoryFolder { Options = new() { VersionsMax = 2 } }.Versions("m", 1, 2, 3)
            .Write("m/model.yaml", "versions: { all: true }");

        Assert.Contains("at most 2", folder.Error("m").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Version_without_its_file_is_an_error_and_the_others_stay()
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/2/readme.txt", "")
            .Write("m/model.yaml", "versions: { all: true }");

        Assert.Equal(1, Assert.Single(folder.Model("m").Versions).Number);
        Assert.Contains(folder.PathOf("m/2/model.onnx"), folder.Error("m").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Model_file_beside_the_versions_gets_advice()
    {
        using var folder = new RepositoryFolder().Write("m/model.onnx", "x");

        var error = folder.Error("m");

        Assert.Contains("no version folder", error.Problem, StringComparison.Ordinal);
        Assert.Contains("Move model.onnx into it", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Simulated_model_needs_no_version_folder()
    {
        using var folder = new RepositoryFolder().Write("echo/model.yaml", Simulated + "\nversion: 3\n")
            .Write("other/model.yaml", Simulated).Write("other/2/.keep", "");

        Assert.Equal((3, ""), (folder.Only("echo").Version, folder.Only("echo").File));
        Assert.Equal(2, folder.Only("other").Version);
    }

    [Fact]
    public void Variables_override_models_of_the_repository_and_a_stray_one_is_reported()
    {
        using var folder = new RepositoryFolder().Versions("line-ocr", 1);
        folder.Environment["SPILLWAY__MODELS__LINE_OCR__BATCHING__BATCHROWSMAX"] = "3";
        folder.Environment["SPILLWAY__MODELS__LINE_OCX__NAME"] = "x";
        folder.Environment["SPILLWAY__SERVER__PORT"] = "none of our business";

        var view = folder.Read();

        Assert.Equal(3, view.Models[0].Versions[0].Options.Batching.BatchRowsMax);
        Assert.Equal("SPILLWAY__MODELS__LINE_OCX__NAME", Assert.Single(view.AllErrors).File);
    }

    [Fact]
    public void Variables_of_models_outside_are_not_strays_and_their_names_are_taken()
    {
        using var folder = new RepositoryFolder().Versions("echo", 1).Versions("fine", 1);
        folder.Others = [new() { Name = "echo", Serve = new Dictionary<string, DoorOptions> { ["e"] = new() } }];
        folder.Environment["SPILLWAY__MODELS__ECHO__VERSION"] = "2";

        var view = folder.Read();

        Assert.Equal("echo", Assert.Single(view.AllErrors, e => e.Key == "repository.echo").Value);
        Assert.Empty(view.Find("fine")!.Errors);
    }

    [Fact]
    public void Served_name_that_is_another_models_is_an_error_of_the_one_that_took_it()
    {
        using var folder = new RepositoryFolder().Versions("a", 1).Versions("b", 1).Versions("c", 1)
            .Write("a/model.yaml", "serve: { b: {}, a: {} }").Write("c/model.yaml", "serve: { c: {}, d: {} }");

        var view = folder.Read();

        Assert.Equal("b", Assert.Single(view.AllErrors).Value);
        Assert.Equal([0, 1, 1], view.Models.Select(m => m.Versions.Count));
        Assert.Contains("The model b", view.Models[0].Errors[0].Problem, StringComparison.Ordinal);
        Assert.NotEmpty(folder.Model("a").Errors);
    }

    [Fact]
    public void Hidden_folders_and_files_are_skipped_and_a_wrong_name_is_reported()
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write(".git/config",
            "").Write("..data/1/model.onnx", "")
            .Write("readme.md", "").Write("lost+found/x", "").Write("two words/1/model.onnx", "");

        var view = folder.Read();

        Assert.Equal("m", Assert.Single(view.Models).Name);
        Assert.Equal("two words", Assert.Single(view.AllErrors).Value);
        Assert.True(view.IsComplete);
    }

    [Fact]
    public void Too_many_models_are_cut_off_with_a_word_and_the_view_says_so()
    {
        using var folder = new RepositoryFolder { Options = new() { ModelsMax = 2 } };
        foreach (var name in (string[])["a", "b", "c"])
            folder.Versions(name, 1);

        var view = folder.Read();

        Assert.Equal(["a", "b"], view.Models.Select(m => m.Name));
        Assert.False(view.IsComplete);
        Assert.Contains("from c on are left out", Assert.Single(view.AllErrors).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Name_to_load_that_is_not_there_is_an_error_with_a_suggestion()
    {
        var explicitly = new RepositoryOptions
        {
            ModelControl = ModelControl.Explicit, Load = ["digist", "other", "*"],
        };
        using var folder = new RepositoryFolder { Options = explicitly }.Versions("digits", 1);

        Assert.Equal([("digist", "digits"), ("other", "")], folder.Read().Errors.Select(e => (e.Value, e.Suggestion)));
    }

    [Fact]
    public void Folder_that_is_gone_gives_an_incomplete_view_and_no_exception()
    {
        using var folder = new RepositoryFolder();
        Directory.Delete(folder.Root);

        var view = folder.Read();

        Assert.False(view.IsComplete);
        Assert.Contains("gone", Assert.Single(view.AllErrors).Problem, StringComparison.Ordinal);
        Assert.Null(folder.Reader().Read("m"));
    }

    [Theory]
    [InlineData("../models/m")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("m/1")]
    [InlineData("nobody")]
    public void Name_from_a_caller_finds_model_folders_only(string name)
    {
        using var folder = new RepositoryFolder().Versions("m", 1);

        Assert.NotNull(folder.Reader().Read("m"));
        Assert.Null(folder.Reader().Read(name));
    }
}
