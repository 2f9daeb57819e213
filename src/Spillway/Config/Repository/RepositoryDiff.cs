namespace Spillway.Config.Repository;

/// <summary>One model version that comes, changes or goes.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Version">Its version.</param>
/// <param name="Options">The options to load; of a removed version those that it was loaded with.</param>
public sealed record RepositoryChange(string Model, int Version, ModelOptions Options);

/// <summary>
/// What must be done so that what is served follows the repository. Pure; each list is ordered by name and version. To
/// serve without a gap, load <see cref="Added"/> and <see cref="Changed"/> first and drain <see cref="Removed"/> last.
/// A model with errors loses nothing: its old versions stay until it is mended or its folder is gone.
/// </summary>
public sealed record RepositoryDiff
{
    /// <summary>Versions to load.</summary>
    public required IReadOnlyList<RepositoryChange> Added { get; init; }

    /// <summary>Versions to load anew, in place of the old ones.</summary>
    public required IReadOnlyList<RepositoryChange> Changed { get; init; }

    /// <summary>Versions to drain and unload.</summary>
    public required IReadOnlyList<RepositoryChange> Removed { get; init; }

    /// <summary>Models whose errors are new, to be logged once.</summary>
    public required IReadOnlyList<RepositoryModel> Refused { get; init; }

    /// <summary>
    /// What is served once the changes are made; the old view of the next comparison. The new view alone would not do:
    /// it lacks the versions that a model with errors keeps.
    /// </summary>
    public required RepositoryView Next { get; init; }

    /// <summary>True when there is nothing to load or unload.</summary>
    public bool IsEmpty => Added.Count + Changed.Count + Removed.Count == 0;

    /// <summary>Compares.</summary>
    /// <param name="old">What is served: <see cref="Next"/> of the last comparison, at first an empty view.</param>
    /// <param name="fresh">What was read.</param>
    public static RepositoryDiff Between(RepositoryView old, RepositoryView fresh)
    {
        var next = fresh with
        {
            Models =
            [
                .. fresh.Models.Select(m => Keep(old.Find(m.Name), m))
                    .Concat(fresh.IsComplete ? [] : old.Models.Where(m => fresh.Find(m.Name) is null))
                    .OrderBy(m => m.Name, StringComparer.Ordinal),
            ],
        };
        var (before, after) = (Versions(old), Versions(next));
        return new()
        {
            Added = List(after.Where(v => !before.ContainsKey(v.Key))),
            Changed = List(after.Where(v => before.TryGetValue(v.Key, out var was)
                && was.Fingerprint != v.Value.Fingerprint)),
            Removed = List(before.Where(v => !after.ContainsKey(v.Key))),
            Refused =
            [
                .. fresh.Models.Where(m => m.Errors.Count > 0
                    && !m.Errors.SequenceEqual(old.Find(m.Name)?.Errors ?? [])),
            ],
            Next = next,
        };
    }

    private static RepositoryModel Keep(RepositoryModel? old, RepositoryModel fresh) =>
        old is null || fresh.Errors.Count == 0 ? fresh : fresh with
        {
            Versions =
            [
                .. fresh.Versions.Concat(old.Versions.Where(o => fresh.Versions.All(f => f.Number != o.Number)))
                    .OrderBy(v => v.Number),
            ],
        };

    private static Dictionary<(string Model, int Version), RepositoryVersion> Versions(RepositoryView view) =>
        view.Models.SelectMany(m => m.Versions, (m, v) => (m.Name, Version: v))
            .ToDictionary(p => (p.Name, p.Version.Number), p => p.Version);

    private static RepositoryChange[] List(
        IEnumerable<KeyValuePair<(string Model, int Version), RepositoryVersion>> versions) =>
    [
        .. versions.OrderBy(v => v.Key.Model, StringComparer.Ordinal).ThenBy(v => v.Key.Version)
            .Select(v => new RepositoryChange(v.Key.Model, v.Key.Version, v.Value.Options)),
    ];
}
