using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Spillway.App.Load;
using Spillway.Planner.Outcomes;

namespace Spillway.App.Cli.Planning;

/// <summary>What was measured beside what was simulated, figure by figure.</summary>
internal sealed class VerifyComparison
{
    private readonly string _plan;
    private readonly string _candidate;
    private readonly RoundReport _live;
    private readonly List<VerifyLine> _lines = [];

    /// <summary>Compares.</summary>
    /// <param name="plan">Its name.</param>
    /// <param name="candidate">Its name.</param>
    /// <param name="live">What the load generator saw.</param>
    /// <param name="simulated">The same arrivals in the simulation.</param>
    /// <param name="band">The same on a slower and on a faster machine; empty for no band.</param>
    public VerifyComparison(string plan, string candidate, RoundReport live, CandidateOutcome simulated,
        IReadOnlyList<CandidateOutcome> band)
    {
        (_plan, _candidate, _live) = (plan, candidate, live);
        var offered = Math.Max(1, live.Counts.Offered);
        Add("answers a second", "", live.OkPerSecond, o => o.Throughput);
        Add("refused", "%", (live.Counts.Offered - live.Counts.Ok) * 100.0 / offered, o => o.RefusedShare * 100);
        if (live.Counts.Latency is { } latency)
        {
            Add("p50", "ms", latency.P50, o => o.Total.P50Ms);
            Add("p95", "ms", latency.P95, o => o.Total.P95Ms);
            Add("p99", "ms", latency.P99, o => o.Total.P99Ms);
        }

        foreach (var (name, stage) in new[] { ("queue", PlanStage.Queue), ("execute", PlanStage.Execute) })
        {
            if (live.Stages.FirstOrDefault(s => s.Name == name) is not { Time: { } time })
                continue;
            Add($"{name} mean", "ms", time.Mean, o => o.Stages[(int)stage].MeanMs);
            Add($"{name} p95", "ms", time.P95, o => o.Stages[(int)stage].P95Ms);
        }

        void Add(string what, string unit, double measured, Func<CandidateOutcome, double> of)
        {
            double[] around = [.. band.Select(of).Append(of(simulated))];
            _lines.Add(new(what, unit, measured, of(simulated), band.Count > 0 ? (around.Min(), around.Max()) : null));
        }
    }

    /// <summary>The simulated machine's, over that of the plan.</summary>
    public double Speed { get; init; } = 1;

    /// <summary>The figures, in the order of the report.</summary>
    public IReadOnlyList<VerifyLine> Lines => _lines;

    /// <summary>As a table.</summary>
    public void Write(TextWriter output)
    {
        output.WriteLine(Say($"{_plan}, {_candidate}: {_live.Counts.Offered:N0} requests in {_live.Seconds:0.#} s")
            + (Speed == 1 ? "" : Say($", simulated at {Speed:0.###} of the plan's speed")));
        output.WriteLine($"  {"",-22}{"live",12}{"simulated",12}{"error",14}"
            + (_lines[0].Band is null ? "" : $"{"band",24}"));
        foreach (var line in _lines)
        {
            var error = line.Unit == "%" ? Say($"{line.Simulated - line.Live:+0.00;-0.00} points")
                : line.Live > 0 ? Say($"{(line.Simulated / line.Live - 1) * 100:+0.0;-0.0} %") : "";
            var band = line.Band is var (low, high) ? Say($"{low,14:0.00}..{high:0.00}") : "";
            output.WriteLine(Say($"  {line.Name,-22}{line.Live,12:0.00}{line.Simulated,12:0.00}{error,14}{band}"));
        }
    }

    /// <summary>As JSON.</summary>
    public string Json()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("plan", _plan);
            json.WriteString("candidate", _candidate);
            json.WriteNumber("requests", _live.Counts.Offered);
            json.WriteNumber("seconds", Math.Round(_live.Seconds, 3));
            json.WriteNumber("speed", Speed);
            json.WriteStartArray("figures");
            foreach (var line in _lines)
            {
                json.WriteStartObject();
                json.WriteString("what", line.What);
                json.WriteString("unit", line.Unit);
                json.WriteNumber("live", Math.Round(line.Live, 4));
                json.WriteNumber("simulated", Math.Round(line.Simulated, 4));
                if (line.Band is var (low, high))
                {
                    json.WriteNumber("low", Math.Round(low, 4));
                    json.WriteNumber("high", Math.Round(high, 4));
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string Say(ref DefaultInterpolatedStringHandler text) => text.ToStringAndClear();
}

/// <summary>A figure, measured and simulated.</summary>
/// <param name="What">Which.</param>
/// <param name="Unit">Of all of them; empty for a rate.</param>
/// <param name="Live">Measured.</param>
/// <param name="Simulated">From the plan.</param>
/// <param name="Band">The least and the most of the plan's machine, a slower and a faster one; null without.</param>
internal readonly record struct VerifyLine(
    string What, string Unit, double Live, double Simulated, (double Low, double High)? Band)
{
    /// <summary>With its unit.</summary>
    public string Name => Unit.Length == 0 ? What : $"{What}, {Unit}";
}
