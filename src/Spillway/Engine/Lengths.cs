using Spillway.Config;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Runtimes;

namespace Spillway.Engine;

/// <summary>How a deployment deals with requests of different lengths: for its replicas and for its flow.</summary>
/// <param name="Plan">How replicas pad; null where the model declares no padding.</param>
/// <param name="Ladder">The buckets; null with it.</param>
internal sealed record Lengths(PaddingPlan? Plan = null, ShapeBuckets? Ladder = null)
{
    /// <summary>A deployment whose requests run together only in equal shapes.</summary>
    public static Lengths None { get; } = new();

    /// <summary>The lengths of the buckets; empty without padding.</summary>
    public IReadOnlyList<int> Buckets => Ladder?.Lengths ?? [];

    /// <summary>What is declared, against the loaded model; a load fault when it does not fit.</summary>
    public static Outcome<Lengths> Of(ModelOptions options, Signature model)
    {
        if (options.Padding is not { } declared)
            return None;
        return PaddingBinding.Bind(declared, model).TryGet(out var plan, out var fault)
            ? new Lengths(plan, ShapeBuckets.Of(declared))
            : fault;
    }

    /// <summary>An idle flow.</summary>
    /// <param name="options">Of the model.</param>
    /// <param name="curves">One a bucket.</param>
    /// <param name="typical">The bucket of the typical shape.</param>
    /// <param name="runners">Runners that exist.</param>
    public DeploymentFlow MakeFlow(ModelOptions options, BucketCurve[] curves, int typical, int runners) =>
        new(options.Batching, options.Deadline, curves, runners, Ladder, typical)
        {
            Shedder = options.Shedding.Enabled ? new(options.Shedding, default) : null,
        };
}
