namespace Spillway.Runtimes;

/// <summary>
/// Remembers what is known of a model file under this library, processor and options, between processes: that it was
/// probed, or that a load of it is under way. Best effort: what cannot be remembered is unknown. Thread-safe.
/// </summary>
public interface IProofStore
{
    /// <summary>The text that was saved for exactly this model; null when none was, or the file has changed.</summary>
    /// <param name="source">The model.</param>
    /// <param name="conditions">What else it depends on, as one line; a model has one text for each.</param>
    string? Find(ModelSource source, string conditions);

    /// <summary>Saves a text in place of an earlier one; null forgets it.</summary>
    void Save(ModelSource source, string conditions, string? text);
}

/// <summary>A form of a model that loads faster or smaller and is kept only once it has proved itself.</summary>
public interface IPreparation : IDisposable
{
    /// <summary>The prepared form, loaded.</summary>
    ILoadedModel Model { get; }

    /// <summary>Keeps it: later loads use it. Disposing without this throws it away.</summary>
    void Keep();
}
