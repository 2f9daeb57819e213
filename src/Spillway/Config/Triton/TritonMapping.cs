using System.Globalization;

namespace Spillway.Config.Triton;

/// <summary>
/// What a config.pbtxt means as a model.yaml. Every field is mapped here, or named by <see cref="TritonGaps"/>; none is
/// ignored.
/// </summary>
/// <param name="path">Key path of the model in errors.</param>
/// <param name="runtimes">The options class of each runtime by its name.</param>
/// <param name="errors">Takes what cannot be served as written.</param>
/// <param name="notes">Takes what has no effect here and does no harm.</param>
internal sealed class TritonMapping(
    string path, IReadOnlyDictionary<string, Type> runtimes, ErrorList errors, ErrorList notes)
{
    /// <summary>
    /// Fields with an equivalent, by path in the schema; a message that is listed stands for all below it.
    /// </summary>
    public static IReadOnlyCollection<string> Mapped { get; } =
    [
        "name", "platform", "backend", "version_policy", "max_batch_size", "input.name", "input.data_type",
        "input.dims", "output.name", "output.data_type", "output.dims", "output.label_filename", "optimization.graph",
        "optimization.execution_accelerators.gpu_execution_accelerator.name",
        "optimization.execution_accelerators.cpu_execution_accelerator.name",
        "dynamic_batching.max_queue_delay_microseconds", "dynamic_batching.priority_levels",
        "dynamic_batching.default_priority_level", "dynamic_batching.default_queue_policy", "instance_group.kind",
        "instance_group.count", "instance_group.gpus", "default_model_filename", "parameters", "model_warmup",
        "sequence_batching",
    ];

    private static readonly (string Platform, string Runtime)[] s_platforms =
        [("onnxruntime_onnx", "onnx"), ("onnx_onnxv1", "onnx"), ("spillway_simulated", "simulated")];

    private static readonly (string Backend, string Runtime)[] s_backends =
        [("onnxruntime", "onnx"), ("spillway_simulated", "simulated")];

    /// <summary>The nodes of the equal model.yaml, from a clean tree.</summary>
    public ConfigMap Map(ProtoMessage config)
    {
        var tree = new ModelTree(config.Mark);
        TritonGaps.Report(config, ProtoSchema.Root, "", path, errors, notes);
        if (config.Scalar("name") is { Text.Length: > 0 } name)
            tree.Text(name.Mark, name.Text, "name");
        Runtime(config, tree);
        Versions(config, tree);
        if (config.Scalar("default_model_filename") is { Text.Length: > 0 } file)
            tree.Text(file.Mark, file.Text, "file");
        var rows = Rows(config, tree);
        var ports = new TritonPorts(path, errors, notes);
        ports.Expect(config, rows > 0, tree);
        new TritonScheduling(path, errors, notes).Map(config, tree);
        new TritonSequences(path, errors, notes).Map(config, rows > 0, tree);
        new TritonExecution(path, errors, notes).Map(config, tree);
        new TritonParameters(path, runtimes, errors, notes).Map(config, tree);
        ports.Warm(config, rows > 0, tree);
        return tree.Root;
    }

    private void Runtime(ProtoMessage config, ModelTree tree)
    {
        Word("platform", s_platforms);
        Word("backend", s_backends);

        void Word(string field, (string Word, string Runtime)[] known)
        {
            if (config.Scalar(field) is not { Text.Length: > 0 } written)
                return;
            if (known.FirstOrDefault(k => k.Word == written.Text) is { Runtime: { } runtime })
            {
                tree.Text(written.Mark, runtime, "runtime");
                return;
            }

            errors.Add(written.Mark, $"{path}.{field}", written.Text, "Spillway serves ONNX models here.",
                $"Export the model to ONNX and write {field}: \"{known[0].Word}\".",
                Suggestion.Nearest(written.Text, known.Select(k => k.Word)));
        }
    }

    private void Versions(ProtoMessage config, ModelTree tree)
    {
        if (config.Find("version_policy") is not { Value: ProtoMessage policy } field)
            return;
        if (policy.Fields.Count > 1)
        {
            errors.Add(policy.Fields[1].Mark, $"{path}.version_policy.{policy.Fields[1].Name}", "",
                $"Only one policy can hold; {policy.Fields[0].Name} stands before it.",
                "Keep one of latest, all and specific.");
            return;
        }

        if (policy.Message("latest") is { } latest)
        {
            var count = latest.Scalar("num_versions") is { Text: not "0" } written ? written : null;
            tree.Plain(count?.Mark ?? field.Mark, count?.Text ?? "1", "versions", "latest");
        }
        else if (policy.Find("all") is { } all)
        {
            tree.Plain(all.Mark, "true", "versions", "all");
        }
        else if (policy.Message("specific") is { } specific)
        {
            var items = specific.Items("versions").Cast<ProtoScalar>()
                .Select(v => new ConfigScalar(v.Mark, v.Text, Plain: true)).ToArray();
            if (items.Length == 0)
            {
                errors.Add(field.Mark, $"{path}.version_policy.specific", "", "No version is named.",
                    "Write specific { versions: [1, 3] }.");
                return;
            }

            tree.Set(new ConfigList(field.Mark, items, items.Length + 1), "versions", "only");
        }
    }

    /// <summary>
    /// max_batch_size; 0 also when it is absent beside declared shapes, as in Triton; -1 when nothing is said, so that
    /// the model itself says it.
    /// </summary>
    private int Rows(ProtoMessage config, ModelTree tree)
    {
        var written = config.Scalar("max_batch_size");
        var declared = config.Find("input") ?? config.Find("output");
        if (written is null && declared is null)
            return -1;
        written ??= new(declared!.Mark, ProtoForm.Number, "0");
        var (mark, rows) = (written.Mark, int.Parse(written.Text, CultureInfo.InvariantCulture));
        if (rows < 0)
        {
            errors.Add(mark, $"{path}.max_batch_size", written.Text, "A batch has no negative size.",
                "Write the most rows of one batch, or 0 for a model whose first dimension counts no rows.");
            return 0;
        }

        if (rows == 0 && TritonPorts.LooksBatched(config))
        {
            errors.Add(mark, $"{path}.max_batch_size", written.Text,
                "max_batch_size is 0 (as when it is absent), yet the first dimension of every input and output is "
                + "variable: Spillway takes such a dimension for rows.",
                "If it counts independent rows, set max_batch_size to the most rows of one batch and take the first -1 "
                + "out of all dims. Otherwise give the dimension a fixed size in the model.");
        }

        tree.Plain(mark, Math.Max(rows, 1).ToString(CultureInfo.InvariantCulture), "batching", "batchRowsMax");
        return rows;
    }
}
