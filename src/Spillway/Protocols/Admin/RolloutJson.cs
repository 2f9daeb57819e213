using System.Globalization;
using System.Text.Json;
using Spillway.Engine.Rollout;
using Spillway.Policies.Rollout;

namespace Spillway.Protocols.Admin;

/// <summary>A route's rollout as the Admin protocol tells it.</summary>
internal static class RolloutJson
{
    /// <summary>Writes one.</summary>
    /// <param name="json">Takes it.</param>
    /// <param name="declared">What the route declares.</param>
    /// <param name="desk">What has come of it.</param>
    /// <param name="done">A change that was just made.</param>
    public static void Write(
        Utf8JsonWriter json, DeclaredRollout declared, RolloutDesk desk, RolloutDone? done = null)
    {
        json.WriteStartObject();
        json.WriteString("route", declared.Route);
        json.WriteString("declared", declared.Model);
        json.WriteStartArray("steps_percent");
        foreach (var percent in declared.Options.StepsPercent)
            json.WriteNumberValue(percent);
        json.WriteEndArray();
        if (desk.Find(declared.Route) is { } view)
        {
            Write(json, declared, view);
        }
        else
        {
            json.WriteString("phase", "none");
            json.WriteString("champion", declared.Model);
            json.WriteString("challenger", declared.Options.Challenger);
        }

        if (done is { } change)
        {
            json.WriteBoolean("survives_restart", change.NotKept is null);
            if (change.NotKept is { } why)
                json.WriteString("why_not", why.Message);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, DeclaredRollout declared, RolloutView view)
    {
        var state = view.State;
        var answers = !state.Concerns(declared.Model) ? declared.Model : state.Champion;
        json.WriteString("phase", RolloutRows.Word(state.Phase));
        json.WriteString("champion", answers);
        json.WriteString("challenger", state.Challenger);
        json.WriteNumber("percent", view.Percent);
        json.WriteNumber("step", state.Step + 1);
        json.WriteNumber("step_requests", view.StepRequests);
        json.WriteNumber("step_requests_min", view.StepRequestsMin);
        json.WriteNumber("champion_requests", view.ChampionRequests);
        json.WriteNumber("champion_failures", view.ChampionFailures);
        json.WriteNumber("challenger_requests", view.ChallengerRequests);
        json.WriteNumber("challenger_failures", view.ChallengerFailures);
        json.WriteNumber("slower", Math.Round(view.Slower, 4));
        WriteCopies(json, declared, view);
        json.WriteStartArray("guards");
        foreach (var evidence in view.Evidence)
        {
            json.WriteStartObject();
            json.WriteString("guard", Word(evidence.Guard));
            json.WriteNumber("p_value", evidence.PValue);
            json.WriteNumber("stopped_at", evidence.PMax);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteHistory(json, view);
    }

    private static void WriteCopies(Utf8JsonWriter json, DeclaredRollout declared, RolloutView view)
    {
        json.WriteStartObject("copies");
        json.WriteNumber("compared", view.CopiesCompared);
        json.WriteNumber("agreed", view.CopiesAgreed);
        json.WriteNumber("dropped", declared.Counts.Dropped.Value);
        if (declared.Counts.LatencyRatio is { } ratio)
            json.WriteNumber("latency_ratio", Math.Round(ratio, 4));
        json.WriteEndObject();
    }

    private static void WriteHistory(Utf8JsonWriter json, RolloutView view)
    {
        json.WriteStartArray("history");
        foreach (var entry in view.History)
        {
            json.WriteStartObject();
            json.WriteString("at", entry.At.UtcDateTime.ToString(
                "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("who", entry.Who);
            json.WriteString("what", RolloutRows.Word(entry.What));
            json.WriteString("why", entry.Why);
            json.WriteString("champion", entry.State.Champion);
            json.WriteString("challenger", entry.State.Challenger);
            json.WriteNumber("step", entry.State.Step + 1);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static string Word(RolloutGuard guard) => guard switch
    {
        RolloutGuard.Errors => "errors",
        RolloutGuard.Latency => "latency",
        RolloutGuard.Cost => "cost",
        RolloutGuard.Agreement => "agreement",
    };
}
