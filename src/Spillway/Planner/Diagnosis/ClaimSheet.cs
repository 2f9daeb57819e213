using Spillway.Config;

namespace Spillway.Planner.Diagnosis;

/// <summary>A sheet of claims about systems, and what cannot be right in it.</summary>
public sealed class ClaimSheet
{
    private readonly ClaimOptions _options;

    private ClaimSheet(ClaimOptions options) => _options = options;

    /// <summary>Reads a sheet; every mistake in it is listed in the fault, with its line.</summary>
    /// <param name="yaml">The text.</param>
    /// <param name="file">Its name in errors.</param>
    public static Outcome<ClaimSheet> Read(string yaml, string file)
    {
        var errors = new ErrorList();
        var binder = new OptionBinder(errors);
        var options = YamlReader.ReadText(yaml, file, "", errors) is { } node
            ? (ClaimOptions)binder.Section(typeof(ClaimOptions), node, "", new(file, 1, 1)) : new();
        for (var at = 0; at < options.Systems.Count; at++)
        {
            if (options.Systems[at].From is { Length: > 0 } from && options.Systems.All(system => system.Name != from))
                binder.Report($"systems[{at}].from", from, "No system has this name.",
                    "Name one of this file.", Suggestion.Nearest(from, options.Systems.Select(system => system.Name)));
        }

        return errors.Count > 0 ? Fault.Invalid(ConfigErrorText.Format(errors.ToArray())) : new ClaimSheet(options);
    }

    /// <summary>What cannot be right, what is not said, and what follows.</summary>
    public DiagnosisReport Audit()
    {
        var say = new Sentences();
        var systems = new SystemClaims(_options, say);
        systems.Run();
        new CostClaims(_options, say).Run();
        new WorldClaims(_options, say).Run();
        var contradictions = say.Lines.Count(line => line.Kind is DiagnosisKind.Contradiction);
        say.Say(DiagnosisKind.Bottleneck, $"{contradictions} of the claims cannot be right as they stand.");
        return new("", say.Lines);
    }
}
