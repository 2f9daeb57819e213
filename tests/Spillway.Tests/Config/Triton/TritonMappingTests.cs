using Spillway.Config;
using Spillway.Config.Triton;
using Spillway.Runtimes.Onnx;
using Spillway.Tests.Config.Repository;

namespace Spillway.Tests.Config.Triton;

/// <summary>This file is long because every field of the schema has its case here.</summary>
public sealed class TritonMappingTests
{
    [Fact]
    public void Every_field_of_the_schema_is_mapped_or_named_as_a_gap()
    {
        var spoken = TritonMapping.Mapped.Concat(TritonGaps.ByPath.Keys).ToArray();
        string[] known = [.. ProtoSchema.Paths()];

        // A message whose parts are all spoken for needs no word of its own.
        var ignored = known.Where(p => !spoken.Any(s => p == s || p.StartsWith(s + ".", StringComparison.Ordinal)
            || s.StartsWith(p + ".", StringComparison.Ordinal)));
        Assert.Empty(ignored);
        Assert.Empty(spoken.Except(known));
        Assert.Empty(TritonMapping.Mapped.Intersect(TritonGaps.ByPath.Keys));
    }

    [Theory]
    // The line is that of the field; texts are of the remedy.
    [InlineData("\nmax_batchsize: 8", "max_batchsize", 2, "Known here: name", "max_batch_size")]
    [InlineData("dynamic_batching {\n max_queue_delay: 8 }", "dynamic_batching.max_queue_delay", 2, "Known here", "")]
    [InlineData("dynamic_batching {\n max_queue_delay_microsecond: 8 }",
        "dynamic_batching.max_queue_delay_microsecond", 2,
        "Known here", "max_queue_delay_microseconds")]
    [InlineData("input [ { name: \"a\" }, { name: \"x\"\n data_typ: TYPE_FP32 } ]", "input[1].data_typ", 2,
        "Known here",
        "data_type")]
    [InlineData("max_batch_size: \"8\"", "max_batch_size", 1, "digits without quotes", "")]
    [InlineData("max_batch_size: 8.0", "max_batch_size", 1, "digits without quotes", "")]
    [InlineData("max_batch_size: -1", "max_batch_size", 1, "most rows", "")]
    [InlineData("max_batch_size: 5000", "batching.batchRowsMax", 1, "1 to 1024 rows", "")]
    [InlineData("max_batch_size: 99999999999", "max_batch_size", 1, "2147483647", "")]
    [InlineData("max_batch_size: [8]", "max_batch_size", 1, "digits", "")]
    [InlineData("max_batch_size: 1\nmax_batch_size: 2", "max_batch_size", 2, "Keep one", "")]
    [InlineData("name: m", "name", 1, "quotes", "")]
    [InlineData("name: \"other\"", "name", 1, "Remove the name", "")]
    [InlineData("platform: \"tensorflow_savedmodel\"", "platform", 1, "Export the model to ONNX", "")]
    [InlineData("platform: \"onnxruntime_onx\"", "platform", 1, "Export", "onnxruntime_onnx")]
    [InlineData("backend: \"python\"", "backend", 1, "Export the model to ONNX", "")]
    [InlineData("runtime: \"libevil.so\"", "runtime", 1, "SPILLWAY_ORT_LIB", "")]
    [InlineData("input { name: \"x\" data_type: TYPE_FLOAT dims: 1 }", "input[0].data_type", 1, "TYPE_FP32", "")]
    [InlineData("input { name: \"x\" data_type: \"TYPE_FP32\" }", "input[0].data_type", 1, "without quotes", "")]
    [InlineData("input { name: \"x\" data_type: TYPE_FP32 dims: 0 }", "expects.inputs.x", 1, "type and shape", "")]
    [InlineData("input { data_type: TYPE_FP32 dims: 4 }", "input[0].name", 1, "as the model has it", "")]
    [InlineData("input [ { name: \"x\" data_type: TYPE_FP32 dims: 4 },\n { name: \"x\" } ]", "input[1].name", 2,
        "Keep one", "")]
    [InlineData("input { name: \"x\"\n reshape { shape: [ 1 ] } }", "input[0].reshape", 2, "as the model itself", "")]
    [InlineData("input { name: \"x\"\n allow_ragged_batch: true }", "input[0].allow_ragged_batch", 2, "equal shape",
        "")]
    [InlineData("input { name: \"x\" optional: true }", "input[0].optional", 1, "send it always", "")]
    [InlineData("input { name: \"x\" data_type: TYPE_FP32 dims: [-1, 4] }\n"
        + "output { name: \"y\" data_type: TYPE_FP32 dims: [-1] }",
        "max_batch_size", 1, "set max_batch_size", "")]
    [InlineData("output { name: \"y\" label_filename: \"none.txt\" }", "labels.y", 1, "Put the file of labels", "")]
    [InlineData("output { name: \"y\" label_filename: \"../../x\" }", "labels.y", 1, "without ..", "")]
    [InlineData("batch_input { kind: BATCH_ITEM_SHAPE }", "batch_input", 1, "in the client", "")]
    [InlineData("sequence_batching {\n direct { } }", "sequence_batching", 1, "state in the client", "")]
    [InlineData("sequence_batching { state {\n input_name: \"s\" } }", "sequence_batching.state[0].output_name", 1,
        "as the model has it", "")]
    [InlineData("sequence_batching { state { input_name: \"s\" output_name: \"n\"\n "
        + "initial_state { data_file: \"f\" } } }",
        "sequence_batching.state[0].initial_state[0].data_file", 2, "zero_data", "")]
    [InlineData("sequence_batching { state { input_name: \"s\" output_name: \"n\" }\n control_input { name: \"c\" "
        + "control { kind: CONTROL_SEQUENCE_END fp32_false_true: [ 1, 0 ] } } }",
        "sequence_batching.control_input[0].control[0].fp32_false_true", 2, "[ 0, 1 ]", "")]
    [InlineData("ensemble_scheduling { step { model_name: \"a\" } }", "ensemble_scheduling", 1, "one ONNX model", "")]
    [InlineData("dynamic_batching { priority_queue_policy { key: 1 value { max_queue_size: 3 } } }",
        "dynamic_batching.priority_queue_policy", 1, "default_queue_policy", "")]
    [InlineData("dynamic_batching { default_queue_policy { default_timeout_microseconds: 9000000\n"
        + " timeout_action: DELAY } }",
        "dynamic_batching.default_queue_policy.timeout_action", 2, "Write REJECT", "")]
    [InlineData("dynamic_batching { priority_levels: 99 }", "batching.priorityLevels", 1, "1 to 16 levels", "")]
    [InlineData("dynamic_batching { max_queue_delay_microseconds: 99999999 }", "batching.batchWaitMs", 1,
        "0 to 10000 ms", "")]
    [InlineData("instance_group { kind: KIND_CPU }\ninstance_group { kind: KIND_GPU }", "instance_group[1].kind", 2,
        "one kind", "")]
    [InlineData("instance_group { kind: KIND_GPU gpus: [ 0, 1 ] }", "instance_group[0].gpus", 1,
        "CUDA_VISIBLE_DEVICES", "")]
    [InlineData("instance_group { count: -1 }", "instance_group[0].count", 1, "curve decides", "")]
    [InlineData("instance_group { passive: true }", "instance_group[0].passive", 1, "Remove", "")]
    [InlineData("optimization { graph { level: 7 } }", "optimization.graph.level", 1, "0 for all", "")]
    [InlineData("optimization { execution_accelerators { gpu_execution_accelerator { name: \"tensort\" } } }",
        "optimization.execution_accelerators.gpu_execution_accelerator[0].name", 1, "Use tensorrt", "tensorrt")]
    [InlineData("optimization { execution_accelerators { gpu_execution_accelerator { name: \"tensorrt\"\n"
        + "parameters { key: \"precision_mode\" value: \"FP16\" } } } }",
        "optimization.execution_accelerators.gpu_execution_accelerator[0].parameters", 2, "Remove them", "")]
    [InlineData("version_policy { latest { } all { } }", "version_policy.all", 1, "Keep one", "")]
    [InlineData("version_policy { specific { versions: [7] } }", "versions.only", 0, "Add the folder", "")]
    [InlineData("version_policy { specific { } }", "version_policy.specific", 1, "versions: [1, 3]", "")]
    [InlineData("model_transaction_policy { decoupled: true }", "model_transaction_policy.decoupled", 1, "one answer",
        "")]
    [InlineData("model_operations { op_library_filename: \"x.so\" }", "model_operations", 1, "standard ONNX", "")]
    [InlineData("model_repository_agents { agents { name: \"checksum\" } }", "model_repository_agents", 1,
        "before they come", "")]
    [InlineData("cc_model_filenames { key: \"7.5\" value: \"a.onnx\" }", "cc_model_filenames", 1,
        "default_model_filename", "")]
    [InlineData("parameters { key: \"intra_op_thread_count\" value { string_value: \"many\" } }",
        "onnx.intraOpThreads", 1,
        "a whole number", "")]
    [InlineData("parameters { key: \"spillway.batching.batchRows\" value { string_value: \"4\" } }",
        "batching.batchRows", 1,
        "Known here", "batchRowsMax")]
    [InlineData("parameters { key: \"spillway.typical\" value { string_value: \"{ x: [1\" } }",
        "parameters.spillway.typical", 1,
        "bracket", "")]
    [InlineData("parameters { key: \"spillway.onnx.library\" value { string_value: \"evil.so\" } }", "onnx.library", 1,
        "SPILLWAY_ORT_LIB", "")]
    [InlineData("parameters { key: \"a\" }\nparameters { key: \"a\" }", "parameters.a", 2, "Keep one", "")]
    public void What_cannot_be_served_as_written_is_an_error_with_its_line(
        string text, string key, int line, string remedy, string meant)
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/config.pbtxt", text);

        var error = folder.Error("m");

        Assert.Equal(("repository.m." + key, line, meant), (error.Key, error.Line, error.Suggestion));
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
        Assert.Equal(line == 0 ? folder.PathOf("m") : folder.PathOf("m/config.pbtxt"), error.File);
        Assert.Empty(folder.Model("m").Versions);
    }

    [Theory]
    [InlineData("dynamic_batching {\n preferred_batch_size: [ 4 ] }", "dynamic_batching.preferred_batch_size", 2,
        "measured")]
    [InlineData("dynamic_batching { preserve_ordering: true }", "dynamic_batching.preserve_ordering", 1, "own request")]
    [InlineData("dynamic_batching { priority_levels: 4 default_priority_level: 4 }",
        "dynamic_batching.default_priority_level", 1,
        "the middle level, 2")]
    [InlineData("dynamic_batching { default_queue_policy { max_queue_size: 0 } }",
        "dynamic_batching.default_queue_policy.max_queue_size", 1, "256")]
    [InlineData("dynamic_batching { default_queue_policy { timeout_action: DELAY } }",
        "dynamic_batching.default_queue_policy.timeout_action", 1, "never comes to that")]
    [InlineData("instance_group { kind: KIND_AUTO }", "instance_group[0].kind", 1, "runs on the CPU")]
    [InlineData("instance_group { count: 2 }", "instance_group.count", 1, "share one copy")]
    [InlineData("instance_group { rate_limiter { resources { name: \"R\" count: 1 } } }",
        "instance_group[0].rate_limiter", 1,
        "--rate-limit")]
    [InlineData("response_cache { enable: true }", "response_cache.enable", 1, "not cached")]
    [InlineData("optimization { eager_batching: true }", "optimization.eager_batching", 1, "TensorRT")]
    [InlineData("optimization { priority: PRIORITY_MAX }", "optimization.priority", 1, "TensorRT")]
    [InlineData("model_metrics { metric_control { } }", "model_metrics", 1, "fixed buckets")]
    [InlineData("parameters { key: \"enable_mem_pattern\" value { string_value: \"0\" } }",
        "parameters.enable_mem_pattern", 1,
        "own setting")]
    [InlineData("parameters { key: \"intra_op_threads_count\" value { string_value: \"2\" } }",
        "parameters.intra_op_threads_count",
        1, "Nothing here reads")]
    [InlineData("parameters { key: \"intra_op_thread_count\" value { string_value: \"0\" } }",
        "parameters.intra_op_thread_count", 1,
        "all cores")]
    public void Hint_without_an_effect_is_a_note_with_its_line_and_the_model_is_served(
        string text, string key, int line, string problem)
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/config.pbtxt", text);

        var model = folder.Model("m");

        Assert.True(model.Errors.Count == 0, ConfigErrorText.Format(model.Errors));
        Assert.Single(model.Versions);
        var note = Assert.Single(model.Notes);
        Assert.Equal(("repository.m." + key, line, folder.PathOf("m/config.pbtxt")), (note.Key, note.Line, note.File));
        Assert.Contains(problem, note.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("input { name: \"x\" optional: false allow_ragged_batch: false format: FORMAT_NONE }")]
    [InlineData("model_transaction_policy { decoupled: false }")]
    [InlineData("response_cache { enable: false }")]
    [InlineData("instance_group { passive: false profile: [] }")]
    [InlineData("dynamic_batching { preserve_ordering: false preferred_batch_size: [] }")]
    [InlineData("dynamic_batching { }")]
    [InlineData("optimization { eager_batching: false graph { level: 0 } }")]
    [InlineData("runtime: \"\" backend: \"\" platform: \"\"")]
    public void Field_that_is_written_and_not_set_says_nothing(string text)
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/config.pbtxt", text);

        Assert.Empty(folder.Model("m").Errors.Concat(folder.Model("m").Notes));
    }

    [Fact]
    public void All_mistakes_of_a_file_come_at_once()
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/config.pbtxt", """
            platfrom: "x"
            max_batch_size: many
            input { name: 3 }
            sequence_batching { }
            dynamic_batching { priority_levels: 99 }
            """);

        Assert.Equal([1, 2, 3, 3, 4, 5], folder.Model("m").Errors.Select(e => e.Line).Order());
    }

    [Fact]
    public void Sequences_are_what_model_yaml_calls_sequences()
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/config.pbtxt", """
            max_batch_size: 8
            sequence_batching {
              max_sequence_idle_microseconds: 2500
              oldest { max_candidate_sequences: 4 }
              state { input_name: "s" output_name: "n" dims: [ 3 ] initial_state { zero_data: true } }
              control_input { name: "first" control { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] } }
              control_input { name: "who" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } }
            }
            """);

        var sequences = folder.Only("m").Sequences!;
        var state = Assert.Single(sequences.State);
        Assert.Equal(("s", "n"), (state.Input, state.Output));
        Assert.Equal([1, 3], state.Shape);
        Assert.Equal((2.5, 4, "first", "who"), (
            sequences.IdleMs, sequences.SequencesMax, sequences.Controls.Start, sequences.Controls.Id));
    }

    [Theory]
    [InlineData("{}", 8)]
    [InlineData("{\"max_batch_size\": 16}", 16)]
    [InlineData("{\"max_batch_size\": \"16\"}", 16)]
    [InlineData("{\"maxBatchSize\": 1.6e1}", 16)]
    [InlineData("{\"max_batch_size\": null}", 8)]
    public void Override_in_JSON_is_laid_over_the_models_own_configuration(string json, int rows)
    {
        const string Own = "max_batch_size: 8 input { name: \"x\" data_type: TYPE_FP32 dims: [ 4 ] }\n"
            + "parameters { key: \"intra_op_thread_count\" value { string_value: \"2\" } }";
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/config.pbtxt", Own);

        var model = folder.Only("m", json);

        Assert.Equal(rows, model.Batching.BatchRowsMax);
        Assert.Equal("FP32 [-1,4]", model.Expects.Inputs["x"]);
        Assert.Equal(2, Assert.IsType<OnnxOptions>(model.RuntimeOptions).IntraOpThreads);
        Assert.Equal(rows == 8, folder.Model("m").Versions[0].Fingerprint == folder.Model("m",
            json).Versions[0].Fingerprint);
    }

    [Fact]
    public void Override_joins_messages_and_parameters_and_replaces_lists_also_over_a_model_yaml()
    {
        const string Json = """
            {
              "dynamicBatching": { "maxQueueDelayMicroseconds": "500" },
              "parameters": { "inter_op_thread_count": { "string_value": "3" } },
              "versionPolicy": { "all": {} }
            }
            """;
        using var folder = new RepositoryFolder().Versions("a", 1).Versions("b", 1)
            .Write("a/config.pbtxt", "dynamic_batching { priority_levels: 5 } version_policy { latest { } }\n"
                + "parameters { key: \"intra_op_thread_count\" value { string_value: \"2\" } }")
            .Write("b/model.yaml", "batching: { priorityLevels: 5 }\nonnx: { intraOpThreads: 2 }\n");

        foreach (var name in (string[])["a", "b"])
        {
            var model = folder.Only(name, Json);
            Assert.Equal((5, 0.5), (model.Batching.PriorityLevels, model.Batching.BatchWaitMs));
            Assert.Equal(new OnnxOptions { IntraOpThreads = 2, InterOpThreads = 3 }, model.RuntimeOptions);
            Assert.True(model.Versions.All);
        }
    }

    [Theory]
    [InlineData("{\n \"max_batchsize\": 1}", "max_batchsize", 2, "max_batch_size")]
    [InlineData("{\"max_batch_size\": \"many\"}", "max_batch_size", 1, "")]
    [InlineData("{\"max_batch_size\": true}", "max_batch_size", 1, "")]
    [InlineData("{\"parameters\": {\"spillway.onnx.library\": {\"string_value\": \"x.so\"}}}", "onnx.library", 1, "")]
    [InlineData("{\"default_model_filename\": \"../../x\"}", "1", 0, "")]
    [InlineData("[]", "", 1, "")]
    [InlineData("{\"max_batch_size\": 1", "", 1, "")]
    [InlineData("not json", "", 1, "")]
    [InlineData("", "", 1, "")]
    public void Wrong_override_is_an_error_with_its_place_and_loads_nothing(string json, string key, int line,
        string meant)
    {
        using var folder = new RepositoryFolder().Versions("m", 1);

        var error = folder.Error("m", json);

        Assert.Equal(($"repository.m{(key.Length > 0 ? "." : "")}{key}", line, meant), (error.Key, error.Line,
            error.Suggestion));
        Assert.Empty(folder.Model("m", json).Versions);
    }

    [Fact]
    public void Hostile_override_ends_in_an_error()
    {
        using var folder = new RepositoryFolder().Versions("m", 1);
        foreach (var json in (string[])
        [
            string.Concat(Enumerable.Repeat("{\"a\":", 100_000)), string.Concat(Enumerable.Repeat("[", 100_000)),
            "{\"name\": \"" + new string('x', 10_000_000) + "\"}", "{\"input\": [" + string.Join(',',
                Enumerable.Repeat("{}", 60_000)) + "]}",
            "{\"name\": \"\\ud800\"}", "{\"max_batch_size\": 1e999}", "\0",
        ])
            Assert.NotEmpty(folder.Model("m", json).Errors);
    }
}
