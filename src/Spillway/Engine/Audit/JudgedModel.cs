using Spillway.Store.Provenance;

namespace Spillway.Engine.Audit;

/// <summary>
/// A model that may be loaded, and how its files were when they were hashed: the runtime opens them again, and what it
/// loaded counts only when they were the same all the time. One owner.
/// </summary>
/// <param name="name">The deployment's name.</param>
/// <param name="provenance">Where it comes from.</param>
/// <param name="files">As they were before they were hashed; null when nobody asked.</param>
/// <param name="demanded">Whether it must be signed.</param>
internal sealed class JudgedModel(string name, ModelProvenance provenance, FilesAsFound? files, bool demanded)
{
    /// <summary>Nobody asked.</summary>
    public static JudgedModel Unknown => new("", ModelProvenance.Unknown, files: null, demanded: false);

    /// <summary>Where it comes from.</summary>
    public ModelProvenance Provenance => provenance;

    /// <summary>Whether <see cref="Changed"/> found that its files changed.</summary>
    public bool HasChanged { get; private set; }

    /// <summary>
    /// To be asked when it is loaded, before it runs: null when what was loaded is what was hashed. Where the runtime
    /// has stamps they must be equal; else everything is hashed again, which does not see a change that was taken back.
    /// </summary>
    public Fault? Changed()
    {
        if (provenance.Digest.Length == 0 || IsSame())
            return null;
        HasChanged = true;
        return new(FaultKind.LoadFailed, $"the files of {name}, or the folders that hold them, changed while they were "
            + "loaded, so that what was loaded may not be what was hashed. Load it again when nobody writes there");
    }

    /// <summary>
    /// Folders change when anything is created or renamed in them, and only where a signature is demanded may nobody
    /// have put another folder in their place for a moment.
    /// </summary>
    private bool IsSame()
    {
        if (files!.Stamp is not { } stamp || (demanded && stamp.Folders is null))
            return files.Digest() == provenance.Digest;
        var now = files.StampNow;
        return now?.Files == stamp.Files && (!demanded || now.Folders == stamp.Folders);
    }
}
