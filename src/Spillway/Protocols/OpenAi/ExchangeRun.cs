using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Engine.Gateway;

namespace Spillway.Protocols.OpenAi;

/// <summary>
/// Runs an exchange, once for all who ask the same under one Idempotency-Key. A whole answer is given again; of a
/// stream is only known that it was given, so who asks for it again is told that. What is given again passes switches
/// and limits as everything does, and costs nothing.
/// </summary>
/// <param name="serving">The server.</param>
/// <param name="kept">Answers under keys.</param>
internal sealed class ExchangeRun(Serving serving, IdempotentAnswers kept)
{
    /// <summary>In: who asks twice under it is answered once.</summary>
    public const string KeyName = "Idempotency-Key";

    /// <summary>Out: the answer is that of an earlier request.</summary>
    public const string ReplayedName = "Idempotent-Replayed";

    private const int KeyLengthMax = 256;
    private const int OtherBodyStatus = 422;

    private static readonly Fault s_left = new(
        FaultKind.Cancelled, "The caller went away before the answer was there.");

    private static readonly Fault s_late = new(FaultKind.DeadlineExceeded,
        "Request timeout expired: the deadline came while the first request under this Idempotency-Key was under way. "
        + "Give more time, or ask again later under the same key.");

    private static readonly Fault s_streaming = Fault.Invalid(
        "A stream under this Idempotency-Key is under way, and streams are not shared. Wait for its end: if it breaks "
        + "off, the same request under the same key runs again. Or ask under another key.");

    private static readonly Fault s_streamed = Fault.Invalid(
        "The stream under this Idempotency-Key was given to its end, and streams are not kept. Ask under another key "
        + "for a new one, or without \"stream\" for answers that are kept.");

    /// <summary>Null when the caller has its answer; with a refusal in its own words, where there are such.</summary>
    /// <param name="http">The request.</param>
    /// <param name="route">Where it goes.</param>
    /// <param name="asked">What is asked.</param>
    /// <param name="work">Its record.</param>
    /// <param name="wire">The caller's connection.</param>
    /// <param name="sink">The same, in the form that the caller asked for.</param>
    /// <param name="gone">The caller left.</param>
    public async ValueTask<(Fault? Fault, (int Status, byte[] Body)? Refusal)> RunAsync(
        HttpContext http, ChatRoute route, AskedBody asked, Work work, OpenAiSink wire, IOpenAiSink sink,
        CancellationToken gone)
    {
        if (!http.Request.Headers.TryGetValue(KeyName, out var given))
            return await AskAsync(route, asked, work, sink, gone).ConfigureAwait(false);
        if (given is not [{ Length: > 0 and <= KeyLengthMax } key])
            return (Fault.Invalid($"The header {KeyName} has 1 to {KeyLengthMax} characters."), null);
        if (Exchange.Gate(serving, route, work) is { } shut)
            return (shut, null);
        var scope = $"{work.Caller.Tenant}\n{work.Caller.Key}\n{http.Request.Path}\n{key}";
        var digest = Convert.ToHexStringLower(SHA256.HashData(asked.Bytes.Span));
        while (true)
        {
            if (!kept.Enter(work.Caller.Tenant, scope, digest, out var isFirst).TryGet(out var entry, out var other))
                return (other, (OtherBodyStatus, OpenAiErrors.Body(other)));
            if (isFirst)
                return await FirstAsync(entry, route, asked, work, wire, sink, gone).ConfigureAwait(false);
            if (asked.Stream)
                return Taken(http, entry);
            var (answer, fault) = await JoinAsync(entry, route, asked, work, gone).ConfigureAwait(false);
            if (fault is not null)
                return (fault, null);
            // The first one had none: this one asks.
            if (answer is null)
                continue;
            AnswerKeeper.Tell(answer, http.Response.Headers);
            http.Response.Headers[ReplayedName] = "true";
            return (await wire.SendAsync(answer.Body).ConfigureAwait(false) ? null : s_left, null);
        }
    }

    /// <summary>A second stream under one key: clients come again by themselves after a 409, which is of use only
    /// while the first one may still break off.</summary>
    private static (Fault? Fault, (int Status, byte[] Body)? Refusal) Taken(HttpContext http, IdempotentEntry entry)
    {
        var isOver = entry.Answer.Task.IsCompleted;
        if (isOver)
            http.Response.Headers["x-should-retry"] = "false";
        else
            http.Response.Headers["retry-after-ms"] = "1000";
        var fault = isOver ? s_streamed : s_streaming;
        return (fault, (StatusCodes.Status409Conflict, OpenAiErrors.Body(fault)));
    }

    /// <summary>The answer of the first one, once this one may have it; null when that one had none.</summary>
    private async ValueTask<(KeptAnswer? Answer, Fault? Fault)> JoinAsync(
        IdempotentEntry entry, ChatRoute route, AskedBody asked, Work work, CancellationToken gone)
    {
        try
        {
            var answer = await entry.Answer.Task.WaitAsync(Left(route, work), serving.Clock.Time, gone)
                .ConfigureAwait(false);
            // Only now: a place that it held while it waits might be the one that the first waits for.
            return answer is null ? default
                : (answer, await AdmitAsync(route, asked, work, gone).ConfigureAwait(false));
        }
        catch (TimeoutException)
        {
            return (null, s_late);
        }
        catch (OperationCanceledException)
        {
            return (null, s_left);
        }
    }

    /// <summary>Switches, rights and rates of a request that asks no upstream; null when it may have its
    /// answer.</summary>
    private async ValueTask<Fault?> AdmitAsync(ChatRoute route, AskedBody asked, Work work, CancellationToken gone)
    {
        work.Tokens = new(AtMost: 0, Used: 0, asked.Bytes.Length);
        work.Claim = new()
        {
            Rows = 1, Elements = 1, Started = work.Timeline.Started, Timeout = work.Request.Timeout,
        };
        while (true)
        {
            if (Exchange.Gate(serving, route, work) is { } shut)
                return shut;
            if (serving.Guards.Desk is not { } desk)
                return null;
            var (again, fault) = await desk.EnterAsync(work, gone).ConfigureAwait(false);
            if (!again)
                return fault;
        }
    }

    /// <summary>Its own time, for the first one may have more: the caller's, or else the route's.</summary>
    private TimeSpan Left(ChatRoute route, Work work)
    {
        var own = route.Memory.Options.DeadlineMs;
        if ((work.Request.Timeout ?? (own > 0 ? TimeSpan.FromMilliseconds(own) : null)) is not { } time)
            return Timeout.InfiniteTimeSpan;
        var left = work.Timeline.Started + time - serving.Clock.Now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private async ValueTask<(Fault? Fault, (int Status, byte[] Body)? Refusal)> FirstAsync(
        IdempotentEntry entry, ChatRoute route, AskedBody asked, Work work, OpenAiSink wire, IOpenAiSink sink,
        CancellationToken gone)
    {
        var keeper = wire.Keeper = new(kept, entry);
        var isStreamed = false;
        try
        {
            var (fault, refusal) = await AskAsync(route, asked, work, sink, gone).ConfigureAwait(false);
            isStreamed = asked.Stream && fault is null;
            return (fault, refusal);
        }
        finally
        {
            kept.Complete(entry, isStreamed ? KeptAnswer.Streamed : keeper.Answer);
        }
    }

    private async ValueTask<(Fault? Fault, (int Status, byte[] Body)? Refusal)> AskAsync(
        ChatRoute route, AskedBody asked, Work work, IOpenAiSink sink, CancellationToken gone)
    {
        using var exchange = new Exchange(serving, route, asked, work, sink);
        var fault = await exchange.RunAsync(gone).ConfigureAwait(false);
        return (fault, exchange.Refusal);
    }
}
