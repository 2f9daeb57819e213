using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Spillway.Config;
using Spillway.Engine.Access;
using Spillway.Engine.Audit;
using Spillway.Runtimes;

namespace Spillway.Engine.Canary;

/// <summary>
/// Probes a model before this process loads it: a throw-away child loads it, warms it up, runs one row and the largest
/// batch. A crash of the native library, a hang or a lack of memory ends the child, and here is a sentence about it.
/// What passed is remembered with the model's fingerprint, so an unchanged model is not probed again: on disk with the
/// cache, and as long as this process lives by its digest, also without one. The child also
/// fills the cache of optimized models, so the load that follows is cheap. Thread-safe.
/// </summary>
public sealed class CanaryProbe(CanarySettings settings, TimeProvider time)
{
    private const string Loading = "loading";

    /// <summary>Reports that are remembered in memory; a server has fewer models.</summary>
    private const int PassedMax = 16_384;

    private readonly BoundedMap<string, CanaryReport> _passed = new(PassedMax);

    /// <summary>Digests by the stamps of the files, so that unchanged ones are hashed once.</summary>
    private readonly BoundedMap<string, string> _digests = new(PassedMax);

    /// <summary>False when there is no program to probe with.</summary>
    public bool IsOn => settings.Command.Count > 0;

    /// <summary>
    /// The report on a model that works, or the fault of one that does not. A remembered report costs a file or two
    /// to read. Null when probing is off.
    /// </summary>
    /// <param name="model">The model as declared.</param>
    /// <param name="runtime">What will load it; the child looks its own one up by name.</param>
    /// <param name="cancellation">Ends the child.</param>
    public Task<Outcome<CanaryReport>?> ProbeAsync(
        ModelOptions model, IRuntime runtime, CancellationToken cancellation) =>
        ProbeAsync(model, runtime, FilesAsFound.Of(model, runtime, cancellation), cancellation);

    /// <summary>The same. Nothing is remembered of files that are not the given ones when it ends.</summary>
    internal async Task<Outcome<CanaryReport>?> ProbeAsync(
        ModelOptions model, IRuntime runtime, FilesAsFound files, CancellationToken cancellation)
    {
        if (!IsOn)
            return null;
        var (source, conditions) = (Source(model), Conditions(model));
        if (Known(runtime.Proofs?.Find(source, conditions)) is { } known)
            return known;
        var digest = DigestOf(files);
        var key = digest.Length == 0 ? ""
            : $"{digest} {conditions} {JsonSerializer.Serialize(model.RuntimeOptions, runtime.OptionsType)}";
        if (key.Length > 0 && _passed.TryGet(key, out var passed))
            return passed;
        var question = new CanaryQuestion
        {
            Runtime = model.Runtime, Name = model.Name, File = model.File,
            Options = JsonSerializer.SerializeToElement(model.RuntimeOptions, runtime.OptionsType),
            Typical = model.Typical, RowsMax = model.Batching.BatchRowsMax,
            // Now: what is free when the server starts says nothing about an hour later.
            BytesMax = settings.BytesMax ?? settings.FreeBytes() / 10 * 9,
        };
        var outcome = await new CanaryProcess(settings, time).AskAsync(question, cancellation).ConfigureAwait(false);
        if (!outcome.TryGet(out var report, out var fault))
            return fault;
        if (!files.AreSame)
            return report;
        if (key.Length > 0)
            _passed.Set(key, report);
        runtime.Proofs?.Save(
            source, conditions, JsonSerializer.Serialize(new CanaryLine { Report = report },
                CanaryJson.Default.CanaryLine));
        return report;
    }

    /// <summary>
    /// True when an earlier process began to load exactly this model and did not live to end it: a probe is due even
    /// where models are otherwise trusted.
    /// </summary>
    public static bool EndedWithLastLoad(ModelOptions model, IRuntime runtime) =>
        runtime.Proofs?.Find(Source(model), Loading) is { } mark && !IsAlive(mark);

    /// <summary>
    /// Marks that this process loads the model now; dispose it when the load has ended, well or badly.
    /// </summary>
    public static IDisposable Mark(ModelOptions model, IRuntime runtime)
    {
        runtime.Proofs?.Save(Source(model), Loading, MarkOf(Process.GetCurrentProcess()));
        return new LoadMark(() => runtime.Proofs?.Save(Source(model), Loading, null));
    }

    private string DigestOf(FilesAsFound files)
    {
        var stamp = files.Stamp?.Files ?? "";
        if (stamp.Length > 0 && _digests.TryGet(stamp, out var known))
            return known;
        var digest = files.Digest();
        if (stamp.Length > 0 && files.AreSame)
            _digests.Set(stamp, digest);
        return digest;
    }

    private static ModelSource Source(ModelOptions model) => new(model.Name, model.File, model.RuntimeOptions!);

    private static string Conditions(ModelOptions model) => string.Create(
        CultureInfo.InvariantCulture, $"probe rows={model.Batching.BatchRowsMax} {TypicalText.Of(model.Typical)}");

    private static CanaryReport? Known(string? text)
    {
        try
        {
            return text is null ? null : JsonSerializer.Deserialize(text, CanaryJson.Default.CanaryLine)?.Report;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A process by its id and its start: in a container every server has the same id.</summary>
    private static string MarkOf(Process process)
    {
        using (process)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                    $"{process.Id} {new DateTimeOffset(process.StartTime).ToUnixTimeSeconds()}");
        }
    }

    /// <summary>Whether the process that left the mark still runs, as this one, or beside it.</summary>
    private static bool IsAlive(string mark)
    {
        const int RoundingSeconds = 2;
        if (mark.Split(' ') is not [var id, var start]
            || !int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !long.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var began))
            return false;
        try
        {
            using var process = Process.GetProcessById(number);
            return !process.HasExited
                && Math.Abs(new DateTimeOffset(process.StartTime).ToUnixTimeSeconds() - began) <= RoundingSeconds;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return false;
        }
    }

    private sealed class LoadMark(Action forget) : IDisposable
    {
        public void Dispose() => forget();
    }
}
