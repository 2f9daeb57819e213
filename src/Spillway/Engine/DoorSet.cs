using System.Globalization;
using Spillway.Config;
using Spillway.Engine.Doors;
using Spillway.Engine.Sequences;
using Spillway.Flow;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>The doors of a model version: one for each name that it is served under.</summary>
internal static class DoorSet
{
    /// <summary>
    /// The names and versions that a declaration is served under, each with what happens at its door.
    /// </summary>
    public static IReadOnlyList<(ModelRef Model, DoorOptions Door)> Names(ModelOptions options)
    {
        var version = options.Version.ToString(CultureInfo.InvariantCulture);
        return options.Serve.Count > 0
            ? [.. options.Serve.Select(s => (new ModelRef(s.Key, version), s.Value))]
            : [(new(options.Name, version), new())];
    }

    /// <summary>A door of it that leads nowhere.</summary>
    public static Door Closed(ModelOptions options, ModelRef model, RouteState state) => new(
        new(model, options.Name, state, "", options.Batching.QueueLengthMax), options);

    /// <summary>Doors that lead to a deployment; or why what happens at one of them does not fit the model.</summary>
    public static Outcome<IReadOnlyList<Door>> Open(
        ModelOptions options, IReadOnlyList<Door> closed, Deployment deployment, ILoadedModel model,
            IOutputStage? output, SequencePlan? sequences)
    {
        if (options.Expects.Mismatches(model.Signature) is [_, ..] unlike)
            return new Fault(FaultKind.LoadFailed, string.Join(" ", unlike));
        var inputs = Names(options).ToDictionary(n => n.Model, n => n.Door.Picture);
        List<Door> doors = [];
        foreach (var door in closed)
        {
            var input = inputs[door.Route.Model] is { } picture ? new PictureInput(picture) : null;
            if (!Door.Open(door, deployment, model.Signature, model.Traits, input, output, sequences)
                .TryGet(out var opened, out var fault))
                return fault;
            doors.Add(opened);
        }

        return doors;
    }
}
