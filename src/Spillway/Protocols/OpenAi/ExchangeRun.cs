using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;
using Spillway.Engine.Gateway;

namespace Spillway.Protocols.OpenAi;

/// <summary>
/// Runs an exchange, once for all who ask the same under one Idempotency-Key. Streams are not kept: each runs.
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

    /// <summary>Null when the caller has its answer; with a refusal in its own words, where there are such.</summary>
    public async ValueTask<(Fault? Fault, (int Status, byte[] Body)? Refusal)> RunAsync(
        HttpContext http, ChatRoute route, AskedBody asked, Work work, IOpenAiSink sink, CancellationToken gone)
    {
        if (asked.Stream || !http.Request.Headers.TryGetValue(KeyName, out var given))
            return await AskAsync(route, asked, work, sink, gone).ConfigureAwait(false);
        if (given is not [{ Length: > 0 and <= KeyLengthMax } key])
            return (Fault.Invalid($"The header {KeyName} has 1 to {KeyLengthMax} characters."), null);
        var scope = $"{work.Caller.Tenant}\n{work.Caller.Key}\n{http.Request.Path}\n{key}";
        var digest = Convert.ToHexStringLower(SHA256.HashData(asked.Bytes.Span));
        while (true)
        {
            if (!kept.Enter(work.Caller.Tenant, scope, digest, out var isFirst).TryGet(out var entry, out var other))
                return (other, (OtherBodyStatus, OpenAiErrors.Body(other)));
            if (isFirst)
                return await FirstAsync(entry, route, asked, work, sink, gone).ConfigureAwait(false);
            byte[]? answer;
            try
            {
                answer = await entry.Answer.Task.WaitAsync(Left(route, work), serving.Clock.Time, gone)
                    .ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return (s_late, null);
            }
            catch (OperationCanceledException)
            {
                return (s_left, null);
            }

            // The first one had none: this one asks.
            if (answer is null)
                continue;
            http.Response.Headers[ReplayedName] = "true";
            return (await sink.SendAsync(answer).ConfigureAwait(false) ? null : s_left, null);
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
        IdempotentEntry entry, ChatRoute route, AskedBody asked, Work work, IOpenAiSink sink, CancellationToken gone)
    {
        var keeps = new KeepingSink(sink, kept, entry);
        try
        {
            return await AskAsync(route, asked, work, keeps, gone).ConfigureAwait(false);
        }
        finally
        {
            kept.Complete(entry, keeps.Body);
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
