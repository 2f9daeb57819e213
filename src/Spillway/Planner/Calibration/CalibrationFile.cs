using Spillway.Planner.Language;
using Spillway.Planner.Plans;

namespace Spillway.Planner.Calibration;

/// <summary>What <c>plan calibrate</c> writes and a plan can name: fitted times, and how far off they were.</summary>
public sealed record CalibrationFileOptions
{
    /// <summary>What was fitted to what.</summary>
    [Option("What was fitted to what, for the labels in reports.", Required = true)]
    public string Source { get; init; } = "";

    /// <summary>A batch curve.</summary>
    [Option("The time of a run by its rows.")]
    public IReadOnlyList<CurvePointOptions> Curve { get; init; } = [];

    /// <summary>Half the range of nine of ten runs.</summary>
    [Option("How far runs are from the curve, as the plan's runSpread.", Min = 0, Max = 0.9)]
    public double? RunSpread { get; init; }

    /// <summary>The server's own work on a request.</summary>
    [Option("What the server does with a request beside waiting and running, as the plan's before.")]
    public BeforeOptions? Before { get; init; }

    /// <summary>Constants of a language engine.</summary>
    [Option("The constants of a language engine.")]
    public EngineConstants? Constants { get; init; }

    /// <summary>How far off it was.</summary>
    [Option("How far off the fit was on the part of the record that it had not seen.")]
    public IReadOnlyList<HeldOutOptions> HeldOut { get; init; } = [];
}

/// <summary>A figure of the part of a record that a fit had not seen.</summary>
public sealed record HeldOutOptions
{
    /// <summary>Which figure.</summary>
    [Option("Which figure.", Required = true)]
    public string What { get; init; } = "";

    /// <summary>As it was.</summary>
    [Option("As it was.")]
    public double Measured { get; init; }

    /// <summary>As the fit foretells it.</summary>
    [Option("As the fit foretells it.")]
    public double Told { get; init; }

    /// <summary>The unit of both.</summary>
    [Option("The unit of both.")]
    public string Unit { get; init; } = "";

    /// <summary>The error as a part of what was measured.</summary>
    public double Error => Measured > 0 ? (Told / Measured) - 1 : 0;
}
