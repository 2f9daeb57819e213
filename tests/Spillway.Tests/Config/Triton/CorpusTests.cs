using System.Text;
using System.Text.Json;
using Spillway.Config;
using Spillway.Config.Repository;
using Spillway.Runtimes.Onnx;

namespace Spillway.Tests.Config.Triton;

public sealed class CorpusTests
{
    public static TheoryData<string> Names => [.. Corpus.All];

    [Theory]
    [MemberData(nameof(Names))]
    public void Real_looking_configuration_is_served(string name)
    {
        using var folder = Corpus.Folder(name);

        var model = folder.Model(name);

        Assert.True(model.Errors.Count == 0, ConfigErrorText.Format(model.Errors));
        Assert.NotEmpty(model.Versions);
        Assert.All(model.Notes, n => Assert.True(n.Line > 0 && n.Remedy.Length > 0, n.ToString()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Effective_configuration_reads_back_alike_in_every_form(string name)
    {
        using var folder = Corpus.Folder(name);
        var model = folder.Model(name);
        var version = model.Versions[^1];
        var expected = Effective(version.Options);
        var text = new ModelText(version.Options, model);

        folder.Write($"{name}/config.pbtxt", text.Pbtxt());
        Assert.Equal(expected, Effective(Again().Options));

        File.Delete(folder.PathOf($"{name}/config.pbtxt"));
        folder.Write($"{name}/model.yaml", text.Yaml());
        Assert.Equal(expected, Effective(Again().Options));

        File.Delete(folder.PathOf($"{name}/model.yaml"));
        Assert.Equal(expected, Effective(Again(Json(text)).Options));

        RepositoryVersion Again(string? overrideJson = null)
        {
            var again = folder.Model(name, overrideJson);
            Assert.True(again.Errors.Count == 0, ConfigErrorText.Format(again.Errors));
            return again.Versions.Single(v => v.Number == version.Number);
        }
    }

    [Fact]
    public void Classifier_has_its_shapes_and_labels()
    {
        using var folder = Corpus.Folder("image-classifier");

        var model = folder.Model("image-classifier");
        var options = model.Versions[0].Options;

        Assert.Equal("FP32 [1,3,224,224]", options.Expects.Inputs["data_0"]);
        Assert.Equal("FP32 [1,1000,1,1]", options.Expects.Outputs["fc6_1"]);
        Assert.Equal(folder.PathOf("image-classifier/labels.txt"), options.Labels["fc6_1"]);
        Assert.Equal(1, options.Batching.BatchRowsMax);
        Assert.Equal((9, "repository.image-classifier.input[0].format"), (Assert.Single(model.Notes).Line,
            model.Notes[0].Key));
    }

    [Fact]
    public void Queue_batches_timeouts_threads_and_versions_are_mapped()
    {
        using var folder = Corpus.Folder("dynamic-batching");

        var model = folder.Model("dynamic-batching");
        var options = model.Versions[0].Options;

        Assert.Equal([2, 3], model.Versions.Select(v => v.Number));
        Assert.Equal((32, 0.5, 5, 64, 1), (options.Batching.BatchRowsMax, options.Batching.BatchWaitMs,
            options.Batching.PriorityLevels, options.Batching.QueueLengthMax, options.Batching.Runners));
        Assert.Equal((250.0, 250.0), (options.Deadline.FixedMs, options.Deadline.MaxMs));
        Assert.Equal(new OnnxOptions { IntraOpThreads = 2, Spinning = true }, options.RuntimeOptions);
        Assert.Equal(["ids", "mask"], options.Expects.Inputs.Keys);
        Assert.Equal("INT64 [-1,-1]", options.Expects.Inputs["ids"]);
        Assert.Equal("FP32 [-1,384]", options.Expects.Outputs["embedding"]);
        Assert.Equal(["preferred_batch_size", "count"], model.Notes.Select(n => n.Key.Split('.')[^1]));
    }

    [Fact]
    public void Text_scalars_file_name_specific_versions_and_optimization_are_mapped()
    {
        using var folder = Corpus.Folder("text-in");

        var model = folder.Model("text-in");
        var options = model.Versions[0].Options;

        Assert.Equal([1, 3], model.Versions.Select(v => v.Number));
        Assert.Equal(folder.PathOf("text-in/1/encoder.onnx"), options.File);
        Assert.Equal(("BYTES [-1,1]", "INT32 [-1]"), (options.Expects.Inputs["TEXT"], options.Expects.Inputs["LIMIT"]));
        Assert.Equal(16, options.Batching.BatchRowsMax);
        Assert.Equal("extended", Assert.IsType<OnnxOptions>(options.RuntimeOptions).Optimization);
    }

    [Fact]
    public void Accelerator_instances_and_hints_are_mapped_or_noted()
    {
        using var folder = Corpus.Folder("gpu");

        var model = folder.Model("gpu");

        Assert.Equal([1, 2, 3], model.Versions.Select(v => v.Number));
        Assert.Equal("tensorrt", Assert.IsType<OnnxOptions>(model.Versions[0].Options.RuntimeOptions).Provider);
        Assert.Equal(3, model.Versions[0].Options.Batching.Runners);
        Assert.Equal(["optimization.cuda", "optimization.input_pinned_memory", "response_cache.enable",
            "instance_group.count"],
            model.Notes.Select(n => n.Key["repository.gpu.".Length..]));
    }

    [Fact]
    public void Warm_up_sample_says_what_an_ordinary_request_looks_like()
    {
        using var folder = Corpus.Folder("warm");

        var model = folder.Model("warm");

        Assert.Equal([1, 3, 48, 320], model.Versions[0].Options.Typical["x"]);
        Assert.Equal([("metric_tags", 19), ("model_warmup[0]", 5), ("model_warmup[1]", 13)],
            model.Notes.Select(n => (n.Key.Split('.')[^1], n.Line)));
    }

    [Fact]
    public void Parameters_reach_every_key_that_has_no_field()
    {
        using var folder = Corpus.Folder("options");

        var options = folder.Model("options").Versions[0].Options;

        Assert.Equal((0.2, 7.0), (options.Batching.GainMin, options.Deadline.Factor));
        Assert.Equal(["options", "also"], options.Serve.Keys);
        Assert.Equal(folder.PathOf("options/labels.txt"), options.Outputs.Ctc!.Labels);
        Assert.False(Assert.IsType<OnnxOptions>(options.RuntimeOptions).MemoryArena);
        Assert.Equal(32, options.Batching.BatchRowsMax);
    }

    /// <summary>Everything that is in effect, as JSON.</summary>
    internal static string Effective(ModelOptions model)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
            EffectiveJson.Write(json, model, model.RuntimeOptions is { } runtime ? (model.Runtime, runtime) : null);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    internal static string Json(ModelText text)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            text.WriteTritonJson(json);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
