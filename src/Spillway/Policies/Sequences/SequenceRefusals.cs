using System.Globalization;

namespace Spillway.Policies.Sequences;

/// <summary>
/// Refused requests of sequences in words. What Triton says in the same case is kept to the letter, because clients
/// look for it; the sentence after it is ours.
/// </summary>
public static class SequenceRefusals
{
    /// <summary>The fault of a step that refuses; throws for one that does not.</summary>
    /// <param name="step">What was decided.</param>
    /// <param name="key">The sequence.</param>
    /// <param name="model">The served name.</param>
    /// <param name="options">The limits.</param>
    /// <param name="retryAfter">When there may be room, for the two that waiting helps.</param>
    public static Fault Explain(
        SequenceStep step, SequenceKey key, string model, SequenceOptions options, TimeSpan retryAfter) => step switch
    {
        SequenceStep.RefusedNoId => Fault.Invalid(
            $"inference request to model '{model}' must specify a non-zero or non-empty correlation ID. "
            + "The model keeps state: send the parameters sequence_id, sequence_start and sequence_end."),
        SequenceStep.RefusedUnknown => Fault.Invalid(
            NoStart(key, model) + "No sequence of that id lives: it "
            + "never began, has ended, or the model was loaded anew since. Send sequence_start with "
            + "its first request."),
        SequenceStep.RefusedExpired => Fault.Invalid(
            NoStart(key, model) + $"It was idle for more than {Number(options.IdleMs)} ms and is forgotten with its "
            + "state: begin it anew, or raise idleMs of the model's sequences."),
        SequenceStep.RefusedConflict => Fault.Invalid(
            $"sequence {key} for model '{model}' has a conflict. The previous sequence did not end before this "
            + "sequence start. Send sequence_end with a sequence's last request, or use another id."),
        SequenceStep.RefusedSequences => new(
            FaultKind.QueueFull,
            $"Exceeds maximum number of sequences: model '{model}' keeps the state of {options.SequencesMax}. "
            + "End a sequence, retry when one is over, or raise sequencesMax of the model's sequences.", retryAfter),
        SequenceStep.RefusedWaiting => new(
            FaultKind.QueueFull,
            $"Exceeds maximum queue size: {options.WaitingMax} requests of sequence {key} wait for model '{model}'. "
            + "Wait for answers before sending more, or raise waitingMax of the model's sequences.", retryAfter),
        SequenceStep.Run or SequenceStep.Wait =>
            throw new ArgumentOutOfRangeException(nameof(step), step, "It was not refused."),
    };

    private static string NoStart(SequenceKey key, string model) =>
        $"inference request for sequence {key} to model '{model}' must specify the START flag on the first request "
        + "of the sequence. ";

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
