using Spillway.Config;

namespace Spillway.Planner.Language;

/// <summary>A file of accelerators and models that whoever plans owns.</summary>
public sealed record LanguageCatalogue
{
    /// <summary>The devices.</summary>
    [Option("The devices.")]
    public IReadOnlyList<Accelerator> Accelerators { get; init; } = [];

    /// <summary>The models.</summary>
    [Option("The models.")]
    public IReadOnlyList<LanguageShape> Models { get; init; } = [];

    /// <summary>Reads a file's text; every mistake in it is listed in the fault, with its line.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="file">Its name in errors.</param>
    public static Outcome<LanguageCatalogue> Read(string yaml, string file)
    {
        var errors = new ErrorList();
        var binder = new OptionBinder(errors);
        var catalogue = YamlReader.ReadText(yaml, file, "", errors) is { } node
            ? (LanguageCatalogue)binder.Section(typeof(LanguageCatalogue), node, "", new(file, 1, 1)) : new();
        Twice(binder, "accelerators", [.. catalogue.Accelerators.Select(one => one.Name)]);
        Twice(binder, "models", [.. catalogue.Models.Select(one => one.Name)]);
        return errors.Count > 0 ? Fault.Invalid(ConfigErrorText.Format(errors.ToArray())) : catalogue;
    }

    /// <summary>A device by its name, or a fault with the known ones.</summary>
    public Outcome<Accelerator> Accelerator(string name) =>
        Find(Accelerators, name, one => one.Name, "accelerator");

    /// <summary>A model by its name, or a fault with the known ones.</summary>
    public Outcome<LanguageShape> Model(string name) => Find(Models, name, one => one.Name, "language model");

    private static Outcome<T> Find<T>(IReadOnlyList<T> all, string name, Func<T, string> nameOf, string what)
        where T : class
    {
        if (all.FirstOrDefault(one => nameOf(one).Equals(name, StringComparison.OrdinalIgnoreCase)) is { } found)
            return found;
        var near = Suggestion.Nearest(name, all.Select(nameOf));
        return Fault.Invalid($"No {what} is called '{ErrorList.Clean(name)}'. Known: "
            + $"{string.Join(", ", all.Select(nameOf))}." + (near.Length > 0 ? $" Did you mean {near}?" : ""));
    }

    private static void Twice(OptionBinder binder, string list, List<string> names)
    {
        for (var at = 0; at < names.Count; at++)
        {
            if (names[at].Length > 0 && names.IndexOf(names[at]) < at)
                binder.Report($"{list}[{at}].name", names[at], "The name is used twice.", "Rename one of them.");
        }
    }
}
