using System.Globalization;

namespace Spillway.Config.Triton;

/// <summary>
/// The parameters of a config.pbtxt: those of Triton's ONNX Runtime backend, and "spillway.&lt;key&gt;" for every key
/// of model.yaml that config.pbtxt has no field for, its value in YAML.
/// </summary>
internal sealed class TritonParameters(
    string path, IReadOnlyDictionary<string, Type> runtimes, ErrorList errors, ErrorList notes)
{
    /// <summary>What a key of model.yaml begins with.</summary>
    public const string Prefix = "spillway.";

    private static readonly (string Key, string Option)[] s_threads =
        [("intra_op_thread_count", "intraOpThreads"), ("inter_op_thread_count", "interOpThreads")];

    private static readonly (string Key, string Option)[] s_switches =
        [("session.intra_op.allow_spinning", "spinning"), ("enable_mem_arena", "memoryArena")];

    private static readonly string[] s_idle =
    [
        "execution_mode", "enable_mem_pattern", "memory.enable_memory_arena_shrinkage",
        "session.inter_op.allow_spinning", "share_session_between_instances",
        "session.use_device_allocator_for_initializers", "session.disable_prepacking",
        "enable_global_threadpool",
    ];

    /// <summary>Every parameter.</summary>
    public void Map(ProtoMessage config, ModelTree tree)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in config.Messages("parameters"))
        {
            var name = entry.Text("key");
            var value = entry.Message("value")?.Scalar("string_value");
            var key = $"{path}.parameters.{name}";
            if (!seen.Add(name))
            {
                errors.Add(entry.Mark, key, "", "The parameter is given twice.", "Keep one of the two.");
                continue;
            }

            var mark = value?.Mark ?? entry.Mark;
            if (name.StartsWith(Prefix, StringComparison.Ordinal))
                Option(name[Prefix.Length..], value?.Text ?? "", mark, key, tree);
            else
                Backend(name, value?.Text ?? "", mark, key, tree);
        }
    }

    private void Backend(string name, string value, Mark mark, string key, ModelTree tree)
    {
        if (s_threads.FirstOrDefault(t => t.Key == name) is { Option: { } threads })
        {
            if (value == "0")
                notes.Add(mark, key, value,
                    "0 means all cores in Triton; here one run has one thread, and as many runs "
                    + "go on at once as the measured curve advises.", "Write a number above 0 to change that.");
            else
                tree.Plain(mark, value, "onnx", threads);
        }
        else if (s_switches.FirstOrDefault(s => s.Key == name) is { Option: { } flag })
        {
            tree.Plain(mark, value switch { "1" => "true", "0" => "false", _ => value }, "onnx", flag);
        }
        else if (s_idle.Contains(name))
        {
            notes.Add(mark, key, value, "ONNX Runtime's own setting holds here.", "Remove the parameter.");
        }
        else
        {
            var known = s_threads.Select(t => t.Key).Concat(s_switches.Select(s => s.Key)).Concat(s_idle);
            notes.Add(mark, key, value, "Nothing here reads this parameter.",
                $"Remove it; a key of model.yaml is written as {Prefix}<key>.", Suggestion.Nearest(name, known));
        }
    }

    private void Option(string option, string value, Mark mark, string key, ModelTree tree)
    {
        var segments = option.Split('.');
        var shape = Shape(segments);
        if (shape is null || shape.Kind is OptionKind.Text or OptionKind.Word)
        {
            // An unknown key goes the same way, so that the binder names it and suggests another.
            tree.Text(mark, value, segments);
            return;
        }

        var inner = new ErrorList();
        if (YamlReader.ReadText(value, mark.File, key, inner) is { } node)
        {
            tree.Set(ModelTree.Marked(node, mark), segments);
            return;
        }

        foreach (var error in inner.ToArray())
            errors.Add(mark, key, value, error.Problem, error.Remedy);
    }

    private OptionShape? Shape(string[] segments)
    {
        var shape = new OptionShape(OptionKind.Section, typeof(ModelOptions));
        for (var i = 0; i < segments.Length && shape is not null; i++)
        {
            shape = i == 0 && runtimes.TryGetValue(segments[0], out var options)
                ? new(OptionKind.Section, options)
                : shape.Kind == OptionKind.Section
                    ? OptionSet.Of(shape.Type).FirstOrDefault(m => m.Key == segments[i])?.Shape
                    : null;
        }

        return shape;
    }

    /// <summary>Milliseconds as microseconds, or null where they would lose digits.</summary>
    public static string? Microseconds(double milliseconds)
    {
        var micro = (decimal)milliseconds * 1000;
        return decimal.IsInteger(micro) ? decimal.Truncate(micro).ToString("0", CultureInfo.InvariantCulture) : null;
    }
}
