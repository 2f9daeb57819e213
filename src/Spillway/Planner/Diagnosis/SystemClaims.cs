namespace Spillway.Planner.Diagnosis;

/// <summary>Holds what is said of a system's load and time against itself.</summary>
/// <param name="options">The claims.</param>
/// <param name="say">Where the sentences go.</param>
internal sealed class SystemClaims(ClaimOptions options, Sentences say)
{
    private const double Tolerance = 0.005;

    private static readonly (StageKind Kind, string Word)[] s_phases =
        [(StageKind.Prefill, "prefill"), (StageKind.Decode, "decode")];

    /// <summary>Says what cannot be right.</summary>
    public void Run()
    {
        foreach (var system in options.Systems)
        {
            Load(system);
            Sum(system);
            Places(system);
            Floor(system);
        }
    }

    private static bool IsWay(ClaimedPart part) => StageKinds.Of(part.Name) is StageKind.Network or StageKind.Queue;

    private void Load(ClaimedSystem system)
    {
        var (name, capacity) = (system.Name, system.Servers * system.ServerRate);
        if (capacity > 0 && system.Load >= capacity)
            say.Say(DiagnosisKind.Contradiction, $"{name}: {system.Load:0.#} a second are asked of "
                + $"{system.Servers:0} servers that do {capacity:0.#} together: {system.Load / capacity:P0} busy has "
                + $"no steady state, and no mean time. Either the load is less, "
                + $"or they do more.");
    }

    private void Sum(ClaimedSystem system)
    {
        // With a cache its time is a mean of two, and its parts are of a request that misses.
        if (system.Parts.Count == 0 || system.LatencyMs <= 0 || system.CacheHitMs > 0)
            return;
        var least = system.Parts.Sum(part => part.Ms);
        var most = system.Parts.Sum(part => Math.Max(part.Ms, part.MaxMs));
        if (system.LatencyMaxMs > 0)
        {
            if (Differ(least, system.LatencyMs) || Differ(most, system.LatencyMaxMs))
                say.Say(DiagnosisKind.Contradiction, $"{system.Name}: the parts add up to {least:0.#} to {most:0.#}, "
                    + $"and {system.LatencyMs:0.#} to {system.LatencyMaxMs:0.#} is said.");
        }
        else if (Differ(least, system.LatencyMs))
            say.Say(DiagnosisKind.Contradiction, $"{system.Name}: the parts add up to {least:0.#} ms, and "
                + $"{system.LatencyMs:0.#} ms is said: {Math.Abs(system.LatencyMs - least):0.#} ms are "
                + $"{(least > system.LatencyMs ? "too many" : "missing")}.");
    }

    private static bool Differ(double a, double b) => Math.Abs(a - b) > Tolerance * Math.Max(a, b);

    private void Places(ClaimedSystem system)
    {
        if (system.ServerRate <= 0 || system.Serverless)
            return;
        foreach (var (kind, word) in s_phases)
        {
            var ms = system.Parts.Where(part => StageKinds.Of(part.Name) == kind).Sum(part => part.Ms);
            if (ms > 0 && system.ServerRate * ms / 1e3 > 1.5)
                say.Say(DiagnosisKind.Consequence, $"{system.Name}: {word} of {ms:0.#} ms one after another allows "
                    + $"{1e3 / ms:0.#} a second on a device, not {system.ServerRate:0.#}: "
                    + $"{system.ServerRate * ms / 1e3:0.#} must share each moment (Little's law), so it "
                    + $"works in batches or there are as many devices.");
        }

        Tokens(system);
    }

    // Each token of an answer reads all weights: a bound that no software passes for one request alone.
    private void Tokens(ClaimedSystem system)
    {
        var decode = system.Parts.Where(part => StageKinds.Of(part.Name) is StageKind.Decode).Sum(part => part.Ms);
        if (options.Model is not { } model || decode <= 0 || model.DeviceGBps.Count == 0)
            return;
        var each = model.DeviceGBps.Select(device => (device.Key, Ms: model.WeightsGb / device.Value * 1e3));
        say.Say(DiagnosisKind.Consequence, $"{system.Name}: {decode:0.#} ms of decode are at most "
            + $"{string.Join(", ", each.Select(device =>
            InvariantText.Of($"{Math.Round(decode / device.Ms):0} tokens on {device.Key} ({device.Ms:0.0} ms "
                + $"each)")))}: reading {model.WeightsGb:0.#} GB "
            + $"of weights bounds it.");
    }

    private void Floor(ClaimedSystem system)
    {
        var from = options.Systems.FirstOrDefault(other => other.Name == system.From && other != system);
        if (from is null || system.LatencyMs <= 0 || from.Parts.Count == 0)
            return;
        var work = from.Parts.Where(part => !IsWay(part)).Sum(part => part.Ms
            * (StageKinds.Of(part.Name) is StageKind.Prefill or StageKind.Decode or StageKind.Execute
                ? 1 / (1 + system.Faster) : 1));
        var faster = system.Faster > 0 ? InvariantText.Of($" (work {system.Faster:P0} faster)") : "";
        if (system.CacheHitMs > 0)
            Cache(system, from, work, faster);
        else if (system.LatencyMs < work)
            say.Say(DiagnosisKind.Contradiction, $"{system.Name}: {system.LatencyMs:0.#}{To(system)} ms is said, and "
                + $"what is neither way nor queue in {from.Name}{faster} is {work:0.#} ms: no nearer site and no empty "
                + $"queue goes below that.");
    }

    private static string To(ClaimedSystem system) =>
        system.LatencyMaxMs > 0 ? InvariantText.Of($" to {system.LatencyMaxMs:0.#}") : "";

    // The share of hits that makes the claim true: what was not said, and can be checked.
    private void Cache(ClaimedSystem system, ClaimedSystem from, double work, string faster)
    {
        var way = system.Parts.Where(part => StageKinds.Of(part.Name) is StageKind.Network).Sum(part => part.Ms);
        var miss = work + way;
        var hits = (miss - system.LatencyMs) / (miss - system.CacheHitMs);
        if (hits is > 0 and < 1)
            say.Say(DiagnosisKind.Contradiction, $"{system.Name}: {system.LatencyMs:0.#} ms rests on something that "
                + $"is not said. Without a cache it takes {miss:0.#} ms ({from.Name}{faster}, {way:0.#} ms of "
                + $"network); with hits of {system.CacheHitMs:0.#} ms it needs {hits:P0} of them. "
                + $"That would also give {1 / (1 - hits):0.00} times the throughput.");
    }
}
