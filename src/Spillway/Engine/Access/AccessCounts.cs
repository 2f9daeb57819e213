using Spillway.Policies.Identity;
using Spillway.Telemetry;

namespace Spillway.Engine.Access;

/// <summary>
/// What is counted of access: who was refused and why, keys, reads and writes that failed. Thread-safe.
/// </summary>
internal sealed class AccessCounts
{
    private readonly Counter[] _refused = [.. Enum.GetValues<Refusal>().Select(_ => new Counter())];
    private readonly Counter[] _reads = [new(), new()];
    private readonly Counter _failures = new();

    /// <summary>Somebody was refused.</summary>
    public void Refused(Refusal why) => _refused[(int)why].Add();

    /// <summary>How many were refused for a reason.</summary>
    public long Of(Refusal why) => _refused[(int)why].Value;

    /// <summary>How many were refused in all.</summary>
    public long Total => _refused.Sum(r => r.Value);

    /// <summary>A write to the store of keys failed.</summary>
    public void StoreFailed() => _failures.Add();

    /// <summary>The identity provider's keys were read, or not.</summary>
    public void JwksRead(bool isOk) => _reads[isOk ? 0 : 1].Add();

    /// <summary>How often those keys were read, well and in vain.</summary>
    public (long Ok, long Failed) JwksReads => (_reads[0].Value, _reads[1].Value);

    /// <summary>Shows everything on /metrics.</summary>
    public void Register(InstrumentRegistry registry, KeyRing? keys)
    {
        var series = new List<Series> { new(Instruments.AccessStoreFailures, _failures, []) };
        foreach (var why in Enum.GetValues<Refusal>())
            series.Add(new(Instruments.AccessRefused, _refused[(int)why], [Label(why)]));
        series.Add(new(Instruments.AccessJwksReads, _reads[0], ["ok"]));
        series.Add(new(Instruments.AccessJwksReads, _reads[1], ["failed"]));
        if (keys is not null)
        {
            series.Add(new(Instruments.AccessKeys, new Gauge(() => keys.Count().Live), ["live"]));
            series.Add(new(Instruments.AccessKeys, new Gauge(() => keys.Count().Expired), ["expired"]));
            series.Add(new(Instruments.AccessKeys, new Gauge(() => keys.Count().Revoked), ["revoked"]));
        }

        registry.Add(this, series);
    }

    private static string Label(Refusal why) => why switch
    {
        Refusal.Missing => "missing",
        Refusal.Malformed => "malformed",
        Refusal.Unknown => "unknown",
        Refusal.Expired => "expired",
        Refusal.Revoked => "revoked",
        Refusal.Token => "token",
        Refusal.Role => "role",
        Refusal.Model => "model",
        Refusal.Origin => "origin",
    };
}
