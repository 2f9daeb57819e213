using System.Collections.Frozen;
using Spillway.Flow;

namespace Spillway.Engine;

/// <summary>
/// What is served at one moment: doors by name and version. Immutable; a change makes another one, and a request looks
/// up in the one that it found.
/// </summary>
internal sealed class Catalogue
{
    /// <summary>Nothing.</summary>
    public static readonly Catalogue Empty = new([]);

    private readonly FrozenDictionary<string, Versions> _byName;
    private readonly FrozenDictionary<string, Versions>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    private Catalogue(IReadOnlyList<Door> doors)
    {
        Doors = doors;
        _byName = doors.GroupBy(d => d.Route.Model.Name, StringComparer.Ordinal)
            .ToFrozenDictionary(g => g.Key, g => new Versions([.. g.OrderByDescending(Number)]),
                StringComparer.Ordinal);
        _bySpan = _byName.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Every door, in the order in which they were added.</summary>
    public IReadOnlyList<Door> Doors { get; }

    /// <summary>
    /// The door of a version, or of the newest that answers when none is asked for; null when there is none.
    /// </summary>
    public Door? Find(ReadOnlySpan<char> name, ReadOnlySpan<char> version)
    {
        if (!_bySpan.TryGetValue(name, out var versions))
            return null;
        if (version.IsEmpty)
            return versions.Newest;
        foreach (var door in versions.All)
        {
            if (version.SequenceEqual(door.Route.Model.Version))
                return door;
        }

        return null;
    }

    /// <summary>The door that a configuration or a command names: "name", or "name/version" for one of them.</summary>
    public Door? Find(string reference) => reference.LastIndexOf('/') is >= 0 and var at
        ? Find(reference.AsSpan(0, at), reference.AsSpan(at + 1)) : Find(reference, default);

    /// <summary>The versions of a name, newest first; empty when there is none.</summary>
    public IReadOnlyList<Door> VersionsOf(ReadOnlySpan<char> name) =>
        _bySpan.TryGetValue(name, out var versions) ? versions.All : [];

    /// <summary>With these doors in place of those of the same names and versions.</summary>
    public Catalogue With(IReadOnlyList<Door> doors)
    {
        var replaced = doors.ToDictionary(d => d.Route.Model);
        var known = Doors.Select(d => d.Route.Model).ToHashSet();
        return new(
        [
            .. Doors.Select(d => replaced.GetValueOrDefault(d.Route.Model, d)),
            .. doors.Where(d => !known.Contains(d.Route.Model)),
        ]);
    }

    /// <summary>The same models with these routes over them, in place of those that were.</summary>
    public Catalogue Under(IReadOnlyList<Door> routes) =>
        routes.Count == 0 ? this : new([.. Doors.Where(d => d.Plan is null), .. routes]);

    /// <summary>Without these names and versions.</summary>
    public Catalogue Without(IEnumerable<ModelRef> models)
    {
        var gone = models.ToHashSet();
        return new([.. Doors.Where(d => !gone.Contains(d.Route.Model))]);
    }

    private static int Number(Door door) =>
        int.Parse(door.Route.Model.Version, System.Globalization.CultureInfo.InvariantCulture);

    private sealed class Versions(Door[] all)
    {
        public Door[] All { get; } = all;

        /// <summary>The newest that answers, or can be made to; else the newest.</summary>
        public Door Newest { get; } = all.FirstOrDefault(d => d.Route.State is RouteState.Ready)
            ?? all.FirstOrDefault(d => d.Route.State is RouteState.Absent) ?? all[0];
    }
}
