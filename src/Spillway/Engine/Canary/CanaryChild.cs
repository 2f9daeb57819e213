using System.Text.Json;
using Spillway.Runtimes;

namespace Spillway.Engine.Canary;

/// <summary>
/// The inside of the throw-away process: loads one model, runs it with one row and with the largest batch, and says
/// each step before it takes it, so that the parent knows how far it came when it dies.
/// </summary>
/// <param name="runtimes">By name.</param>
/// <param name="time">For the durations in the report.</param>
/// <param name="memory">The process's memory that no file backs; null where nothing tells.</param>
/// <param name="limit">Limits what this process may take from now on, in bytes.</param>
public sealed class CanaryChild(
    IReadOnlyDictionary<string, IRuntime> runtimes, TimeProvider time, Func<long?> memory, Action<long> limit)
{
    /// <summary>Answers the one question that is asked; true when the model works.</summary>
    public bool Run(TextReader input, TextWriter output, CancellationToken cancellation)
    {
        var question = JsonSerializer.Deserialize(input.ReadToEnd(), CanaryJson.Default.CanaryQuestion)
            ?? throw new InvalidDataException("There is no question on the standard input.");
        try
        {
            return Answer(question, output, cancellation);
        }
        catch (OutOfMemoryException)
        {
            Say(output, new() { Error = TooLarge(question) });
            return false;
        }
    }

    private static string TooLarge(CanaryQuestion question) => question.BytesMax is { } most
        ? $"it needs more memory than the {most / 1_000_000} MB there are for it. "
            + "Lower batching.batchRowsMax, unload others, or use a larger machine."
        : "it needs more memory than there is.";

    private static void Say(TextWriter output, CanaryLine line)
    {
        output.WriteLine(JsonSerializer.Serialize(line, CanaryJson.Default.CanaryLine));
        output.Flush();
    }

    private static string Text(TensorSpec port) => $"{port.Name} {port.Type.WireName()} {port.Shape}";

    private bool Answer(CanaryQuestion question, TextWriter output, CancellationToken cancellation)
    {
        var runtime = runtimes[question.Runtime];
        var source = new ModelSource(
            question.Name, question.File, question.Options.Deserialize(runtime.OptionsType)
                ?? throw new InvalidDataException("The question has no options."));
        if (question.BytesMax is { } bytes)
            limit(bytes);
        var before = memory();
        Say(output, new() { Stage = "load" });
        var began = time.GetTimestamp();
        if (!runtime.Load(source, cancellation).TryGet(out var model, out var fault))
        {
            Say(output, new() { Error = Blame(question, fault) });
            return false;
        }

        using (model)
        {
            var loadMs = time.GetElapsedTime(began).TotalMilliseconds;
            var loaded = memory() - before;
            var most = TypicalItem.RowsWithin(model.Signature, question.Typical, model.Signature.Batched
                ? question.RowsMax : 1);
            if (most == 0)
            {
                Say(output, new()
                {
                    Error = "one row of its typical shape is too large to try. Lower typical in its model.yaml.",
                });
                return false;
            }

            var rows = most > 1 ? [1, most] : new[] { 1 };
            var items = rows.Select(r => new TypicalItem(model.Signature, question.Typical, r)).ToList();
            List<CanaryRun> runs = [];
            if (RunAll(model, items, output, runs) is { } failed)
            {
                Say(output, new() { Error = Blame(question, failed) });
                return false;
            }

            Say(output, new()
            {
                Report = new()
                {
                    Inputs = [.. model.Signature.Inputs.Select(Text)],
                    Outputs = [.. model.Signature.Outputs.Select(Text)],
                    Batched = model.Signature.Batched,
                    LoadMs = loadMs, LoadedBytes = loaded, PeakBytes = memory() - before, Runs = runs,
                },
            });
            Say(output, new() { Stage = "prepare" });
            Say(output, new() { Prepared = Prepare(runtime, source, items, cancellation) });
            items.ForEach(static item => item.Dispose());
        }

        return true;
    }

    private static string Blame(CanaryQuestion question, Fault fault) =>
        fault.Message.Contains("bad_alloc", StringComparison.Ordinal)
            || fault.Message.Contains("Failed to allocate", StringComparison.Ordinal)
            ? TooLarge(question)
            : fault.Message;

    private Fault? RunAll(ILoadedModel model, List<TypicalItem> items, TextWriter output, List<CanaryRun> runs)
    {
        if (!model.CreateReplica(0).TryGet(out var replica, out var fault))
            return fault;
        using (replica)
        {
            foreach (var item in items)
            {
                Say(output, new() { Stage = "run", Rows = item.Rows });
                var began = time.GetTimestamp();
                if (item.Run(replica) is { } failed)
                    return failed;
                runs.Add(new(item.Rows, time.GetElapsedTime(began).TotalMilliseconds));
            }
        }

        return null;
    }

    /// <summary>Keeps the prepared form when it answers byte for byte what the ordinary one does.</summary>
    private static bool Prepare(
        IRuntime runtime, ModelSource source, List<TypicalItem> items, CancellationToken cancellation)
    {
        using var form = runtime.Prepare(source, cancellation);
        if (form is null || !form.Model.CreateReplica(0).TryGet(out var replica, out _))
            return false;
        using (replica)
        {
            foreach (var item in items)
            {
                var expected = item.Outputs.ToList();
                if (item.Run(replica) is not null
                    || !item.Outputs.Zip(expected, static (a, b) => a.AsSpan().SequenceEqual(b))
                        .All(static same => same))
                    return false;
            }
        }

        form.Keep();
        return true;
    }
}
