using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spillway.Config;
using Spillway.Planner.Calibration;

namespace Spillway.App.Cli.Planning;

/// <summary>`spillway plan calibrate`: fits the times of a variant to what was recorded, and says how far off the fit
/// is.</summary>
internal static class CalibrateCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("plan") { Description = "A plan.yaml." };
        var record = new Option<string>("--record")
        {
            Description = "The record: JSON lines of requests (spillway's own, or the answer of "
                + "/admin/v1/requests), or CSV with a header.", Required = true, HelpName = "file",
        };
        var candidate = new Option<string?>("--candidate")
        {
            Description = "The candidate that served, with one site that has machines; by default the first.",
            HelpName = "name",
        };
        var model = new Option<string>("--model")
        {
            Description = "Only requests for this served name; by default all.", HelpName = "name",
            DefaultValueFactory = _ => "",
        };
        var heldOut = new Option<double>("--held-out")
        {
            Description = "The last part of the recorded time, which is not fitted to and says how far off the fit is.",
            HelpName = "part", DefaultValueFactory = _ => 0.3,
        };
        var output = new Option<string?>("--out")
        {
            Description = "Where to write the fit, for a plan's curveFiles or constantsFile.", HelpName = "file",
        };
        var json = Commands.JsonOption();
        var command = new Command("calibrate", """
            Fit the times of a variant to a record of requests: a batch curve, or the constants of a language engine.
            Every figure is checked on the last part of the record, which the fit has not seen.

            A record has a line a request: arrival, then execute_ms, batch_rows, queue_ms and elements for a batch
            curve, or tokens_in, tokens_out, first_token_ms and total_ms for a language model.

            Examples:
              spillway plan calibrate samples/plans/line-ocr.yaml --record requests.jsonl --out line-ocr.fit.yaml
              spillway plan calibrate samples/plans/line-ocr.yaml --record requests.csv --held-out 0.5 --json

            Exit codes: 0 fitted, 1 the record says too little, 2 mistakes in the plan or in the record.
            """)
        {
            file, record, candidate, model, heldOut, output, json,
        };
        command.SetAction(parsed => Run(new(parsed.GetValue(file)!, parsed.GetValue(record)!,
            parsed.GetValue(candidate), parsed.GetValue(model)!, parsed.GetValue(heldOut), parsed.GetValue(output),
            parsed.GetValue(json)), Console.Out, Console.Error));
        return command;
    }

    /// <summary>Reads, fits, says how far off it is.</summary>
    internal static int Run(CalibrateRequest asked, TextWriter output, TextWriter error)
    {
        if (asked.HeldOut is not (>= 0.05 and <= 0.95))
        {
            error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"--held-out {asked.HeldOut} is not from 0.05 "
                + $"to 0.95: both parts of the record need requests."));
            return Commands.Usage;
        }

        if (PlanFiles.Read(asked.Plan, error) is not { } plan)
            return Commands.Usage;
        var candidate = asked.Candidate is null ? plan.Candidates[0]
            : plan.Candidates.FirstOrDefault(c => c.Name == asked.Candidate);
        var file = PlanFiles.Open(asked.Record);
        if (candidate is null || file.Text is null)
        {
            error.WriteLine(candidate is null ? $"--candidate '{asked.Candidate}' is not in the plan."
                : $"The record {asked.Record} cannot be read: {file.Problem}");
            return Commands.Usage;
        }

        var fit = ServiceCalibration.Fit(plan, candidate, (Path.GetFileName(asked.Record), file.Text), asked.Model,
            asked.HeldOut);
        return fit.Result is { } result ? Answer(asked, result, output, error) : Refuse(fit, error);
    }

    private static int Refuse(CalibrationOutcome fit, TextWriter error)
    {
        error.Write(ConfigErrorText.Format(fit.Errors));
        if (fit.Fault is { } fault)
            error.WriteLine(fault.Message);
        return fit.Fault is null ? Commands.Usage : Commands.Failed;
    }

    private static int Answer(
        CalibrateRequest asked, CalibrationResult result, TextWriter output, TextWriter error)
    {
        if (asked.Out is { } path && !PlanFiles.Write(path, result.Yaml(), error))
            return Commands.Usage;
        if (asked.Json)
            output.WriteLine(Json(result));
        else
            Write(output, result, asked.Out);
        return Commands.Ok;
    }

    private static void Write(TextWriter output, CalibrationResult result, string? path)
    {
        output.WriteLine(Say($"{result.Variant} on {result.Machine}, calibrated: fitted to {result.Fitted:N0} requests "
            + $"of the first {result.CutSecond:0.#} s"));
        if (result.PassedOver > 0)
            output.WriteLine(Say($"  {result.PassedOver:N0} requests were passed over: not answered, or by another "
                + $"model"));
        foreach (var point in result.File.Curve)
            output.WriteLine(Say($"  a run of {point.Rows,4} rows {point.Ms,12:0.###} ms "
                + $"{point.Ms / point.Rows,12:0.###} ms a row"));
        if (result.File.Constants is { } c)
            output.WriteLine(Say($"  computePart {c.ComputePart:0.###}, memoryPart {c.MemoryPart:0.###}, stepMs "
                + $"{c.StepMs:0.###}, promptStepMs {c.PromptStepMs:0.###}, sequenceUs {c.SequenceUs:0.###}"));
        if (result.RunSpread is { } spread)
            output.WriteLine(Say($"  nine of ten runs lie within {spread * 100:0.#} % of it: runSpread "
                + $"{result.File.RunSpread:0.###}"));
        if (result.File.Before is { } own)
            output.WriteLine(Say($"  the server's own work, beside waiting and running: {own.Ms:0.###} ms a request"));
        output.WriteLine();
        output.WriteLine(Say($"Held out, {result.HeldOut:N0} later requests"));
        output.WriteLine(Say($"  {"",-36}{"measured",14}{"foretold",14}{"error",10}"));
        foreach (var one in result.File.HeldOut)
            output.WriteLine(Say($"  {one.What,-36}{one.Measured,11:0.###} {one.Unit}{one.Told,11:0.###} {one.Unit}"
                + $"{one.Error * 100,8:+0.0;-0.0} %"));
        if (result.File.HeldOut.Count == 0)
            output.WriteLine("  nothing to compare: nobody was answered in that time");
        output.WriteLine();
        output.WriteLine(path is null ? "Write it with --out fit.yaml, and name that file in the plan." : $"Written to "
            + $"{path}. In the plan: " + (result.File.Curve.Count > 0
                ? $"curveFiles: {{ {result.Machine}: {Path.GetFileName(path)} }}"
                : $"language: {{ constantsFile: {Path.GetFileName(path)} }}"));
    }

    private static string Json(CalibrationResult result)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("variant", result.Variant);
            json.WriteString("machine", result.Machine);
            json.WriteString("label", "calibrated");
            json.WriteString("source", result.File.Source);
            json.WriteNumber("fitted", result.Fitted);
            json.WriteNumber("held_out", result.HeldOut);
            json.WriteNumber("passed_over", result.PassedOver);
            json.WriteNumber("cut_second", Math.Round(result.CutSecond, 3));
            json.WriteStartArray("curve");
            foreach (var point in result.File.Curve)
            {
                json.WriteStartObject();
                json.WriteNumber("rows", point.Rows);
                json.WriteNumber("ms", point.Ms);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            if (result.RunSpread is { } spread)
                json.WriteNumber("run_spread", spread);
            if (result.File.Before is { } own)
            {
                json.WriteStartObject("before");
                json.WriteNumber("ms", own.Ms);
                json.WriteNumber("variation", own.Variation);
                json.WriteNumber("at_once", own.AtOnce);
                json.WriteEndObject();
            }

            if (result.File.Constants is { } constants)
            {
                json.WriteStartObject("constants");
                json.WriteNumber("compute_part", constants.ComputePart);
                json.WriteNumber("memory_part", constants.MemoryPart);
                json.WriteNumber("step_ms", constants.StepMs);
                json.WriteNumber("prompt_step_ms", constants.PromptStepMs);
                json.WriteNumber("sequence_us", constants.SequenceUs);
                json.WriteEndObject();
            }

            json.WriteStartArray("errors");
            foreach (var one in result.File.HeldOut)
            {
                json.WriteStartObject();
                json.WriteString("what", one.What);
                json.WriteNumber("measured", one.Measured);
                json.WriteNumber("told", one.Told);
                json.WriteString("unit", one.Unit);
                json.WriteNumber("error", Math.Round(one.Error, 4));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>The process has no culture but the invariant one.</summary>
    private static string Say(ref System.Runtime.CompilerServices.DefaultInterpolatedStringHandler text) =>
        text.ToStringAndClear();
}

/// <summary>What the command line asked for.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Record">The record.</param>
/// <param name="Candidate">What served; null for the first candidate.</param>
/// <param name="Model">The served name; empty for all.</param>
/// <param name="HeldOut">The part that is not fitted to.</param>
/// <param name="Out">Where to write the fit; null for nowhere.</param>
/// <param name="Json">JSON in place of text.</param>
internal sealed record CalibrateRequest(
    string Plan, string Record, string? Candidate, string Model, double HeldOut, string? Out, bool Json);
