using Spillway.Engine;
using Spillway.Engine.Rollout;

namespace Spillway.Protocols;

/// <summary>From a name on the wire to what is served under it.</summary>
internal static class ModelLookup
{
    private const int NamesShownMax = 20;
    private const int NameShownMax = 100;

    /// <summary>The door of a name and version; the text of the fault is the one that clients look for.</summary>
    /// <param name="serving">Everything served.</param>
    /// <param name="model">The served name.</param>
    /// <param name="version">The version; empty for the model's own choice.</param>
    public static Outcome<Door> Find(Serving serving, ReadOnlySpan<char> model, ReadOnlySpan<char> version)
    {
        if (serving.Find(model, version) is { } door)
            return door;
        var versions = serving.VersionsOf(model);
        if (versions.Count == 0)
        {
            var known = string.Join(
                ", ", serving.Doors.Select(d => d.Route.Model.Name).Distinct().Take(NamesShownMax));
            return new Fault(
                FaultKind.UnknownModel,
                $"Request for unknown model: '{Short(model)}' is not found. Served here: {known}.");
        }

        var others = string.Join(", ", versions.Take(NamesShownMax).Select(d => d.Route.Model.Version));
        return new Fault(
            FaultKind.UnknownModel,
            $"Request for unknown model: '{versions[0].Route.Model.Name}' version {Short(version)} is not found. "
            + $"Served here: version {others}{Sides(serving, versions[0])}.");
    }

    private static string Sides(Serving serving, Door door) =>
        door.Plan is { } plan && serving.Rollouts.Find(plan.Name) is not null
            ? $", {Rollouts.Champion}, {Rollouts.Challenger} where there is one" : "";

    private static string Short(ReadOnlySpan<char> text) =>
        text.Length > NameShownMax ? $"{text[..NameShownMax]}…" : text.ToString();
}
