using System.Globalization;

namespace Spillway.Telemetry;

/// <summary>The decisions of the gate as sentences.</summary>
internal static class GuardText
{
    private static readonly string[] s_units = ["requests", "rows", "input bytes", "tokens", "requests at once"];

    /// <summary>The sentence of one decision of that record.</summary>
    public static string Render(DecisionKind kind, long a, long b, long c, in RequestRecord record) => kind switch
    {
        DecisionKind.RefusedSwitchedOff => "Refused: an operator switched it off; the error says what.",
        DecisionKind.RefusedForbidden => $"Refused: the caller's key does not have model {record.Model}, "
            + "or may not see what it asks of it.",
        DecisionKind.RefusedRate => FormattableString.Invariant(
            $"Refused: rate limit {record.Guard} had {a} of {b} {s_units[c]} left."),
        DecisionKind.RefusedBudget => record.Guard.Length == 0
            ? $"Refused: it may cost up to {Units(b)}, more than its caller allows."
            : $"Refused: budget {record.Guard} had {Units(a)} left, and it may cost up to {Units(b)}.",
        DecisionKind.RefusedStore => record.Guard.Length == 0
            ? "Refused: a store that must keep a trace of each request cannot be written, and refusing is declared."
            : $"Refused: budget {record.Guard} cannot write down what it spends.",
        DecisionKind.Reserved => $"Reserved: at most {Units(a)}; budget {record.Guard} had {Units(b)} left.",
        DecisionKind.WaitedAtGate => $"Waited {DecisionText.Ms(a)} for its turn at the gate.",
        DecisionKind.EndedBySwitch => $"Ended by a kill switch after {DecisionText.Ms(a)} "
            + (b == 1 ? "of the run." : "in the queue."),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "It is none of the gate's."),
    };

    private static string Units(long nano) =>
        (nano / 1_000_000_000m).ToString("0.#########", CultureInfo.InvariantCulture);
}
