namespace Spillway.Config.Triton;

/// <summary>What a field holds.</summary>
internal enum ProtoType
{
    /// <summary>Text.</summary>
    Text,

    /// <summary>true or false.</summary>
    Bool,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number.</summary>
    Real,

    /// <summary>A member of an enum.</summary>
    Word,

    /// <summary>Fields of its own.</summary>
    Message,
}

/// <summary>One field that a message may have.</summary>
/// <param name="Name">In snake_case.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Of">Name of the message, or the enum's members separated by "|".</param>
/// <param name="Repeated">Several values; true for a map.</param>
/// <param name="Map">A list of key and value; <see cref="Of"/> is then the entry's message.</param>
/// <param name="Min">Smallest whole number.</param>
/// <param name="Max">Largest whole number.</param>
internal sealed record ProtoFieldSpec(
    string Name, ProtoType Type, string Of, bool Repeated, bool Map, decimal Min, decimal Max)
{
    /// <summary>The name in JSON: maxBatchSize.</summary>
    public string JsonName { get; } = string.Concat(Name.Split('_')
        .Select((word, i) => i == 0 || word.Length == 0 ? word : char.ToUpperInvariant(word[0]) + word[1..]));
}

/// <summary>
/// The fields of Triton's ModelConfig, from its public model_config.proto: names, types and nesting, so that a typing
/// mistake is told from a field that exists and is not supported. "*" repeats, "%" is a map from
/// text, "#" from whole numbers.
/// </summary>
internal static class ProtoSchema
{
    /// <summary>The message of a whole config.pbtxt.</summary>
    public const string Root = "ModelConfig";

    private const string DataType = "enum(TYPE_INVALID|TYPE_BOOL|TYPE_UINT8|TYPE_UINT16|TYPE_UINT32|TYPE_UINT64|"
        + "TYPE_INT8|TYPE_INT16|TYPE_INT32|TYPE_INT64|TYPE_FP16|TYPE_FP32|TYPE_FP64|TYPE_STRING|TYPE_BF16)";

    private static readonly Dictionary<string, IReadOnlyList<ProtoFieldSpec>> s_messages = Parse("""
        ModelConfig: name=string platform=string backend=string runtime=string version_policy=VersionPolicy
          max_batch_size=int32 input*=Input output*=Output batch_input*=BatchInput batch_output*=BatchOutput
          optimization=Optimization dynamic_batching=DynamicBatching sequence_batching=SequenceBatching
          ensemble_scheduling=Ensembling instance_group*=InstanceGroup default_model_filename=string
          cc_model_filenames%=string metric_tags%=string parameters%=Parameter model_warmup*=Warmup
          model_operations=Operations model_transaction_policy=TransactionPolicy
          model_repository_agents=RepositoryAgents response_cache=ResponseCache model_metrics=Metrics
        RateLimiter: resources*=Resource priority=uint32
        Resource: name=string global=bool count=uint32
        InstanceGroup: name=string kind=enum(KIND_AUTO|KIND_GPU|KIND_CPU|KIND_MODEL) count=int32
          rate_limiter=RateLimiter gpus*=int32 secondary_devices*=SecondaryDevice profile*=string passive=bool
          host_policy=string
        SecondaryDevice: kind=enum(KIND_NVDLA) device_id=int64
        Reshape: shape*=int64
        Input: name=string data_type=DATATYPE format=enum(FORMAT_NONE|FORMAT_NHWC|FORMAT_NCHW) dims*=int64
          reshape=Reshape is_shape_tensor=bool allow_ragged_batch=bool optional=bool is_non_linear_format_io=bool
        Output: name=string data_type=DATATYPE dims*=int64 reshape=Reshape label_filename=string is_shape_tensor=bool
          is_non_linear_format_io=bool
        BatchInput: kind=enum(BATCH_ELEMENT_COUNT|BATCH_ACCUMULATED_ELEMENT_COUNT|
          BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO|BATCH_MAX_ELEMENT_COUNT_AS_SHAPE|BATCH_ITEM_SHAPE|
          BATCH_ITEM_SHAPE_FLATTEN) target_name*=string data_type=DATATYPE source_input*=string
        BatchOutput: target_name*=string kind=enum(BATCH_SCATTER_WITH_INPUT_SHAPE) source_input*=string
        VersionPolicy: latest=Latest all=All specific=Specific
        Latest: num_versions=uint32
        All:
        Specific: versions*=int64
        Optimization: graph=Graph priority=enum(PRIORITY_DEFAULT|PRIORITY_MAX|PRIORITY_MIN) cuda=Cuda
          execution_accelerators=Accelerators input_pinned_memory=PinnedMemory output_pinned_memory=PinnedMemory
          gather_kernel_buffer_threshold=uint32 eager_batching=bool
        Graph: level=int32
        Cuda: graphs=bool busy_wait_events=bool graph_spec*=GraphSpec output_copy_stream=bool
        GraphSpec: batch_size=int32 input%=GraphShape graph_lower_bound=LowerBound
        LowerBound: batch_size=int32 input%=GraphShape
        GraphShape: dim*=int64
        Accelerators: gpu_execution_accelerator*=Accelerator cpu_execution_accelerator*=Accelerator
        Accelerator: name=string parameters%=string
        PinnedMemory: enable=bool
        DynamicBatching: preferred_batch_size*=int32 max_queue_delay_microseconds=uint64 preserve_ordering=bool
          priority_levels=uint64 default_priority_level=uint64 default_queue_policy=QueuePolicy
          priority_queue_policy#=QueuePolicy
        QueuePolicy: timeout_action=enum(REJECT|DELAY) default_timeout_microseconds=uint64
          allow_timeout_override=bool max_queue_size=uint32
        SequenceBatching: direct=Direct oldest=Oldest max_sequence_idle_microseconds=uint64
          control_input*=ControlInput state*=State iterative_sequence=bool
        Direct: max_queue_delay_microseconds=uint64 minimum_slot_utilization=float
        Oldest: max_candidate_sequences=int32 preferred_batch_size*=int32 max_queue_delay_microseconds=uint64
          preserve_ordering=bool
        ControlInput: name=string control*=Control
        Control: kind=enum(CONTROL_SEQUENCE_START|CONTROL_SEQUENCE_READY|CONTROL_SEQUENCE_END|CONTROL_SEQUENCE_CORRID)
          int32_false_true*=int32 fp32_false_true*=float bool_false_true*=bool data_type=DATATYPE
        State: input_name=string output_name=string data_type=DATATYPE dims*=int64 initial_state*=InitialState
          use_same_buffer_for_input_output=bool use_growable_memory=bool
        InitialState: data_type=DATATYPE dims*=int64 zero_data=bool data_file=string name=string
        Ensembling: step*=Step max_inflight_responses=uint32
        Step: model_name=string model_version=int64 input_map%=string output_map%=string model_namespace=string
        Parameter: string_value=string
        Warmup: name=string batch_size=uint32 inputs%=WarmupInput count=uint32
        WarmupInput: data_type=DATATYPE dims*=int64 zero_data=bool random_data=bool input_data_file=string
        Operations: op_library_filename*=string
        TransactionPolicy: decoupled=bool
        RepositoryAgents: agents*=Agent
        Agent: name=string parameters%=string
        ResponseCache: enable=bool
        Metrics: metric_control*=MetricControl
        MetricControl: metric_identifier=MetricIdentifier histogram_options=HistogramOptions
        MetricIdentifier: family=string
        HistogramOptions: buckets*=double
        """);

    /// <summary>The fields of a message.</summary>
    public static IReadOnlyList<ProtoFieldSpec> Of(string message) => s_messages[message];

    /// <summary>"input.dims" of every field below a message, in the order of the schema.</summary>
    public static IEnumerable<string> Paths(string message = Root) => Of(message).SelectMany(field =>
        field.Type == ProtoType.Message
            ? Paths(field.Of).Select(inner => $"{field.Name}.{inner}").Prepend(field.Name) : [field.Name]);

    private static Dictionary<string, IReadOnlyList<ProtoFieldSpec>> Parse(string table)
    {
        var messages = new Dictionary<string, IReadOnlyList<ProtoFieldSpec>>(StringComparer.Ordinal);
        var joined = table.ReplaceLineEndings("\n").Replace("|\n  ", "|", StringComparison.Ordinal)
            .Replace("\n  ", " ", StringComparison.Ordinal);
        foreach (var line in joined.Split('\n'))
        {
            var parts = line.Split(':', 2);
            messages[parts[0]] = [.. parts[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(field => Field(field, messages))];
        }

        return messages;
    }

    private static ProtoFieldSpec Field(string text, Dictionary<string, IReadOnlyList<ProtoFieldSpec>> messages)
    {
        var (left, type) = (text.Split('=')[0], text.Split('=')[1].Replace("DATATYPE", DataType,
            StringComparison.Ordinal));
        var name = left.TrimEnd('*', '%', '#');
        if (left[^1] is not ('%' or '#'))
            return Plain(name, type, left.EndsWith('*'));
        var (entry, key) = left.EndsWith('#') ? ($"{type}ByNumber", "uint64") : ($"{type}ByText", "string");
        messages[entry] = [Plain("key", key, repeated: false), Plain("value", type, repeated: false)];
        return new(name, ProtoType.Message, entry, Repeated: true, Map: true, 0, 0);
    }

    private static ProtoFieldSpec Plain(string name, string type, bool repeated)
    {
        var (kind, of, min, max) = type switch
        {
            "string" => (ProtoType.Text, "", 0m, 0m),
            "bool" => (ProtoType.Bool, "", 0m, 0m),
            "int32" => (ProtoType.Whole, "", int.MinValue, int.MaxValue),
            "uint32" => (ProtoType.Whole, "", 0m, uint.MaxValue),
            "int64" => (ProtoType.Whole, "", long.MinValue, long.MaxValue),
            "uint64" => (ProtoType.Whole, "", 0m, ulong.MaxValue),
            "float" or "double" => (ProtoType.Real, "", 0m, 0m),
            _ when type.StartsWith("enum(", StringComparison.Ordinal) => (ProtoType.Word, type[5..^1], 0m, 0m),
            _ => (ProtoType.Message, type, 0m, 0m),
        };
        return new(name, kind, of, repeated, Map: false, min, max);
    }
}
