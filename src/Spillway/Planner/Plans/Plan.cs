using Spillway.Config;
using Spillway.Planner.Language;
using Spillway.Planner.Workloads;

namespace Spillway.Planner.Plans;

/// <summary>A plan that was read and checked: every name in it leads somewhere, every price is there.</summary>
public sealed record Plan
{
    /// <summary>As written.</summary>
    public required PlanOptions Options { get; init; }

    /// <summary>The currency of all prices.</summary>
    public required string Currency { get; init; }

    /// <summary>Where and when prices were looked up, a line for each file.</summary>
    public required IReadOnlyList<string> PriceSources { get; init; }

    /// <summary>Machines of all price files.</summary>
    public required IReadOnlyDictionary<string, MachineOptions> Machines { get; init; }

    /// <summary>Devices of all hardware files.</summary>
    public required IReadOnlyDictionary<string, Accelerator> Devices { get; init; }

    /// <summary>Language models of all hardware files.</summary>
    public required IReadOnlyDictionary<string, LanguageShape> Models { get; init; }

    /// <summary>Serverless platforms of all price files.</summary>
    public required IReadOnlyDictionary<string, PlatformOptions> Platforms { get; init; }

    /// <summary>Recorded arrivals by the workload's name.</summary>
    public required IReadOnlyDictionary<string, RecordedTrace> Traces { get; init; }

    /// <summary>All candidates: the listed ones, then those of the search.</summary>
    public required IReadOnlyList<CandidateOptions> Candidates { get; init; }

    /// <summary>The same plan with other candidates.</summary>
    public Plan With(IReadOnlyList<CandidateOptions> candidates) => this with { Candidates = candidates };
}

/// <summary>A plan, or everything that is wrong with it.</summary>
public sealed record PlanResult
{
    /// <summary>The plan; null when there are errors.</summary>
    public Plan? Plan { get; init; }

    /// <summary>All errors at once.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>What is allowed and deserves a word.</summary>
    public IReadOnlyList<ConfigError> Notes { get; init; } = [];
}

/// <summary>A file that a plan names: its text, or why there is none.</summary>
/// <param name="Text">The text; null when it could not be read.</param>
/// <param name="Problem">Why not.</param>
public readonly record struct PlanFile(string? Text, string Problem = "");
