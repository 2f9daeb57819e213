using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Spillway.Client;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Protocols;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Hosting;

/// <summary>
/// Asks the models of this process: the same steps, checks, deadlines and records as for a request from the wire,
/// without a socket and without JSON. Inputs are read where the call has them; outputs are copied once.
/// </summary>
internal sealed class InProcessClient(SpillwayServer server) : IInferenceClient
{
    private static readonly Fault s_bug = new(FaultKind.Internal, "An internal error inside Spillway.");

    private readonly ServerContext _context = server.Context;
    private readonly Serving _serving = server.Serving;

    /// <inheritdoc/>
    public async Task<InferenceReply> InferAsync(InferenceCall call, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(call);
        call.Check();
        cancellation.ThrowIfCancellationRequested();
        if (!ModelLookup.Find(_serving, call.Model, call.Version).TryGet(out var door, out var unknown))
        {
            _context.Recorder.Unrouted(unknown.Kind);
            throw new InferenceException(unknown);
        }

        var clock = _serving.Clock;
        var trace = Trace();
        var request = trace.Span.ToString("x16", CultureInfo.InvariantCulture);
        var work = _serving.Rent(clock.Now);
        work.Door = door;
        var (ended, reply, here) = ((Fault?)s_bug, (InferenceReply?)null, true);
        try
        {
            work.Timeline.Mark(Stage.Receive, clock.EndOf(Stage.Receive));
            var fault = IsAbsent(door) ? await LoadAsync(work, call, cancellation).ConfigureAwait(false) : null;
            here = !IsAbsent(door);
            fault ??= CallTranslation.Read(call, work, _serving.Stopping);
            work.Timeline.Mark(Stage.Parse, clock.EndOf(Stage.Parse));
            if (fault is null)
            {
                var run = _serving.Pipeline.RunAsync(work, _serving.Stopping, cancellation);
                here &= run.IsCompleted;
                fault = await run.ConfigureAwait(false);
            }

            if (fault is null && !CallTranslation.Reply(work, request).TryGet(out reply, out var lost))
                fault = lost;
            work.Timeline.Mark(Stage.Output, clock.EndOf(Stage.Output));
            ended = fault;
        }
        finally
        {
            work.Timeline.Mark(Stage.Write, clock.EndOf(Stage.Write));
            var status = ended is null ? 200 : FaultMapping.Status(ended.Kind);
            _context.Close(work, held: 0, new(
                request, trace.Trace, ended, status, call.Inputs.Sum(i => (long)i.Data.Length),
                reply?.Outputs.Sum(o => (long)o.Data.Length) ?? 0));
        }

        // Readers of a batch go on one after the other on a thread of the server: the caller's code must not.
        if (!here)
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (ended is null)
            return reply!;
        if (ended.Kind is FaultKind.Cancelled && cancellation.IsCancellationRequested)
            throw new OperationCanceledException(ended.Message, cancellation);
        throw new InferenceException(ended);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<InferenceReply> StreamAsync(
        InferenceCall call, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        yield return await InferAsync(call, cancellation).ConfigureAwait(false);
    }

    private bool IsAbsent(Door door) =>
        door is { Signature: null, Route.State: RouteState.Absent } && !_serving.Stopping;

    private ValueTask<Fault?> LoadAsync(Work work, InferenceCall call, CancellationToken cancellation)
    {
        work.Request.Timeout = call.Deadline;
        return _serving.Pipeline.LoadAsync(work, cancellation);
    }

    /// <summary>A child of what the application is doing, when that is traced.</summary>
    private TraceContext Trace() =>
        Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id } && TraceContext.TryParse(id, out var around)
            ? around.Child(_context.Spans)
            : TraceContext.Root(_context.Spans);
}
