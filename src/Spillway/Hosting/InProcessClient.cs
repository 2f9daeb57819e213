using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Spillway.Client;
using Spillway.Engine;
using Spillway.Flow;
using Spillway.Protocols;
using Spillway.Protocols.Access;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Hosting;

/// <summary>
/// Asks the models of this process: the same steps, checks, deadlines and records as for a request from the wire,
/// without a socket and without JSON. Inputs are read where the call has them; outputs are copied once.
/// </summary>
internal sealed class InProcessClient(SpillwayServer server, SpillwayHostOptions options) : IInferenceClient
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
        if (AccessRights.Model(_context, options.Caller, call.Model) is { } forbidden)
            throw new InferenceException(forbidden);
        if (!ModelLookup.Find(_serving, call.Model, call.Version).TryGet(out var door, out var unknown))
        {
            _context.Recorder.Unrouted(unknown.Kind);
            throw new InferenceException(unknown);
        }

        var (outcome, here) = await AskAsync(call, door, cancellation).ConfigureAwait(false);
        // Readers of a batch go on one after the other on a thread of the server: the caller's code must not.
        if (!here)
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (outcome.TryGet(out var reply, out var fault))
            return reply;
        if (fault.Kind is FaultKind.Cancelled && cancellation.IsCancellationRequested)
            throw new OperationCanceledException(fault.Message, cancellation);
        throw new InferenceException(fault);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<InferenceReply> StreamAsync(
        InferenceCall call, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        yield return await InferAsync(call, cancellation).ConfigureAwait(false);
    }

    /// <summary>The whole life of a request; and whether it ended on the thread that it came on.</summary>
    private async ValueTask<(Outcome<InferenceReply> Outcome, bool Here)> AskAsync(
        InferenceCall call, Door door, CancellationToken cancellation)
    {
        var clock = _serving.Clock;
        var tags = Tags();
        var work = _serving.Rent(clock.Now);
        (work.Door, work.Caller) = (door, options.Caller);
        // What is recorded when something here throws.
        Outcome<InferenceReply> outcome = s_bug;
        try
        {
            work.Timeline.Mark(Stage.Receive, clock.EndOf(Stage.Receive));
            var run = RunAsync(work, call, cancellation);
            var here = run.IsCompleted;
            outcome = await run.ConfigureAwait(false) is { } fault
                ? fault : CallTranslation.Reply(work, tags.RequestId);
            work.Timeline.Mark(Stage.Output, clock.EndOf(Stage.Output));
            return (outcome, here);
        }
        finally
        {
            work.Timeline.Mark(Stage.Write, clock.EndOf(Stage.Write));
            _context.Close(work, held: 0, CallTranslation.Delivery(call, outcome, tags));
        }
    }

    private async ValueTask<Fault?> RunAsync(Work work, InferenceCall call, CancellationToken cancellation)
    {
        var fault = default(Fault);
        if (work.Door is { Signature: null, Route.State: RouteState.Absent } && !_serving.Stopping)
        {
            work.Request.Timeout = call.Deadline;
            fault = await _serving.Pipeline.LoadAsync(work, cancellation).ConfigureAwait(false);
        }

        fault ??= CallTranslation.Read(call, work, _serving.Stopping);
        work.Timeline.Mark(Stage.Parse, _serving.Clock.EndOf(Stage.Parse));
        return fault ?? await _serving.Pipeline.RunAsync(work, _serving.Stopping, cancellation).ConfigureAwait(false);
    }

    /// <summary>A child of what the application is doing, when that is traced.</summary>
    private RequestTags Tags()
    {
        var around = default(TraceContext);
        var trace = Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id }
            && TraceContext.TryParse(id, out around) ? around.Child(_context.Spans) : TraceContext.Root(_context.Spans);
        return new(trace.Span.ToString("x16", CultureInfo.InvariantCulture), trace, around.Span);
    }
}
