namespace Spillway.Config.Triton;

/// <summary>A field of config.pbtxt that has no equivalent here.</summary>
/// <param name="Refused">
/// True when leaving it out would change answers, refuse valid requests or weaken safety: then it is an error.
/// Otherwise it is a note: a hint that Spillway does not need, or a wish that costs only speed.
/// </param>
/// <param name="Problem">What happens without it.</param>
/// <param name="Remedy">What to use instead.</param>
internal sealed record TritonGap(bool Refused, string Problem, string Remedy);

/// <summary>
/// Every field that is known and not mapped, with what happens and what to use instead. With
/// <see cref="TritonMapping.Mapped"/> it covers the whole schema: a test holds that nothing is ignored.
/// </summary>
internal static class TritonGaps
{
    private const string Own = "Remove the field.";

    /// <summary>By path in the schema; an entry speaks for everything below it.</summary>
    public static IReadOnlyDictionary<string, TritonGap> ByPath { get; } = new Dictionary<string, TritonGap>
    {
        ["runtime"] = new(true, "It names a backend library to load, which a model's configuration may not do here.",
            "Remove the field; SPILLWAY_ORT_LIB names the library for the whole server."),
        ["batch_input"] = new(true, "Inputs that the server computes from a batch are not supported.",
            "Compute the input in the client, or inside the model."),
        ["batch_output"] = new(true, "Outputs that the server scatters over a batch are not supported.",
            "Let the model give one row for each row of its inputs."),
        ["input.format"] = new(false, "The format is only a remark: tensors are passed on as they come.", Own),
        ["input.reshape"] = new(true, "Shapes are not changed on the way to the model.",
            "Give dims as the model itself has them, and send that shape."),
        ["input.is_shape_tensor"] = new(true, "Shape tensors exist only in TensorRT's own engines.", Own),
        ["input.allow_ragged_batch"] = new(true,
            "Rows of unequal length are never joined end to end: the model would see another shape.",
            "Remove the field; requests of equal shape run together."),
        ["input.optional"] = new(true, "Every input must be sent; a request without it is refused.",
            "Give the input a default inside the model, or send it always and remove the field."),
        ["input.is_non_linear_format_io"] = new(true, "Such layouts exist only in TensorRT's own engines.", Own),
        ["output.reshape"] = new(true, "Shapes are not changed on the way from the model.",
            "Give dims as the model itself has them."),
        ["output.is_shape_tensor"] = new(true, "Shape tensors exist only in TensorRT's own engines.", Own),
        ["output.is_non_linear_format_io"] = new(true, "Such layouts exist only in TensorRT's own engines.", Own),
        ["optimization.priority"] = new(false, "Only Triton's TensorRT backend reads it.", Own),
        ["optimization.cuda"] = new(false, "Only Triton's TensorRT backend reads it.", Own),
        ["optimization.input_pinned_memory"] = new(false, "Pinned memory is ONNX Runtime's business here.", Own),
        ["optimization.output_pinned_memory"] = new(false, "Pinned memory is ONNX Runtime's business here.", Own),
        ["optimization.gather_kernel_buffer_threshold"] = new(false, "Only Triton's TensorRT backend reads it.", Own),
        ["optimization.eager_batching"] = new(false, "Only Triton's TensorRT backend reads it.", Own),
        ["optimization.execution_accelerators.gpu_execution_accelerator.parameters"] = new(true,
            "Parameters of an execution provider are not passed on; some of them change results.",
            "Remove them; the provider's defaults hold."),
        ["optimization.execution_accelerators.cpu_execution_accelerator.parameters"] = new(true,
            "Parameters of an execution provider are not passed on; some of them change results.",
            "Remove them; the provider's defaults hold."),
        ["dynamic_batching.preferred_batch_size"] = new(false,
            "The batch sizes that pay are measured when the model loads, so a preferred size is not needed.",
            "Remove the field; max_batch_size is the upper limit."),
        ["dynamic_batching.preserve_ordering"] = new(false,
            "Answers are not held back to keep the order of arrival: each belongs to its own request by id.",
            "Remove the field; a client that needs an order waits for one answer before it asks again."),
        ["dynamic_batching.priority_queue_policy"] = new(true, "All priority levels share one queue and its limits.",
            "Put the limits into default_queue_policy."),
        ["ensemble_scheduling"] = new(true, "Ensembles are not supported.",
            "Join the steps into one ONNX model, or call the models one after the other."),
        ["instance_group.name"] = new(false, "Instances have no names here.", Own),
        ["instance_group.rate_limiter"] = new(false,
            "Resources are not counted here, as they are not in Triton without --rate-limit.", Own),
        ["instance_group.secondary_devices"] = new(true, "There are no secondary devices here.", Own),
        ["instance_group.profile"] = new(true, "Profiles exist only in TensorRT's own engines.", Own),
        ["instance_group.passive"] = new(true, "An instance without requests has no use here.",
            "Remove the group, or the field."),
        ["instance_group.host_policy"] = new(false, "Host policies do not exist here.",
            "Pin the whole process with numactl or taskset."),
        ["cc_model_filenames"] = new(true, "The file is not chosen by the kind of GPU.",
            "Name the one file in default_model_filename."),
        ["metric_tags"] = new(false, "Metrics carry the model's name and version only.",
            "Add labels where the metrics are scraped."),
        ["model_operations"] = new(true,
            "Libraries of custom operators are native code, which a model's configuration may not load here.",
            "Express the operators in standard ONNX."),
        ["model_transaction_policy.decoupled"] = new(true, "Every request has exactly one answer here.",
            "Use a model that gives one answer for one request."),
        ["model_repository_agents"] = new(true, "Agents are not run, so that what they check would go unchecked.",
            "Check or decrypt the files before they come into the repository."),
        ["response_cache.enable"] = new(false, "Answers are not cached: each request runs.", Own),
        ["model_metrics"] = new(false, "Histograms have fixed buckets; docs/reference/metrics.md lists them.", Own),
    };

    /// <summary>Reports every gap in a clean tree.</summary>
    public static void Report(ProtoMessage message, string type, string schemaPath, string keyPath, ErrorList errors,
        ErrorList notes)
    {
        foreach (var field in message.Fields)
        {
            var spec = ProtoSchema.Of(type).First(s => s.Name == field.Name);
            var (path, key) = (OptionBinder.Join(schemaPath, field.Name), OptionBinder.Join(keyPath, field.Name));
            if (ByPath.TryGetValue(path, out var gap))
            {
                if (!IsUsual(field.Value))
                {
                    (gap.Refused ? errors : notes).Add(field.Mark, key, (field.Value as ProtoScalar)?.Text ?? "",
                        gap.Problem, gap.Remedy);
                }
            }
            else if (spec.Type == ProtoType.Message)
            {
                Below(field.Value, spec, path, key, errors, notes);
            }
        }
    }

    private static void Below(ProtoValue value, ProtoFieldSpec spec, string path, string key, ErrorList errors,
        ErrorList notes)
    {
        if (value is ProtoMessage inner)
        {
            Report(inner, spec.Of, path, key, errors, notes);
        }
        else if (value is ProtoList list)
        {
            for (var i = 0; i < list.Items.Count; i++)
                Report((ProtoMessage)list.Items[i], spec.Of, path, $"{key}[{i}]", errors, notes);
        }
    }

    /// <summary>What a field holds that is not set: writing it changes nothing.</summary>
    private static bool IsUsual(ProtoValue value) => value switch
    {
        ProtoScalar { Text: "" or "false" or "0" or "FORMAT_NONE" or "PRIORITY_DEFAULT" } => true,
        ProtoList { Items.Count: 0 } => true,
        ProtoMessage or ProtoList or ProtoScalar or _ => false,
    };
}
