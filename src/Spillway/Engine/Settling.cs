using Spillway.Config.Repository;

namespace Spillway.Engine;

/// <summary>
/// Keeps models out of a look at the repository while their files still change: half a copy is neither loaded nor does
/// it take the place of what serves. A version is settled when the look before saw the same files, sizes and times, or
/// when its newest file is older than that look, as of a folder that was moved in. One owner.
/// </summary>
internal sealed class Settling
{
    /// <summary>Clocks of file systems tick slowly, some every second.</summary>
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(1);

    private RepositoryView? _before;
    private DateTimeOffset _at;
    private HashSet<string> _held = [];

    /// <summary>Models that the last look held back.</summary>
    public IReadOnlySet<string> Held => _held;

    /// <summary>The folder was read: what of it counts.</summary>
    /// <param name="served">What is served.</param>
    /// <param name="fresh">What was read.</param>
    /// <param name="began">When reading began.</param>
    /// <param name="isPatient">
    /// Whether anything is held back; not at the start, and not when somebody asks for what is there now.
    /// </param>
    /// <returns>With held models as they are served, or without them.</returns>
    public RepositoryView Look(RepositoryView served, RepositoryView fresh, DateTimeOffset began, bool isPatient)
    {
        HashSet<string> held = isPatient && _before is not null
            ? [.. fresh.Models.Where(m => m.Versions.Any(v => !IsSettled(served, m.Name, v))).Select(m => m.Name)]
            : [];
        (_before, _at, _held) = (fresh, began, held);
        return held.Count == 0 ? fresh : fresh with
        {
            Models =
            [
                .. fresh.Models.Where(m => !held.Contains(m.Name) || served.Find(m.Name) is not null)
                    .Select(m => held.Contains(m.Name) ? m with { Versions = served.Find(m.Name)!.Versions } : m),
            ],
        };
    }

    private bool IsSettled(RepositoryView served, string model, RepositoryVersion version) =>
        IsSame(served, model, version) || IsSame(_before!, model, version)
            || version.ChangedUtc < (_at - s_tick).UtcDateTime;

    private static bool IsSame(RepositoryView view, string model, RepositoryVersion version) =>
        view.Find(model)?.Versions.Any(v => v.Number == version.Number && v.Fingerprint == version.Fingerprint) is true;
}
