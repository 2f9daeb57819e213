using System.Globalization;

namespace Spillway.Config.Triton;

/// <summary>Inputs, outputs, labels and warm-up samples of a config.pbtxt.</summary>
internal sealed class TritonPorts(string path, ErrorList errors, ErrorList notes)
{
    /// <summary>The protocol's name of a data type: TYPE_STRING is BYTES, others lose their prefix.</summary>
    public static string WireName(string type) => type == "TYPE_STRING" ? "BYTES" : type["TYPE_".Length..];

    /// <summary>The data type of a protocol name.</summary>
    public static string TypeName(string wire) => wire == "BYTES" ? "TYPE_STRING" : "TYPE_" + wire;

    /// <summary>True when shapes are declared for inputs and outputs and all begin with a variable dimension.</summary>
    public static bool LooksBatched(ProtoMessage config)
    {
        var (inputs, outputs) = (config.Messages("input").ToArray(), config.Messages("output").ToArray());
        return inputs.Length > 0 && outputs.Length > 0
            && inputs.Concat(outputs).All(p => p.Items("dims") is [ProtoScalar { Text: "-1" }, ..]);
    }

    /// <summary>What the model must have, checked once it is loaded; and the labels of outputs.</summary>
    public void Expect(ProtoMessage config, bool batched, ModelTree tree)
    {
        foreach (var side in (string[])["input", "output"])
        {
            var ports = config.Messages(side).ToArray();
            for (var i = 0; i < ports.Length; i++)
                Port(ports[i], $"{path}.{side}[{i}]", side + "s", batched, tree);
        }
    }

    /// <summary>
    /// The first warm-up sample that has fixed shapes says what an ordinary request looks like: the batch curve, which
    /// warms the model, is measured there.
    /// </summary>
    public void Warm(ProtoMessage config, bool batched, ModelTree tree)
    {
        if (config.Find("model_warmup") is not { } field)
            return;
        var samples = config.Messages("model_warmup").ToArray();
        for (var i = 0; i < samples.Length; i++)
        {
            var used = !tree.Has("typical") && Typical(samples[i], batched, tree);
            notes.Add(samples[i].Mark, $"{path}.model_warmup[{i}]", samples[i].Text("name"), used
                ? "Its shapes are those at which the model is warmed, with data of Spillway's own, while the batch "
                + "curve is measured."
                : "The sample is not sent: the model is warmed while its batch curve is measured.",
                used ? "Nothing to do; data, batch size and count are not needed."
                : "Remove it. typical in a model.yaml says at which shapes the model is warmed.");
        }

        if (samples.Length == 0)
            notes.Add(field.Mark, $"{path}.model_warmup", "", "There is no sample in it.", "Remove the field.");
    }

    private void Port(ProtoMessage port, string key, string side, bool batched, ModelTree tree)
    {
        if (port.Scalar("name") is not { Text.Length: > 0 } name)
        {
            errors.Add(port.Mark, $"{key}.name", "", "The name is missing.", "Write name: \"…\", as the model has it.");
            return;
        }

        if (tree.Has("expects", side, name.Text))
        {
            errors.Add(name.Mark, $"{key}.name", name.Text, "The name is given twice.", "Keep one of the two.");
            return;
        }

        // Without a type or a shape there is nothing to hold against the model, which says both itself.
        if (port.Scalar("data_type") is { Text: not "TYPE_INVALID" } type && port.Find("dims") is { } dims)
        {
            var sizes = port.Items("dims").Cast<ProtoScalar>().Select(d => d.Text);
            var shape = string.Join(',', batched ? sizes.Prepend("-1") : sizes);
            tree.Text(dims.Mark, $"{WireName(type.Text)} [{shape}]", "expects", side, name.Text);
        }

        if (port.Scalar("label_filename") is { Text.Length: > 0 } labels)
            tree.Text(labels.Mark, labels.Text, "labels", name.Text);
    }

    private static bool Typical(ProtoMessage sample, bool batched, ModelTree tree)
    {
        var inputs = sample.Messages("inputs").ToArray();
        var fit = inputs.Length > 0 && inputs.All(i => i.Message("value") is { } value && value.Items("dims")
            .Cast<ProtoScalar>().All(d => long.Parse(d.Text, CultureInfo.InvariantCulture) > 0)
            && (batched || value.Items("dims") is [ProtoScalar { Text: "1" }, ..]));
        if (!fit)
            return false;
        foreach (var input in inputs)
        {
            var value = input.Message("value")!;
            var dims = value.Items("dims").Cast<ProtoScalar>()
                .Select(d => new ConfigScalar(d.Mark, d.Text, Plain: true));
            if (batched)
                dims = dims.Prepend(new(value.Mark, "1", Plain: true));
            ConfigNode[] items = [.. dims];
            tree.Set(new ConfigList(value.Mark, items, items.Length + 1), "typical", input.Text("key"));
        }

        return true;
    }
}
