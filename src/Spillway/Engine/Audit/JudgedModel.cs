using Spillway.Runtimes;
using Spillway.Store.Provenance;

namespace Spillway.Engine.Audit;

/// <summary>
/// A model that may be loaded, and how its files were when they were hashed: the runtime opens them again, and what it
/// loaded counts only when they were the same all the time. One owner.
/// </summary>
internal sealed class JudgedModel(
    string name, ModelProvenance provenance, IRuntime? runtime, IReadOnlyList<string> files, string? stamp)
{
    /// <summary>Nobody asked.</summary>
    public static JudgedModel Unknown => new("", ModelProvenance.Unknown, runtime: null, [], stamp: null);

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

    private bool IsSame()
    {
        if (stamp is not null)
            return runtime!.Stamp(files) == stamp;
        try
        {
            return ModelStatement.Digest(ModelStatement.Hash(files)) == provenance.Digest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
