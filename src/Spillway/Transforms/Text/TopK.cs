using System.Numerics.Tensors;

namespace Spillway.Transforms.Text;

/// <summary>
/// The best classes of one row of scores, best first, equal scores by lower class. Pure; allocates nothing but a fault.
/// Time grows with classes x log k, whatever the order of the scores.
/// </summary>
internal static class TopK
{
    private const int Block = 256;

    /// <summary>
    /// Fills best and values, which are equally long (k, from 1 to the number of scores). Null, or a
    /// <see cref="FaultKind.RuntimeFailed"/> when a score is NaN or the best one is not finite.
    /// </summary>
    /// <param name="scores">float32 [classes].</param>
    /// <param name="softmax">Whether values are softmax(scores), over all classes, or the scores themselves.</param>
    /// <param name="best">Receives the classes.</param>
    /// <param name="values">Receives their scores.</param>
    public static Fault? Select(ReadOnlySpan<float> scores, bool softmax, Span<int> best, Span<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, best.Length);
        ArgumentOutOfRangeException.ThrowIfZero(best.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(best.Length, scores.Length);

        // Max gives NaN when any score is one.
        var top = TensorPrimitives.Max(scores);
        if (!float.IsFinite(top))
            return NotFinite(scores);

        BestIndexes.Select(scores, best);
        for (var i = 0; i < best.Length; i++)
            values[i] = scores[best[i]];
        if (softmax)
            Normalise(scores, top, values);
        return null;
    }

    /// <summary>exp(value - top) / sum of exp(score - top): the subtraction keeps exp from overflowing.</summary>
    private static void Normalise(ReadOnlySpan<float> scores, float top, Span<float> values)
    {
        Span<float> block = stackalloc float[Block];
        var sum = 0.0;
        for (; !scores.IsEmpty; scores = scores[Math.Min(Block, scores.Length)..])
        {
            var part = block[..Math.Min(Block, scores.Length)];
            TensorPrimitives.Subtract(scores[..part.Length], top, part);
            TensorPrimitives.Exp(part, part);
            sum += TensorPrimitives.Sum<float>(part);
        }

        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(Math.Exp(values[i] - top) / sum);
    }

    private static Fault NotFinite(ReadOnlySpan<float> scores)
    {
        var at = TensorPrimitives.IndexOfMax(scores);
        var message = Text($"The model gave {scores[at]} as the score of class {at}, which is not a finite number. "
            + $"Check the input for such values, then the model's weights.");
        return new Fault(FaultKind.RuntimeFailed, message);
    }

    private static string Text(ref InvariantText message) => message.Take();
}
