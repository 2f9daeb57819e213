namespace Spillway.Telemetry;

/// <summary>One line of numbers in the exposition: an instrument of a family under fixed label values.</summary>
/// <param name="Spec">The family.</param>
/// <param name="Instrument">What is counted.</param>
/// <param name="Labels">Label values in the order of the family's names.</param>
internal sealed record Series(InstrumentSpec Spec, Instrument Instrument, params string[] Labels);
