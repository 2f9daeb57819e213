namespace Spillway.App.Cli.Drills;

/// <summary>How one request of a drill's traffic ended.</summary>
internal enum DrillOutcome
{
    /// <summary>With the answer that the route promises first.</summary>
    Full,

    /// <summary>With another one.</summary>
    Degraded,

    /// <summary>With a refusal that says why.</summary>
    Refused,

    /// <summary>Without any answer.</summary>
    Lost,
}

/// <summary>One request of a drill's traffic.</summary>
/// <param name="AtMs">When it was due, since the drill's beginning; a late sender does not hide a slow server.</param>
/// <param name="TookMs">Until its answer was there.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="By">Which step answered, or the label of the fault; empty for a plain model.</param>
/// <param name="Id">Its identifier at the server; empty where there is none.</param>
/// <param name="IsHit">Whether the answer was a remembered one.</param>
internal readonly record struct DrillSample(
    double AtMs, double TookMs, DrillOutcome Outcome, string By, string Id = "", bool IsHit = false);
