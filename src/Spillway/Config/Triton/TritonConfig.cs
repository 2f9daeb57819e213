namespace Spillway.Config.Triton;

/// <summary>Reads Triton's ModelConfig from its two text forms into one clean tree.</summary>
internal static class TritonConfig
{
    /// <summary>A config.pbtxt; null after an error that leaves nothing to look at.</summary>
    /// <param name="path">Path to open.</param>
    /// <param name="shown">Name in errors.</param>
    /// <param name="key">Key path of the model.</param>
    /// <param name="errors">Takes the errors.</param>
    public static ProtoMessage? ReadFile(string path, string shown, string key, ErrorList errors) =>
        ConfigText.ReadFile(path, shown, key, errors) is { } text ? ReadText(text, shown, key, errors) : null;

    /// <summary>The text of a config.pbtxt; null after an error that leaves nothing to look at.</summary>
    public static ProtoMessage? ReadText(string text, string shown, string key, ErrorList errors) =>
        ProtoText.Read(text, shown, key, errors) is { } message
            ? new ProtoCheck(json: false, errors).Clean(message, ProtoSchema.Root, key) : null;

    /// <summary>The JSON form; null after an error that leaves nothing to look at.</summary>
    public static ProtoMessage? ReadJson(string text, string shown, string key, ErrorList errors)
    {
        if (text.Length > ConfigText.FileBytesMax)
        {
            errors.Add(new(shown, 0, 0), key, "", $"The configuration is larger than {ConfigText.FileBytesMax} bytes.",
                "Send the model's configuration only.");
            return null;
        }

        return ProtoJson.Read(text, shown, key, errors) is { } message
            ? new ProtoCheck(json: true, errors).Clean(message, ProtoSchema.Root, key) : null;
    }

    /// <summary>
    /// One clean tree laid over another: messages are joined, parameters too by their key; any other list and every
    /// single value is replaced.
    /// </summary>
    public static ProtoMessage Merge(ProtoMessage under, ProtoMessage over)
    {
        var fields = under.Fields.ToList();
        foreach (var field in over.Fields)
        {
            var at = fields.FindIndex(f => f.Name == field.Name);
            if (at < 0)
                fields.Add(field);
            else
                fields[at] = field with { Value = Merge(field.Name, fields[at].Value, field.Value) };
        }

        return under with { Fields = fields };
    }

    private static ProtoValue Merge(string name, ProtoValue under, ProtoValue over) => (under, over) switch
    {
        // One policy replaces another.
        (ProtoMessage, ProtoMessage) when name == "version_policy" => over,
        (ProtoMessage first, ProtoMessage second) => Merge(first, second),
        (ProtoList first, ProtoList second) when name == "parameters" => second with
        {
            Items =
            [
                .. first.Items.Where(i => second.Items.All(o =>
                    ((ProtoMessage)o).Text("key") != ((ProtoMessage)i).Text("key"))),
                .. second.Items,
            ],
        },
        _ => over,
    };
}
