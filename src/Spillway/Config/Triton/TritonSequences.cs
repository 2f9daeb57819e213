namespace Spillway.Config.Triton;

/// <summary>
/// sequence_batching of a config.pbtxt: states that the server keeps, the inputs that tell where a request stands, and
/// how long a sequence may be idle.
/// </summary>
internal sealed class TritonSequences(string path, ErrorList errors, ErrorList notes)
{
    private static readonly (string Kind, string Key)[] s_controls =
    [
        ("CONTROL_SEQUENCE_START", "start"), ("CONTROL_SEQUENCE_END", "end"), ("CONTROL_SEQUENCE_READY", "ready"),
        ("CONTROL_SEQUENCE_CORRID", "id"),
    ];

    private readonly string _key = $"{path}.sequence_batching";

    /// <summary>Maps the section, when there is one.</summary>
    public void Map(ProtoMessage config, bool batched, ModelTree tree)
    {
        if (config.Find("sequence_batching") is not { Value: ProtoMessage section } field)
            return;
        var states = section.Messages("state").ToArray();
        if (states.Length == 0)
        {
            errors.Add(field.Mark, _key, "", "Without a state that the server keeps, a sequence carries nothing over.",
                "Declare state { input_name output_name }, or keep the state in the client: send it as an input with "
                + "each request, and remove the field.");
            return;
        }

        if (section.Scalar("max_sequence_idle_microseconds") is { Text: not "0" } idle)
            tree.Plain(idle.Mark, TritonScheduling.Milliseconds(idle.Text), "sequences", "idleMs");
        if (section.Scalar("iterative_sequence") is { Text: "true" } iterative)
        {
            errors.Add(iterative.Mark, $"{_key}.iterative_sequence", iterative.Text,
                "A request is not run again by itself.", "Send the next request of the sequence from the client.");
        }

        Strategy(section, tree);
        ConfigNode[] items = [.. states.Select((state, i) => State(state, $"{_key}.state[{i}]", batched))];
        tree.Set(new ConfigList(states[0].Mark, items, items.Length + 1), "sequences", "state");
        var inputs = section.Messages("control_input").ToArray();
        for (var i = 0; i < inputs.Length; i++)
            Control(inputs[i], $"{_key}.control_input[{i}]", tree);
    }

    private void Strategy(ProtoMessage section, ModelTree tree)
    {
        foreach (var name in (string[])["direct", "oldest"])
        {
            if (section.Find(name) is not { Value: ProtoMessage strategy } field)
                continue;
            if (strategy.Scalar("max_candidate_sequences") is { Text: not "0" } most)
                tree.Plain(most.Mark, most.Text, "sequences", "sequencesMax");
            foreach (var other in strategy.Fields.Where(f => f.Name != "max_candidate_sequences"))
            {
                notes.Add(other.Mark, $"{_key}.{name}.{other.Name}", (other.Value as ProtoScalar)?.Text ?? "",
                    "Requests of different sequences run together as soon as a runner is free.", "Remove the field.");
            }

            if (strategy.Fields.Count == 0)
            {
                notes.Add(field.Mark, $"{_key}.{name}", "",
                    "Sequences have no fixed place in a batch here: states follow their requests.",
                    "Remove the field.");
            }
        }
    }

    private ConfigMap State(ProtoMessage state, string key, bool batched)
    {
        var map = ConfigMap.Empty(state.Mark);
        foreach (var (name, to) in ((string, string)[])[("input_name", "input"), ("output_name", "output")])
        {
            if (state.Scalar(name) is { Text.Length: > 0 } text)
                map = map.With(to, new ConfigScalar(text.Mark, text.Text, Plain: false));
            else
            {
                errors.Add(state.Mark, $"{key}.{name}", "", "The name is missing.",
                    $"Write {name}, as the model has it.");
                // Told once: the key is not missing again below.
                map = map.With(to, new ConfigScalar(state.Mark, "", Plain: false));
            }
        }

        var dims = state.Items("dims").Cast<ProtoScalar>().ToArray();
        if (dims.Length > 0 && dims.All(d => !d.Text.StartsWith('-')))
        {
            var shape = dims.Select(d => new ConfigScalar(d.Mark, d.Text, Plain: true));
            if (batched)
                shape = shape.Prepend(new(dims[0].Mark, "1", Plain: true));
            ConfigNode[] items = [.. shape];
            map = map.With("shape", new ConfigList(dims[0].Mark, items, items.Length + 1));
        }

        if (state.Scalar("data_type") is { Text: not "TYPE_INVALID" } type)
        {
            notes.Add(type.Mark, $"{key}.data_type", type.Text, "The model itself says the type of its state.",
                "Remove the field.");
        }

        Refuse(state, key);
        return map;
    }

    private void Refuse(ProtoMessage state, string key)
    {
        foreach (var (initial, i) in state.Messages("initial_state").Select((s, i) => (s, i)))
        {
            if (initial.Scalar("data_file") is { } file)
            {
                errors.Add(file.Mark, $"{key}.initial_state[{i}].data_file", file.Text, "Every state begins as zeros.",
                    "Write zero_data: true, and let the model make its first state from CONTROL_SEQUENCE_START.");
            }
            else
            {
                notes.Add(initial.Mark, $"{key}.initial_state[{i}]", initial.Text("name"),
                    "Every state begins as zeros.", "Remove the field.");
            }
        }

        if (state.Scalar("use_growable_memory") is { Text: "true" } grows)
        {
            errors.Add(grows.Mark, $"{key}.use_growable_memory", grows.Text, "A state keeps its size.",
                "Use a state of fixed shape.");
        }

        if (state.Scalar("use_same_buffer_for_input_output") is { } same)
        {
            notes.Add(same.Mark, $"{key}.use_same_buffer_for_input_output", same.Text,
                "A state has two buffers while a request runs: one that fails leaves the state as it was.",
                "Remove the field.");
        }
    }

    private void Control(ProtoMessage input, string key, ModelTree tree)
    {
        var controls = input.Messages("control").ToArray();
        if (input.Scalar("name") is not { Text.Length: > 0 } name || controls.Length != 1)
        {
            errors.Add(input.Mark, key, input.Text("name"), "A control input has a name and one control.",
                "Write name: \"…\" and control { kind: CONTROL_SEQUENCE_START … }.");
            return;
        }

        var kind = controls[0].Text("kind");
        var to = s_controls.FirstOrDefault(c => c.Kind == (kind.Length > 0 ? kind : s_controls[0].Kind)).Key;
        if (to is null || tree.Has("sequences", "controls", to))
        {
            errors.Add(input.Mark, $"{key}.control[0].kind", kind, "The control is given twice or unknown.",
                "Keep one.");
            return;
        }

        tree.Text(name.Mark, name.Text, "sequences", "controls", to);
        foreach (var values in (string[])["int32_false_true", "fp32_false_true", "bool_false_true"])
        {
            var given = controls[0].Items(values).Cast<ProtoScalar>().ToArray();
            if (given.Length > 0 && given is not [{ Text: "0" or "0.0" or "false" }, { Text: "1" or "1.0" or "true" }])
            {
                errors.Add(given[0].Mark, $"{key}.control[0].{values}", string.Join(", ", given.Select(g => g.Text)),
                    "A control is 0 for false and 1 for true.", $"Write {values}: [ 0, 1 ].");
            }
        }

        if (controls[0].Scalar("data_type") is { Text: not "TYPE_INVALID" } type)
        {
            notes.Add(type.Mark, $"{key}.control[0].data_type", type.Text, "The model itself says the type.",
                "Remove the field.");
        }
    }
}
