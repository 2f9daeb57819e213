using System.Globalization;

namespace Spillway.Config.Triton;

/// <summary>What runs a model of a config.pbtxt, and how many runs go on at once.</summary>
internal sealed class TritonExecution(string path, ErrorList errors, ErrorList notes)
{
    private const string Auto = "KIND_AUTO";

    /// <summary>instance_group and optimization.</summary>
    public void Map(ProtoMessage config, ModelTree tree)
    {
        var kind = Instances(config, tree);
        if (config.Message("optimization") is not { } optimization)
            return;
        Graph(optimization, tree);
        if (optimization.Message("execution_accelerators") is { } accelerators)
            Accelerators(accelerators, kind, tree);
    }

    /// <summary>Maps all groups; gives their common kind.</summary>
    private string Instances(ProtoMessage config, ModelTree tree)
    {
        var groups = config.Messages("instance_group").ToArray();
        if (groups.Length == 0)
            return Auto;
        for (var i = 0; i < groups.Length; i++)
        {
            var key = $"{path}.instance_group[{i}]";
            Devices(groups[i], key);
            if (i > 0 && Kind(groups[i]) is var own && own.Text != Kind(groups[i - 1]).Text)
            {
                errors.Add(own.Mark, $"{key}.kind", own.Text,
                    $"A model runs on one kind of device; the group before it says {Kind(groups[i - 1]).Text}.",
                    "Keep one kind.");
            }

            if (groups[i].Scalar("kind") is { Text: Auto or "KIND_MODEL" } open)
            {
                notes.Add(open.Mark, $"{key}.kind", open.Text, "The device is not chosen by what is there: without "
                    + "KIND_GPU the model runs on the CPU.", "Write KIND_CPU or KIND_GPU.");
            }
        }

        Runners(groups, tree);
        var kind = Kind(groups[^1]);
        if (kind.Text is "KIND_CPU" or "KIND_GPU")
            tree.Text(kind.Mark, kind.Text == "KIND_GPU" ? "cuda" : "cpu", "onnx", "provider");
        return kind.Text;
    }

    /// <summary>The group's kind, at the group's place when it is not written.</summary>
    private static ProtoScalar Kind(ProtoMessage group) =>
        group.Scalar("kind") ?? new(group.Mark, ProtoForm.Word, Auto);

    private void Runners(ProtoMessage[] groups, ModelTree tree)
    {
        var (sum, at) = (0L, default(Mark));
        for (var i = 0; i < groups.Length; i++)
        {
            if (groups[i].Scalar("count") is not { Text: not "0" } count)
                continue;
            at = sum == 0 ? count.Mark : at;
            sum += Count(count, $"{path}.instance_group[{i}]");
        }

        if (sum == 0)
            return;
        var text = sum.ToString(CultureInfo.InvariantCulture);
        notes.Add(at, $"{path}.instance_group.count", text,
            "So many runs may go on at once; all share one copy of the weights.",
            "Without count the measured batch curve decides, which is usually better.");
        tree.Plain(at, text, "batching", "runners");
    }

    private long Count(ProtoScalar count, string key)
    {
        var number = long.Parse(count.Text, CultureInfo.InvariantCulture);
        if (number > 0)
            return number;
        errors.Add(count.Mark, $"{key}.count", count.Text, "The number of instances is negative.",
            "Remove the field; the measured batch curve decides.");
        return 0;
    }

    private void Devices(ProtoMessage group, string key)
    {
        foreach (var gpu in group.Items("gpus").Cast<ProtoScalar>().Where(g => g.Text != "0"))
        {
            errors.Add(gpu.Mark, $"{key}.gpus", gpu.Text, "A model runs on the first GPU that the process sees.",
                "Remove the field, and choose the GPU with CUDA_VISIBLE_DEVICES.");
        }
    }

    private void Graph(ProtoMessage optimization, ModelTree tree)
    {
        if (optimization.Message("graph")?.Scalar("level") is not { } level)
            return;
        var word = level.Text switch { "-1" => "basic", "0" => "all", "1" => "extended", _ => "" };
        if (word.Length > 0)
        {
            tree.Text(level.Mark, word, "onnx", "optimization");
            return;
        }

        errors.Add(level.Mark, $"{path}.optimization.graph.level", level.Text, "The level is unknown.",
            "Use -1 for basic, 1 for extended, or 0 for all optimizations.");
    }

    private void Accelerators(ProtoMessage accelerators, string kind, ModelTree tree)
    {
        foreach (var (field, idle) in ((string, string)[])
            [("gpu_execution_accelerator", "KIND_CPU"), ("cpu_execution_accelerator", "KIND_GPU")])
        {
            var listed = accelerators.Messages(field).ToArray();
            var key = $"{path}.optimization.execution_accelerators.{field}";
            if (listed.Length > 0 && kind == idle)
            {
                notes.Add(listed[0].Mark, key, listed[0].Text("name"), $"It does not apply to {kind}.",
                    "Remove the field.");
                continue;
            }

            if (listed.Length > 1)
            {
                errors.Add(listed[1].Mark, $"{key}[1]", listed[1].Text("name"),
                    "A model runs on one execution provider, and on the CPU what that one cannot do.", "Keep one.");
            }

            if (listed.Length > 0)
                Provider(listed[0], $"{key}[0]", tree);
        }
    }

    private void Provider(ProtoMessage accelerator, string key, ModelTree tree)
    {
        var name = accelerator.Scalar("name");
        if (name?.Text is "tensorrt" or "openvino" or "cuda" or "xnnpack")
        {
            tree.Text(name.Mark, name.Text, "onnx", "provider");
            return;
        }

        errors.Add(name?.Mark ?? accelerator.Mark, $"{key}.name", name?.Text ?? "",
            "No execution provider of ONNX Runtime is known by that name.",
            "Use tensorrt, openvino, cuda or xnnpack; the library must have been built with it.",
            Suggestion.Nearest(name?.Text ?? "", ["tensorrt", "openvino", "cuda", "xnnpack"]));
    }
}
