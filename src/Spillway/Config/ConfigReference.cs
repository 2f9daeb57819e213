using System.Text;

namespace Spillway.Config;

/// <summary>The reference page of every option, made from the options classes.</summary>
public static class ConfigReference
{
    private const string Intro = """
        # Configuration

        Generated from the options classes; run the tests with `SPILLWAY_UPDATE_DOCS=1` to write it anew.

        A server reads one `spillway.yaml`, which names a folder for each model, or a repository of models; each model's
        folder holds a `model.yaml`, in a repository also a Triton `config.pbtxt` or nothing.
        `spillway check <config>` lists everything that is wrong at once: file, line, column, key, value, the limit, and
        what to do. Editors complete and check both files with
        [spillway.schema.json](spillway.schema.json) and [model.schema.json](model.schema.json): put
        `# yaml-language-server: $schema=<path to the schema>` in the first line.

        **Paths** are relative to the file that holds them. `npm:<package>/<file>` is a file of a package that
        `npm ci` installed in `native/`: it is looked for in the folder that `SPILLWAY_NATIVE` names, then in
        `native/node_modules` beside or above the configuration, then beside or above the application.

        **Environment variables** override files. They begin with `SPILLWAY__`; two underscores separate the parts, case
        does not matter, and a dash or a dot in a name may be written as one underscore:
        `SPILLWAY__SERVER__PORT=8080`, `SPILLWAY__MODELS__LINE_OCR__BATCHING__QUEUELENGTHMAX=64`. The part after
        `MODELS` is the deployment's name as its file says. Values are YAML, so lists and sections can be given whole:
        `SPILLWAY__MODELS__LINE_OCR__TYPICAL='{ x: [1, 3, 48, 640] }'`. A variable with that prefix that names nothing
        is an error.

        **Bounds.** A file has at most 1 MiB, 50,000 values (aliases expanded) and a nesting of 32. Anchors and aliases
        work; tags, merge keys (`<<`), duplicate keys and a second document are errors.


        """;

    /// <summary>The page in Markdown.</summary>
    /// <param name="runtimeOptions">The options class of each runtime by its name.</param>
    public static string Write(IReadOnlyDictionary<string, Type> runtimeOptions)
    {
        var page = new StringBuilder(Intro.ReplaceLineEndings("\n"));
        page.Append("## spillway.yaml\n\n");
        Section(page, typeof(SpillwayOptions), "", "SPILLWAY__", 2);
        page.Append("## model.yaml\n\n");
        Section(page, typeof(ModelOptions), "", "SPILLWAY__MODELS__<NAME>__", 2);
        foreach (var (name, type) in runtimeOptions)
        {
            page.Append($"### {name}\n\nThe section of a model whose `runtime` is `{name}`.\n\n");
            Section(page, type, name, $"SPILLWAY__MODELS__<NAME>__{name.ToUpperInvariant()}__", 3);
        }

        return page.ToString().TrimEnd('\n') + "\n";
    }

    private static void Section(StringBuilder page, Type type, string path, string variable, int depth)
    {
        var members = OptionSet.Of(type);
        page.Append("| key | type | unit | default | range | what it does | where the default comes from |\n");
        page.Append("|---|---|---|---|---|---|---|\n");
        foreach (var member in members)
            Row(page, member, OptionBinder.Join(path, member.Key));
        page.Append($"\nEnvironment: `{variable}<KEY>`, as in `{variable}{members[0].Key.ToUpperInvariant()}`.\n\n");

        foreach (var member in members)
        {
            var isMap = member.Shape.Kind == OptionKind.Map;
            if ((isMap ? member.Shape.Element! : member.Shape) is not { Kind: OptionKind.Section } inner)
                continue;
            var key = OptionBinder.Join(path, member.Key) + (isMap ? ".<name>" : "");
            page.Append('#', Math.Min(depth + 1, 6)).Append($" {Cell(key)}\n\n{member.Option.Description}\n\n");
            var next = $"{variable}{member.Key.ToUpperInvariant()}__{(isMap ? "<NAME>__" : "")}";
            Section(page, inner.Type, key, next, depth + 1);
        }
    }

    private static void Row(StringBuilder page, OptionMember member, string key)
    {
        var option = member.Option;
        var words = OptionSet.Words(member.Shape, option);
        var range = words.Count > 0
            ? string.Join(", ", words.Select(w => $"`{w}`"))
            : OptionText.RangeText(member.Shape, option).Replace("any", "", StringComparison.Ordinal);
        string[] cells =
        [
            $"`{key}`",
            OptionText.TypeName(member.Shape, option),
            option.Unit,
            option.Required ? "required" : Default(member),
            range,
            Cell(option.Description),
            Cell(option.Source),
        ];
        page.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    private static string Default(OptionMember member)
    {
        var text = OptionText.Value(member.Default);
        return text.Length > 0 ? $"`{text}`" : "";
    }

    private static string Cell(string text) =>
        text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
