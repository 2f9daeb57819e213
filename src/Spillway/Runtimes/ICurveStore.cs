namespace Spillway.Runtimes;

/// <summary>
/// Batch curves of a model that were measured before, by this process or another one, on this machine. Best effort:
/// what cannot be stored is measured again at the next start. Thread-safe.
/// </summary>
public interface ICurveStore
{
    /// <summary>The curve measured under the same conditions; null when there is none. At least one point.</summary>
    /// <param name="conditions">
    /// What the measurer's curve depends on, as one line: typical shapes, largest batch. What depends on the machine
    /// and on how the model runs is added by the store.
    /// </param>
    IReadOnlyList<BatchPoint>? Find(string conditions);

    /// <summary>Stores a curve in place of an earlier one under the same conditions.</summary>
    /// <param name="conditions">As for <see cref="Find"/>.</param>
    /// <param name="curve">At least one point, rows ascending.</param>
    void Save(string conditions, IReadOnlyList<BatchPoint> curve);
}
