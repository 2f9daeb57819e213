using System.Text;
using System.Text.Json;
using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class ConfigErrorsTests
{
    [Theory]
    [InlineData("server:\n  port: 80000\nmodels: [echo]", "server.port", 2, 9, "0 to 65535 (default 8000)", "")]
    [InlineData("server:\n  port: many\nmodels: [echo]", "server.port", 2, 9, "a whole number, 0 to 65535", "")]
    [InlineData("server:\n  port: \"8000\"\nmodels: [echo]", "server.port", 2, 9, "without quotes", "8000")]
    [InlineData("server:\n  port: 8000.5\nmodels: [echo]", "server.port", 2, 9, "a whole number", "")]
    [InlineData("server:\n  port:\nmodels: [echo]", "server.port", 2, 3, "remove the key (default 8000)", "")]
    [InlineData("server:\n  port: [1]\nmodels: [echo]", "server.port", 2, 3, "after the colon", "")]
    [InlineData("server: 8000\nmodels: [echo]", "server", 1, 9, "indented below it", "")]
    [InlineData("server:\n  prot: 1\nmodels: [echo]", "server.prot", 2, 3, "Known here: address, port", "port")]
    [InlineData("server:\n  Port: 1\nmodels: [echo]", "server.Port", 2, 3, "Known here", "port")]
    [InlineData("server:\n  body_bytes_max: 2048\nmodels: [echo]", "server.body_bytes_max", 2, 3, "Known",
        "bodyBytesMax")]
    [InlineData("server:\n  maxBodyBytes: 2048\nmodels: [echo]", "server.maxBodyBytes", 2, 3, "Known", "bodyBytesMax")]
    [InlineData("port: 1\nmodels: [echo]", "port", 1, 1, "Known here: server, telemetry, models", "server.port")]
    [InlineData("severs: {}\nmodels: [echo]", "severs", 1, 1, "Known here: server, telemetry, models", "server")]
    [InlineData("server:\n  bodyBytesMax: 64MiB\nmodels: [echo]", "server.bodyBytesMax", 2, 17, "bytes", "67108864")]
    [InlineData("server:\n  drainMs: 20s\nmodels: [echo]", "server.drainMs", 2, 12, "0 to 3600000 ms", "20000")]
    [InlineData("server:\n  drainMs: .inf\nmodels: [echo]", "server.drainMs", 2, 12, "a number", "")]
    [InlineData("server:\n  drainMs: 1e400\nmodels: [echo]", "server.drainMs", 2, 12, "Allowed is 0 to 3600000 ms", "")]
    [InlineData("server:\n  name: ''\nmodels: [echo]", "server.name", 2, 9, "default spillway", "")]
    [InlineData("server:\n  address: 0.0.0.0\nmodels: [echo]", "server.address", 2, 12, "127.0.0.1", "")]
    [InlineData("server:\n  address: example.com\nmodels: [echo]", "server.address", 2, 12, "localhost", "")]
    [InlineData("server:\n  bodyBytesInFlightMax: 2048\nmodels: [echo]", "server.bodyBytesInFlightMax", 2, 25,
        "Raise", "")]
    [InlineData("# only\nserver:\n  port: 1", "models", 2, 1, "Folders that hold a model.yaml", "")]
    [InlineData("", "models", 1, 1, "Folders that hold a model.yaml", "")]
    [InlineData("server: {}\nmodels: []", "models", 2, 1, "Folders", "")]
    [InlineData("models: echo", "models", 1, 9, "- item", "")]
    [InlineData("models: [ehco]", "models[0]", 1, 10, "relative to this file", "echo")]
    [InlineData("models:\n  - echo\n  - ./echo/", "models[1]", 3, 5, "Keep one", "")]
    [InlineData("models:\n  - spillway.yaml", "models[0]", 2, 5, "holds the model.yaml", "")]
    [InlineData("models: [echo]\nserver:\n  port: 1\n  port: 2", "server.port", 4, 3, "Keep one of the two", "")]
    [InlineData("models: [echo]\n---\nmodels: [echo]", "", 2, 1, "one document", "")]
    [InlineData("models: [echo\n", "", 2, 1, "bracket", "")]
    [InlineData("models: [*echo]", "", 1, 10, "first use", "")]
    [InlineData("models: [!!str echo]", "", 1, 10, "Remove the tag", "")]
    [InlineData("? [a]\n: b\nmodels: [echo]", "", 1, 3, "Quote text", "")]
    [InlineData("- models", "", 1, 1, "indented", "")]
    [InlineData("base: &b { port: 1 }\nmodels: [echo]", "base", 1, 1, "Known here", "")]
    public void Mistake_in_the_root_file_names_key_place_remedy_and_what_was_meant(
        string yaml, string key, int line, int column, string remedy, string meant)
    {
        using var folder = ConfigFolder.WithServer(yaml);

        var error = folder.OnlyError();

        Assert.Equal((key, line, column, meant), (error.Key, error.Line, error.Column, error.Suggestion));
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
        Assert.Equal(folder.PathOf("spillway.yaml"), error.File);
        Assert.NotEmpty(error.Problem);
    }

    [Theory]
    [InlineData("queueLengthMax: 5", "queueLengthMax", 6, 1, "Known here", "batching.queueLengthMax")]
    [InlineData("batching: { queueLengthMax: 0 }", "batching.queueLengthMax", 6, 29,
        "1 to 16384 requests (default 256)", "")]
    [InlineData("batching:\n  batchWaitMs: 300", "batching.batchWaitMs", 7, 16, "below 250", "")]
    [InlineData("deadline:\n  floorMs: 700000", "deadline.floorMs", 7, 12, "deadline.maxMs", "")]
    [InlineData("name: line ocr", "name", 6, 7, "letters, digits", "")]
    [InlineData("version: 0", "version", 6, 10, "1 to 2147483647 (default 1)", "")]
    [InlineData("onnx: {}", "onnx", 6, 1, "Remove the section, or set runtime: onnx", "")]
    [InlineData("file: model.onnx", "file", 6, 7, "Remove the key", "")]
    [InlineData("typical: { y: [1, 4] }", "typical.y", 6, 12, "Its inputs: x", "")]
    [InlineData("typical:\n  x: [1, 5]", "typical.x", 7, 3, "dimensions", "")]
    [InlineData("typical:\n  x: [4, 4]", "typical.x", 7, 3, "[1, 3, 48, 320]", "")]
    [InlineData("typical:\n  x: [1, four]", "typical.x[1]", 7, 10, "a whole number", "")]
    [InlineData("serve: { a/b: {} }", "serve.a/b", 6, 10, "letters, digits", "")]
    [InlineData("serve: { a: { pictures: {} } }", "serve.a.pictures", 6, 15, "Known here: picture", "picture")]
    [InlineData("serve:\n  a:\n    picture: { name: i, to: x }", "serve.a.picture.height", 8, 5, "Height", "")]
    [InlineData("serve: { a: { picture: { name: i, to: z, height: 4 } } }", "serve.a.picture.to", 6, 39, "inputs: x",
        "")]
    [InlineData("serve: { a: { picture: { name: i, to: x, height: 4, channels: brg } } }",
        "serve.a.picture.channels", 6, 63, "rgb, bgr, grey", "bgr")]
    [InlineData("outputs: { topK: { labels: none.txt } }", "outputs.topK.labels", 6, 28, "relative to model.yaml", "")]
    [InlineData("outputs: { ctc: { labels: '' } }", "outputs.ctc.labels", 6, 27, "File with one label", "")]
    [InlineData("outputs: { ctc: }", "outputs.ctc.labels", 6, 12, "File with one label", "")]
    [InlineData("outputs: { ctc: { labels: npm:a/../../b } }", "outputs.ctc.labels", 6, 27, "inside the package", "")]
    [InlineData("outputs: { ctc: { labels: npm:a } }", "outputs.ctc.labels", 6, 27, "npm:<package>/<file>", "")]
    [InlineData("outputs: { ctc: { labels: npm:nobody-has-this/b.txt } }", "outputs.ctc.labels", 6, 27,
        "Run npm ci in native/", "")]
    [InlineData("outputs: { topK: { labels: model.yaml, softmax: yes } }", "outputs.topK.softmax", 6, 49,
        "true or false", "true")]
    [InlineData("outputs: { topK: { labels: model.yaml, from: z } }", "outputs.topK.from", 6, 46, "Its outputs: y", "")]
    [InlineData("outputs: { topK: { labels: model.yaml, label: score } }", "outputs.topK.score", 6, 12, "own name", "")]
    public void Mistake_in_a_model_names_key_place_remedy_and_what_was_meant(
        string more, string key, int line, int column, string remedy, string meant)
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo + "\n" + more + "\n");

        var error = folder.OnlyError();

        Assert.Equal(("models[0]." + key, line, column, meant),
            (error.Key, error.Line, error.Column, error.Suggestion));
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
        Assert.Equal(folder.PathOf("echo/model.yaml"), error.File);
    }

    [Theory]
    [InlineData("inputs: { x: \"FP23 [-1]\" }", "inputs: { x: \"FP32 [-1,4]\" }", "simulated.inputs.x", 3)]
    [InlineData("outputs: {}", "outputs: { y: \"FP32 [-1,2]\" }", "simulated.outputs", 4)]
    [InlineData("latencyMs: { 8: 1, 1: 2 }", "latencyMs: { 1: 2.0, 8: 3.5 }", "simulated.latencyMs.1", 5)]
    [InlineData("latencyMs: { 0: 1 }", "latencyMs: { 1: 2.0, 8: 3.5 }", "simulated.latencyMs.0", 5)]
    [InlineData("latencyMs: { 1: -1 }", "latencyMs: { 1: 2.0, 8: 3.5 }", "simulated.latencyMs.1", 5)]
    [InlineData("latencyMs: { one: 1 }", "latencyMs: { 1: 2.0, 8: 3.5 }", "simulated.latencyMs.one", 5)]
    [InlineData("", "latencyMs: { 1: 2.0, 8: 3.5 }", "simulated.latencyMs", 2)]
    public void Mistake_in_a_simulated_profile_is_found(string wrong, string right, string key, int line)
    {
        using var folder = ConfigFolder.WithModel(ConfigFolder.Echo.Replace(right, wrong, StringComparison.Ordinal));

        var error = folder.OnlyError();

        Assert.Equal(("models[0]." + key, line), (error.Key, error.Line));
    }

    [Theory]
    [InlineData("runtime: onxn", "models[0].runtime", 1, "onnx")]
    [InlineData("runtime: onnx", "models[0].file", 1, "")]
    [InlineData("file: echo.onnx", "models[0].file", 1, "")]
    [InlineData("file: .", "models[0].file", 1, "")]
    [InlineData("file: model.yaml\nonnx:\n  provider: gpu", "models[0].onnx.provider", 3, "cpu")]
    [InlineData("file: model.yaml\nonnx:\n  level: onlyBasics", "models[0].onnx.level", 3, "onlyBasic")]
    [InlineData("file: model.yaml\nonnx:\n  intraOpThread: 2", "models[0].onnx.intraOpThread", 3, "intraOpThreads")]
    public void Mistake_in_a_runtime_is_found(string yaml, string key, int line, string meant)
    {
        using var folder = ConfigFolder.WithModel(yaml);

        var error = folder.OnlyError();

        Assert.Equal((key, line, meant), (error.Key, error.Line, error.Suggestion));
    }

    [Fact]
    public void All_errors_of_all_files_and_variables_come_at_once_in_the_order_of_reading()
    {
        using var folder = ConfigFolder.WithServer("server:\n  port: -1\n  adress: ::1\nmodels: [echo, gone, other]\n")
            .Write("other/model.yaml", "runtime: onnx\nversion: x\nfile: gone.onnx\n")
            .With("SPILLWAY__SERVER__DRAINMS", "soon");

        var errors = folder.Load().Errors;

        Assert.Equal(
            ["server.adress", "server.port", "server.drainMs", "models[1]", "models[2].version", "models[2].file"],
            errors.Select(e => e.Key));
    }

    [Fact]
    public void Served_and_deployment_names_are_unique_over_all_models()
    {
        using var folder = ConfigFolder.WithServer("models: [echo, b, c]")
            .Write("b/model.yaml", ConfigFolder.Echo + "\nserve:\n  fine: {}\n  echo: {}\n")
            .Write("c/model.yaml", ConfigFolder.Echo + "\nname: echo\n");

        var errors = folder.Load().Errors;

        Assert.Equal([("models[1].serve.echo", 8), ("models[2].name", 6)], errors.Select(e => (e.Key, e.Line)));
        Assert.Contains("models[0] serves the same name", errors[0].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_file_and_missing_model_folder_say_the_path_that_was_tried()
    {
        using var folder = ConfigFolder.WithServer("models: [nothing]").Write("nothing/readme.txt", "");
        Assert.Contains(folder.PathOf("nothing/model.yaml"), folder.OnlyError().Problem, StringComparison.Ordinal);

        var missing = ConfigLoader.Load(folder.PathOf("gone.yaml"), ConfigFolder.Runtimes, folder.Environment);
        Assert.Contains(folder.PathOf("gone.yaml"), Assert.Single(missing.Errors).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_files_are_refused_within_bounds()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 10; i++)
            bomb.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        var files = new (string Text, string Problem)[]
        {
            (bomb.ToString(), "aliases expanded"),
            (new string('[', 200_000), "deeper than 32"),
            (string.Concat(Enumerable.Repeat("{a: ", 10_000)), "deeper than 32"),
            (new string('#', ConfigText.FileBytesMax + 1), "larger than"),
        };
        foreach (var (text, problem) in files)
        {
            using var folder = ConfigFolder.WithServer(text);
            Assert.Contains(problem, folder.OnlyError().Problem, StringComparison.Ordinal);
        }

        using var many = ConfigFolder.WithServer(string.Concat(Enumerable.Range(0, 5000).Select(i => $"k{i}: 1\n")));
        Assert.Equal(ErrorList.ErrorsMax + 1, many.Load().Errors.Count);
    }

    [Fact]
    public void File_that_is_not_UTF8_is_refused_and_a_byte_order_mark_is_not()
    {
        using var folder = ConfigFolder.WithServer("");
        File.WriteAllBytes(folder.PathOf("spillway.yaml"), [.. "models: [echo] # "u8, 0xE4]);
        Assert.Contains("UTF-8", folder.OnlyError().Problem, StringComparison.Ordinal);

        File.WriteAllBytes(folder.PathOf("spillway.yaml"), [0xEF, 0xBB, 0xBF, .. "models: [echo]"u8]);
        folder.Valid();
    }

    [Fact]
    public void Text_for_a_terminal_has_place_key_value_problem_remedy_and_guess_and_no_control_characters()
    {
        using var folder = ConfigFolder.WithModel(
            ConfigFolder.Echo + "\noutputs: { \"ctx\\e[31m\": \"\\a\", ctv: 1 }\n");

        var text = ConfigErrorText.Format(folder.Load().Errors);

        Assert.Equal($"""
            {folder.PathOf("echo/model.yaml")}:6:12  models[0].outputs.ctx·[31m = ·
              The key is unknown.
              Known here: ctc, topK.

            {folder.PathOf("echo/model.yaml")}:6:31  models[0].outputs.ctv = 1
              The key is unknown.
              Known here: ctc, topK.
              Did you mean ctc?

            2 errors.

            """, text);
        Assert.DoesNotContain(text, c => char.IsControl(c) && c != '\n');
    }

    [Fact]
    public void Json_form_carries_every_field()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
            ConfigErrorText.WriteJson(json, [new("f", "k", 3, 4, "v", "p", "r", "s")]);

        Assert.Equal(
            """[{"severity":"error","file":"f","key":"k","line":3,"column":4"""
            + ""","value":"v","problem":"p","remedy":"r","suggestion":"s"}]""",
            Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
