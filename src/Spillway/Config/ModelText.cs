using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Spillway.Config.Repository;
using Spillway.Config.Triton;

namespace Spillway.Config;

/// <summary>
/// The effective configuration of one model version, every default filled in, in each form that can be read back.
/// </summary>
public sealed class ModelText
{
    private readonly ModelOptions _model;
    private readonly bool _isFree;
    private readonly bool _isVersioned;

    /// <summary>Takes a model version.</summary>
    /// <param name="model">Its validated options.</param>
    /// <param name="repository">Its folder in a repository; null for a model that spillway.yaml lists.</param>
    public ModelText(ModelOptions model, RepositoryModel? repository)
    {
        _isVersioned = repository is not null;
        _isFree = repository is { Found.Count: 0 };
        var folder = repository?.Folder ?? Path.GetDirectoryName(model.Source) ?? "";
        var version = model.Version.ToString(CultureInfo.InvariantCulture);
        _model = model with
        {
            File = Below(_isVersioned ? Path.Combine(folder, version) : folder, model.File),
            Labels = model.Labels.ToDictionary(l => l.Key, l => Below(folder, l.Value)),
            Outputs = model.Outputs with
            {
                Ctc = model.Outputs.Ctc is { } ctc ? ctc with { Labels = Below(folder, ctc.Labels) } : null,
                TopK = model.Outputs.TopK is { } top ? top with { Labels = Below(folder, top.Labels) } : null,
            },
        };
    }

    /// <summary>As a model.yaml, ending with a line break.</summary>
    public string Yaml()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {_model.Name}, version {_model.Version}: every key in effect.\n");
        Section(text, _model, 0, Skip);
        if (_model.RuntimeOptions is { } runtime)
        {
            text.Append($"{_model.Runtime}:\n");
            Section(text, runtime, 2, _ => false);
        }

        return text.ToString();
    }

    /// <summary>As a config.pbtxt, ending with a line break.</summary>
    public string Pbtxt() => ProtoWriter.Text(Tree());

    /// <summary>As Triton's ModelConfig in JSON, fit for the parameter config of a load request.</summary>
    public void WriteTritonJson(Utf8JsonWriter json) => ProtoWriter.Json(json, Tree());

    private ProtoMessage Tree() => new TritonWriter(_model, _isFree).Message();

    /// <summary>Keys that would be refused when they are read back, or say nothing.</summary>
    private bool Skip(string key) => key switch
    {
        "version" => _isVersioned && !_isFree,
        "versions" => !_isVersioned,
        "file" => _model.File.Length == 0,
        _ => false,
    };

    private static string Below(string folder, string path)
    {
        if (path.Length == 0 || folder.Length == 0)
            return path;
        var relative = Path.GetRelativePath(folder, path);
        return Path.IsPathRooted(relative) || relative.Split(Path.DirectorySeparatorChar)[0] == ".." ? path : relative;
    }

    private static void Section(StringBuilder text, object section, int indent, Func<string, bool> skip)
    {
        foreach (var member in OptionSet.Of(section.GetType()))
        {
            if (member.Property.GetValue(section) is { } value && !skip(member.Key))
                Entry(text, member.Key, value, member.Shape, indent);
        }
    }

    private static void Entry(StringBuilder text, string key, object value, OptionShape shape, int indent)
    {
        text.Append(' ', indent).Append(FlowText.Word(key)).Append(':');
        switch (shape.Kind)
        {
            case OptionKind.Section when OptionSet.Of(shape.Type).Any(m => m.Property.GetValue(value) is not null):
                text.Append('\n');
                Section(text, value, indent + 2, _ => false);
                break;
            case OptionKind.Map when ((IEnumerable)value).Cast<object>().Any():
                text.Append('\n');
                foreach (var pair in (IEnumerable)value)
                {
                    var type = pair.GetType();
                    var name = Convert.ToString(type.GetProperty("Key")!.GetValue(pair), CultureInfo.InvariantCulture)!;
                    var isNumber = shape.Key == typeof(int);
                    Entry(text, name, type.GetProperty("Value")!.GetValue(pair)!, shape.Element!, indent + 2, isNumber);
                }

                break;
            default:
                text.Append(' ').Append(value is string word ? FlowText.Word(word) : FlowText.Of(value, shape))
                    .Append('\n');
                break;
        }
    }

    private static void Entry(StringBuilder text, string key, object value, OptionShape shape, int indent,
        bool isNumber)
    {
        if (isNumber)
            text.Append(' ', indent).Append(key).Append(": ").Append(FlowText.Of(value, shape)).Append('\n');
        else
            Entry(text, key, value, shape, indent);
    }
}
