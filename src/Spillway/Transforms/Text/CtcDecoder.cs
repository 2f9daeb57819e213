using System.Buffers;
using System.Numerics.Tensors;

namespace Spillway.Transforms.Text;

/// <summary>
/// Greedy CTC (Graves et al. 2006, best path decoding): the best class of each step, repeats dropped, then blanks.
/// Class 0 is the blank, the labels follow. Immutable and thread-safe; allocates nothing per call.
/// </summary>
internal sealed class CtcDecoder(LabelFile labels)
{
    private readonly int _classes = labels.Count + 1;

    /// <summary>Classes that the scores must have: the labels and the blank.</summary>
    public int Classes => _classes;

    /// <summary>At load: null when the model's classes are the labels and a blank, else a fault that says so.</summary>
    public Fault? CheckClasses(long classes) => labels.CheckClasses(classes, before: 1);

    /// <summary>
    /// Writes the text of one line as UTF-8. Null, or a <see cref="FaultKind.RuntimeFailed"/> when the scores have
    /// another size or a step's best score is not a finite number; what was written by then is to be dropped.
    /// </summary>
    /// <param name="scores">float32 [steps, classes], probabilities or any scores that grow with them.</param>
    /// <param name="steps">Rows of the scores.</param>
    /// <param name="text">Where the text goes.</param>
    /// <param name="confidence">Mean of the best scores of the steps that gave a label; 0 when none did.</param>
    public Fault? Decode(ReadOnlySpan<float> scores, int steps, IBufferWriter<byte> text, out float confidence)
    {
        confidence = 0;
        if (scores.Length != (long)steps * _classes)
        {
            return Failed($"The model gave {scores.Length:N0} scores for {steps:N0} steps; its labels need "
                + $"{_classes:N0} a step. Load the labels that belong to it.");
        }

        var (last, kept, sum) = (0, 0, 0.0);
        for (var step = 0; step < steps; step++)
        {
            var row = scores.Slice(step * _classes, _classes);
            var best = TensorPrimitives.IndexOfMax(row);
            if (!float.IsFinite(row[best]))
            {
                return Failed($"The model gave {row[best]} as the score of class {best} in step {step}, which is not a "
                    + $"finite number. Check the input for such values, then the model's weights.");
            }

            if (best != 0 && best != last)
            {
                text.Write(labels[best - 1]);
                sum += row[best];
                kept++;
            }

            last = best;
        }

        confidence = kept == 0 ? 0 : (float)(sum / kept);
        return null;
    }

    private static Fault Failed(ref InvariantText message) => new(FaultKind.RuntimeFailed, message.Take());
}
