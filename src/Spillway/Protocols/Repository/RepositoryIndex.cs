using System.Text.Json;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Repository;

/// <summary>One line of the index.</summary>
/// <param name="Name">Served name, or the folder's where nothing of it can be served.</param>
/// <param name="Version">Its version; empty where there is none.</param>
/// <param name="State">READY, LOADING, UNLOADING or UNAVAILABLE.</param>
/// <param name="Reason">Why it is not ready; empty when it is.</param>
internal readonly record struct IndexRow(string Name, string Version, string State, string Reason);

/// <summary>
/// The repository's index, the same for every protocol: each served name and version, and what is broken.
/// </summary>
internal static class RepositoryIndex
{
    /// <summary>Every version of every name, or those that answer now.</summary>
    public static IEnumerable<IndexRow> List(Serving serving, bool readyOnly)
    {
        var doors = serving.Doors;
        foreach (var door in doors)
        {
            var row = Row(serving, door);
            if (!readyOnly || (row.State == "READY" && !serving.Stopping))
                yield return row;
        }

        if (readyOnly || serving.Repository is not { } repository)
            yield break;
        var known = doors.Select(d => d.Route.Deployment).ToHashSet(StringComparer.Ordinal);
        foreach (var model in repository.View.Models.Where(m => m.Errors.Count > 0 && !known.Contains(m.Name)))
        {
            var error = model.Errors[0];
            yield return new(model.Name, "", "UNAVAILABLE", $"{error.Key}: {error.Problem} {error.Remedy}");
        }
    }

    /// <summary>As the REST protocols write it.</summary>
    public static void Write(Utf8JsonWriter json, IEnumerable<IndexRow> rows)
    {
        json.WriteStartArray();
        foreach (var row in rows)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, row.Name);
            if (row.Version.Length > 0)
                json.WriteString("version"u8, row.Version);
            json.WriteString("state"u8, row.State);
            json.WriteString("reason"u8, row.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static IndexRow Row(Serving serving, Door door)
    {
        var route = door.Route;
        var unloading = route.State is RouteState.Unloaded or RouteState.Absent
            && serving.Models.IsUnloading(route.Model);
        var reason = route.State switch
        {
            RouteState.Unloaded => unloading ? "what it holds is being answered" : "unloaded",
            RouteState.Absent => "loaded when it is first asked",
            RouteState.Ready or RouteState.Loading or RouteState.Failed => route.Why,
        };
        var state = unloading ? "UNLOADING" : MetadataEndpoints.State(route);
        return new(route.Model.Name, route.Model.Version, state, reason);
    }
}
