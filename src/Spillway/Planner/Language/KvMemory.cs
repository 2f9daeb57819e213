using System.Globalization;

namespace Spillway.Planner.Language;

/// <summary>
/// How many tokens a replica can hold: memory less weights and what the engine needs. Derived, never fitted.
/// </summary>
/// <param name="Tokens">Tokens of all requests together.</param>
/// <param name="Blocks">The same in blocks.</param>
/// <param name="WeightsGiB">Weights on each device.</param>
/// <param name="CacheGiB">Keys and values on each device.</param>
internal readonly record struct KvMemory(long Tokens, long Blocks, double WeightsGiB, double CacheGiB)
{
    private const double GiB = 1L << 30;

    /// <summary>Derives it; a fault where the weights do not fit.</summary>
    public static Outcome<KvMemory> Of(LanguageShape shape, Accelerator device, LanguageServing serving)
    {
        var weights = shape.Parameters * serving.WeightBits / 8 / serving.Devices / GiB;
        var cache = (device.MemoryGiB * serving.MemoryPart) - weights - serving.ReserveGiB;
        var heads = Math.Max(1.0, (double)shape.KvHeads / serving.TensorParallel);
        var perToken = shape.KvBytesPerToken(serving.KvBits / 8) / shape.KvHeads * heads / serving.PipelineParallel;
        var blocks = (long)Math.Floor(cache * GiB / perToken / serving.BlockTokens);
        if (blocks < 1)
            return Fault.Invalid(string.Create(CultureInfo.InvariantCulture,
                $"{shape.Name} does not fit on {serving.Devices} x {device.Name}: of {device.MemoryGiB:0.#} GiB each, ")
                + string.Create(CultureInfo.InvariantCulture, $"{serving.MemoryPart:P0} may be used, and weights of "
                + $"{weights:0.#} GiB and a reserve of {serving.ReserveGiB:0.#} GiB leave no room for requests. Use "
                + $"more ")
                + "devices, larger ones, or fewer bits for each weight.");
        return new KvMemory(blocks * serving.BlockTokens, blocks, weights, cache);
    }
}
