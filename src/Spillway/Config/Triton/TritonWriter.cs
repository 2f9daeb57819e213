using System.Globalization;

namespace Spillway.Config.Triton;

/// <summary>
/// A model version as Triton's ModelConfig. What has a field there is written as that field, everything else that is
/// not at its default as a parameter "spillway.&lt;key&gt;", so that reading it back gives the same options.
/// </summary>
/// <param name="model">The options, with paths relative to the model's folder.</param>
/// <param name="isFree">True when the version comes from the configuration and not from a folder.</param>
internal sealed class TritonWriter(ModelOptions model, bool isFree)
{
    private static readonly Mark s_nowhere = new("", 0, 0);

    private readonly List<ProtoField> _fields = [];
    private readonly List<ProtoValue> _parameters = [];
    private readonly HashSet<string> _written =
        ["name", "version", "runtime", "file", "versions", "expects", "labels", "batching.priorityLevels",
            "batching.queueLengthMax"];

    /// <summary>The whole configuration.</summary>
    public ProtoMessage Message()
    {
        Add(_fields, "name", Text(model.Name));
        Runtime();
        Versions();
        if (model.File is not ("" or "model.onnx"))
            Add(_fields, "default_model_filename", Text(model.File));
        var batched = Ports(model.Expects.Inputs).Concat(Ports(model.Expects.Outputs)).All(p => p.Dims is ["-1", ..]);
        Add(_fields, "max_batch_size", Whole(batched ? model.Batching.BatchRowsMax : 0));
        if (batched || model.Batching.BatchRowsMax == 1)
            _written.Add("batching.batchRowsMax");
        else if (_written.Add("batching.batchRowsMax"))
            Parameter("spillway.batching.batchRowsMax", model.Batching.BatchRowsMax.ToString(CultureInfo.InvariantCulture));
        Sides(batched);
        Batching();
        Execution();
        if (isFree && model.Version != 1)
            Parameter("spillway.version", model.Version.ToString(CultureInfo.InvariantCulture));
        if (IsServedAsItself())
            _written.Add("serve");
        Rest(model, "");
        if (model.RuntimeOptions is { } runtime)
            Rest(runtime, model.Runtime + ".");
        if (_parameters.Count > 0)
            _fields.Add(new(s_nowhere, "parameters", new ProtoList(s_nowhere, _parameters)));
        return new(s_nowhere, _fields);
    }

    private bool IsServedAsItself() => model.Serve.Count == 1
        && model.Serve.TryGetValue(model.Name, out var door) && door == new DoorOptions();

    private void Runtime()
    {
        var platform = model.Runtime switch
        {
            "onnx" => "onnxruntime_onnx",
            "simulated" => "spillway_simulated",
            _ => "",
        };
        if (platform.Length > 0)
            Add(_fields, "platform", Text(platform));
        else
            _written.Remove("runtime");
    }

    private void Versions()
    {
        var (all, only, latest) = (model.Versions.All, model.Versions.Only, model.Versions.Latest);
        if (!all && only.Count == 0 && latest == 1)
            return;
        var choice = all ? new ProtoField(s_nowhere, "all", new ProtoMessage(s_nowhere, []))
            : only.Count > 0 ? Inner("specific", "versions", List(only.Select(v => Whole(v))))
            : Inner("latest", "num_versions", Whole(latest));
        _fields.Add(new(s_nowhere, "version_policy", new ProtoMessage(s_nowhere, [choice])));
    }

    private static IEnumerable<(string Name, string Type, string[] Dims)> Ports(
        IReadOnlyDictionary<string, string> declared) => declared.Select(p =>
        {
            var open = p.Value.IndexOf('[', StringComparison.Ordinal);
            var dims = p.Value[(open + 1)..].TrimEnd(']', ' ')
                .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return (p.Key, p.Value[..open].Trim(), dims);
        });

    private void Sides(bool batched)
    {
        Side("input", model.Expects.Inputs, new Dictionary<string, string>());
        Side("output", model.Expects.Outputs, model.Labels);

        void Side(string name, IReadOnlyDictionary<string, string> declared, IReadOnlyDictionary<string, string> labels)
        {
            var ports = new List<ProtoValue>();
            foreach (var (port, type, dims) in Ports(declared))
            {
                var fields = new List<ProtoField>();
                Add(fields, "name", Text(port));
                Add(fields, "data_type", new ProtoScalar(s_nowhere, ProtoForm.Word, TritonPorts.TypeName(type)));
                Add(fields, "dims", List(dims.Skip(batched ? 1 : 0)
                    .Select(d => new ProtoScalar(s_nowhere, ProtoForm.Number, d))));
                if (labels.TryGetValue(port, out var file))
                    Add(fields, "label_filename", Text(file));
                ports.Add(new ProtoMessage(s_nowhere, fields));
            }

            foreach (var (port, file) in labels.Where(l => !declared.ContainsKey(l.Key)))
            {
                var fields = new List<ProtoField>();
                Add(fields, "name", Text(port));
                Add(fields, "label_filename", Text(file));
                ports.Add(new ProtoMessage(s_nowhere, fields));
            }

            if (ports.Count > 0)
                Add(_fields, name, new ProtoList(s_nowhere, ports));
        }
    }

    private void Batching()
    {
        var (batching, policy) = (new List<ProtoField>(), new List<ProtoField>());
        if (TritonParameters.Microseconds(model.Batching.BatchWaitMs) is { } wait)
        {
            _written.Add("batching.batchWaitMs");
            Add(batching, "max_queue_delay_microseconds", new ProtoScalar(s_nowhere, ProtoForm.Number, wait));
        }

        Add(batching, "priority_levels", Whole(model.Batching.PriorityLevels));
        var deadline = model.Deadline;
        if (deadline.FixedMs > 0 && deadline.FixedMs.Equals(deadline.MaxMs)
            && TritonParameters.Microseconds(deadline.FixedMs) is { } timeout)
        {
            _written.UnionWith(["deadline.fixedMs", "deadline.maxMs"]);
            Add(policy, "default_timeout_microseconds", new ProtoScalar(s_nowhere, ProtoForm.Number, timeout));
        }

        Add(policy, "max_queue_size", Whole(model.Batching.QueueLengthMax));
        Add(batching, "default_queue_policy", new ProtoMessage(s_nowhere, policy));
        Add(_fields, "dynamic_batching", new ProtoMessage(s_nowhere, batching));
    }

    private void Execution()
    {
        var group = new List<ProtoField>();
        if (model.Batching.Runners > 0)
        {
            _written.Add("batching.runners");
            Add(group, "count", Whole(model.Batching.Runners));
        }

        if (Runtime("provider") is "cpu" or "cuda")
        {
            _written.Add("onnx.provider");
            var kind = Runtime("provider") == "cuda" ? "KIND_GPU" : "KIND_CPU";
            Add(group, "kind", new ProtoScalar(s_nowhere, ProtoForm.Word, kind));
        }

        if (group.Count > 0)
            Add(_fields, "instance_group", new ProtoList(s_nowhere, [new ProtoMessage(s_nowhere, group)]));
        if (Runtime("optimization") is "basic" or "extended")
        {
            _written.Add("onnx.optimization");
            var graph = Inner("graph", "level", Whole(Runtime("optimization") == "basic" ? -1 : 1));
            Add(_fields, "optimization", new ProtoMessage(s_nowhere, [graph]));
        }

        foreach (var (key, option) in ((string, string)[])
            [("intra_op_thread_count", "intraOpThreads"), ("inter_op_thread_count", "interOpThreads")])
        {
            if (Runtime(option) is not ("" or "1"))
                Parameter(key, Runtime(option));
            _written.Add($"onnx.{option}");
        }
    }

    /// <summary>An option of the onnx runtime as text; empty for other runtimes.</summary>
    private string Runtime(string key) => model is { Runtime: "onnx", RuntimeOptions: { } options }
        ? OptionText.Value(
            OptionSet.Of(options.GetType()).FirstOrDefault(m => m.Key == key)?.Property.GetValue(options))
        : "";

    /// <summary>Whatever has no field of its own and is not at its default.</summary>
    private void Rest(object section, string path)
    {
        foreach (var member in OptionSet.Of(section.GetType()))
        {
            var key = path + member.Key;
            if (_written.Contains(key) || member.Property.GetValue(section) is not { } value)
                continue;
            if (member.Shape.Kind == OptionKind.Section && member.Default is not null)
            {
                Rest(value, key + ".");
                continue;
            }

            var text = Text(value, member.Shape);
            if (member.Default is null || text != Text(member.Default, member.Shape))
                Parameter(TritonParameters.Prefix + key, text);
        }
    }

    private static string Text(object value, OptionShape shape) =>
        value is string or Enum ? OptionText.Value(value) : FlowText.Of(value, shape);

    private void Parameter(string key, string value)
    {
        var entry = new List<ProtoField>();
        Add(entry, "key", Text(key));
        entry.Add(Inner("value", "string_value", Text(value)));
        _parameters.Add(new ProtoMessage(s_nowhere, entry));
    }

    private static void Add(List<ProtoField> fields, string name, ProtoValue value) =>
        fields.Add(new(s_nowhere, name, value));

    private static ProtoField Inner(string name, string field, ProtoValue value) =>
        new(s_nowhere, name, new ProtoMessage(s_nowhere, [new(s_nowhere, field, value)]));

    private static ProtoScalar Text(string text) => new(s_nowhere, ProtoForm.Text, text);

    private static ProtoScalar Whole(long number) =>
        new(s_nowhere, ProtoForm.Number, number.ToString(CultureInfo.InvariantCulture));

    private static ProtoList List(IEnumerable<ProtoValue> items) => new(s_nowhere, [.. items]);
}
