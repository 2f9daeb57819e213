using System.Globalization;
using System.Text;
using Spillway.Config;
using Spillway.Tests.Config.Repository;
using Spillway.Tests.Config.Triton;

namespace Spillway.Tests.Config;

public sealed class ModelTextTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Any_valid_options_read_back_alike_from_every_form(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            using var folder = new RepositoryFolder().Versions("m", 1, 2, 3).Write("m/model.yaml", Random(random))
                .Write("m/labels.txt", "a\n").Write("m/1/other.onnx", "").Write("m/2/other.onnx", "")
                .Write("m/3/other.onnx", "");
            var model = folder.Model("m");
            Assert.True(model.Errors.Count == 0, $"seed {seed} round {round} {ConfigErrorText.Format(model.Errors)}");
            var expected = CorpusTests.Effective(model.Versions[^1].Options);
            var text = new ModelText(model.Versions[^1].Options, model);

            folder.Write("m/model.yaml", text.Yaml());
            Assert.Equal(expected, Again());
            File.Delete(folder.PathOf("m/model.yaml"));
            Assert.Equal(expected, Again(CorpusTests.Json(text)));
            folder.Write("m/config.pbtxt", text.Pbtxt());
            Assert.Equal(expected, Again());

            string Again(string? overrideJson = null)
            {
                var again = folder.Model("m", overrideJson);
                Assert.True(again.Errors.Count == 0,
                    $"seed {seed} round {round} {ConfigErrorText.Format(again.Errors)}\n{text.Pbtxt()}\n{text.Yaml()}");
                return CorpusTests.Effective(again.Versions[^1].Options);
            }
        }
    }

    [Fact]
    public void Listed_model_reads_back_alike_as_YAML()
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + """

            version: 3
            serve: { "null": {}, a-b.c: { picture: { name: i, to: x, height: 4 } } }
            outputs: { topK: { labels: sub/labels.txt, k: 2 } }
            """).Write("echo/sub/labels.txt", "a\nb\n");
        var model = folder.Valid().Models[0];

        var yaml = new ModelText(model, repository: null).Yaml();
        folder.Write("echo/model.yaml", yaml);

        Assert.Equal(CorpusTests.Effective(model), CorpusTests.Effective(folder.Valid().Models[0]));
        Assert.Contains("labels: sub/labels.txt", yaml, StringComparison.Ordinal);
        Assert.Contains("version: 3\n", yaml, StringComparison.Ordinal);
        Assert.Contains("\"null\":", yaml, StringComparison.Ordinal);
        Assert.DoesNotContain("versions:", yaml, StringComparison.Ordinal);
    }

    [Fact]
    public void Written_config_pbtxt_looks_as_a_person_would_write_it()
    {
        using var folder = new RepositoryFolder().Versions("m", 1).Write("m/config.pbtxt", """
            max_batch_size: 8
            input { name: "x" data_type: TYPE_FP32 dims: [ 3, -1 ] }
            parameters { key: "spillway.deadline.factor" value { string_value: "7" } }
            """);
        var model = folder.Model("m");

        Assert.Equal("""
            name: "m"
            platform: "onnxruntime_onnx"
            max_batch_size: 8
            input [
              {
                name: "x"
                data_type: TYPE_FP32
                dims: [ 3, -1 ]
              }
            ]
            dynamic_batching {
              max_queue_delay_microseconds: 0
              priority_levels: 3
              default_queue_policy {
                max_queue_size: 256
              }
            }
            instance_group [
              {
                kind: KIND_CPU
              }
            ]
            parameters [
              {
                key: "spillway.deadline.factor"
                value {
                  string_value: "7"
                }
              }
            ]

            """, new ModelText(model.Versions[0].Options, model).Pbtxt());
    }

    private static string Random(Random random)
    {
        var yaml = new StringBuilder();
        Maybe($"versions: {{ {One("latest: 2", "all: true", "only: [3]")} }}");
        Maybe("file: other.onnx");
        Maybe($"typical: {{ x: [1, {random.Next(1, 9)}], 'odd \"name\"': [1] }}");
        var rows = One("-1", "3");
        Maybe($"expects: {{ inputs: {{ x: 'FP32 [{rows},4]', s: 'BYTES [{rows}]' }}, "
            + $"outputs: {{ y: 'INT64 [{rows}]' }} }}");
        Maybe("labels: { y: labels.txt }");
        Maybe($"batching: {{ batchRowsMax: {random.Next(1, 1025)}, "
            + $"batchWaitMs: {Number(random.Next(1, 200000) / 1e4)}, "
            + $"runners: {random.Next(3)}, queueLengthMax: {random.Next(1, 500)}, "
            + $"priorityLevels: {random.Next(1, 17)}, "
            + $"gainMin: {Number(random.Next(1, 90) / 100.0)} }}");
        Maybe(random.Next(2) == 0 ? "deadline: { fixedMs: 400, maxMs: 400 }"
            : $"deadline: {{ fixedMs: 300, maxMs: {random.Next(300, 5000)}, factor: 2.5 }}");
        Maybe("outputs: { ctc: { labels: labels.txt, text: 'true', "
            + "confidence: \"\u00e4 \U0001F600 \\\"q\\\" \\\\ \\n\" } }");
        Maybe("serve: { m: {}, other: { picture: { name: image, to: x, height: 48, mean: 0.485 } } }");
        Maybe($"onnx: {{ provider: {One("cuda", "rocm")}, intraOpThreads: {random.Next(1, 9)}, "
            + $"optimization: {One("all", "extended", "basic", "none")}, "
            + "spinning: true, memoryArena: false }");
        return yaml.ToString();

        string One(params string[] words) => words[random.Next(words.Length)];

        void Maybe(string text)
        {
            // Drawn in any case, so that one seed always gives the same texts.
            if (random.Next(2) == 0)
                yaml.Append(text).Append('\n');
        }
    }

    private static string Number(double number) => number.ToString("0.####", CultureInfo.InvariantCulture);
}
