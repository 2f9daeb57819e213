using System.Buffers;
using Spillway.Config;
using Spillway.Engine.Upstreams;

namespace Spillway.Engine.Gateway;

/// <summary>An answer that is no stream: read whole, looked at, passed on as it came.</summary>
internal static class WholeAnswer
{
    private static readonly Fault s_gone = new(
        FaultKind.Cancelled, "The caller went away before the answer was whole.");

    /// <summary>Null when the caller has it; else why there is none, so that another attempt may be made.</summary>
    public static async ValueTask<Fault?> PassAsync(
        HttpResponseMessage response, ExchangeState state, Phase phase, UpstreamOptions options, string target,
        Action began)
    {
        var (body, length) = await UpstreamBody.ReadAsync(
            response, options.AnswerBytesMax, options, phase, follows: false).ConfigureAwait(false);
        try
        {
            state.Mark(Stage.Execute);
            if (length < 0)
                return Failed(target, $"answered with more than {options.AnswerBytesMax:N0} bytes");
            var part = AnswerScan.Read(body.AsSpan(0, length), wantsNames: true, state.Text);
            if (Judge(part, state.Asked, target) is { } unfit)
                return unfit;
            state.Name(part);
            state.Count(part, isEnded: true);
            if (!Form(body.AsMemory(0, length), part, state, target).TryGet(out var answer, out var refused))
                return refused;
            state.PriceNow();
            began();
            state.Mark(Stage.Output);
            var sending = state.Sink.SendAsync(answer);
            var from = state.Clock.Now;
            var isWaiting = !sending.IsCompleted;
            var isThere = await sending.ConfigureAwait(false);
            state.Facts.Untaken += isWaiting ? state.Clock.Now - from : TimeSpan.Zero;
            state.Mark(Stage.Write);
            return isThere ? null : s_gone;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(body);
        }
    }

    /// <summary>The body of a refusal, as much of it as is looked at.</summary>
    public static async ValueTask<byte[]> RefusalAsync(
        HttpResponseMessage response, int most, UpstreamOptions options, Phase phase)
    {
        var (body, length) = await UpstreamBody.ReadAsync(response, most, options, phase, follows: true)
            .ConfigureAwait(false);
        var text = length < 0 ? [] : body.AsSpan(0, length).ToArray();
        ArrayPool<byte>.Shared.Return(body);
        return text;
    }

    /// <summary>What the caller gets: the body as it came, or as rules or the form that was asked for want.</summary>
    private static Outcome<ReadOnlyMemory<byte>> Form(
        ReadOnlyMemory<byte> body, in AnswerPart part, ExchangeState state, string target)
    {
        if (part.HasNumbers && state.Asked.Call is WireCall.Embedding && VectorText.IsAsked(state.Asked.Bytes.Span))
        {
            if (VectorText.AsBase64(body.Span) is not { } turned)
                return Failed(target, "answered with an embedding that is no list of numbers");
            body = turned;
        }

        var guard = state.Guard(isStream: false);
        if (guard?.Take(body.Span, default) is { } refused)
            return refused;
        if (guard is { Changes: true, IsChanged: true })
            body = guard.Out.ToArray();
        return body;
    }

    private static Fault? Judge(in AnswerPart part, AskedBody asked, string target)
    {
        if (part.IsBroken)
            return Failed(target, "answered with a success that is no JSON object");
        if (part.HasError)
            return Failed(target, $"answered with a success that is an error: {part.ErrorMessage}");
        if (!(WireCalls.Writes(asked.Call) ? part.HasAnswer : part.DataCount > 0))
            return Failed(target, "answered with a success without an answer");
        // A text, and a list of tokens, is one input.
        var inputs = Math.Max(1, asked.Messages);
        return asked.Call is WireCall.Embedding && part.DataCount != inputs
            ? Failed(target, FormattableString.Invariant($"answered {inputs} inputs with {part.DataCount} embeddings"))
            : null;
    }

    private static Fault Failed(string target, string how) =>
        new(FaultKind.UpstreamFailed, $"The upstream {target} {how}.");
}
