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
            if (Judge(part, state.Asked.Call, target) is { } unfit)
                return unfit;
            state.Name(part);
            state.Count(part);
            var judged = state.Guard(isStream: false);
            if (judged?.Take(body.AsSpan(0, length), default) is { } refused)
                return refused;
            state.PriceNow();
            began();
            state.Mark(Stage.Output);
            var isThere = await state.Sink.SendAsync(
                judged is { Changes: true, IsChanged: true } ? judged.Out.ToArray() : body.AsMemory(0, length))
                .ConfigureAwait(false);
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
        var (body, length) = await UpstreamBody.ReadAsync(response, most, options, phase, follows: false)
            .ConfigureAwait(false);
        var text = length < 0 ? [] : body.AsSpan(0, length).ToArray();
        ArrayPool<byte>.Shared.Return(body);
        return text;
    }

    private static Fault? Judge(in AnswerPart part, WireCall call, string target)
    {
        if (part.IsBroken)
            return Failed(target, "answered with a success that is no JSON object");
        if (part.HasError)
            return Failed(target, $"answered with a success that is an error: {part.ErrorMessage}");
        return (WireCalls.Writes(call) ? part.HasChoices : part.HasData) ? null
            : Failed(target, "answered with a success without an answer");
    }

    private static Fault Failed(string target, string how) =>
        new(FaultKind.UpstreamFailed, $"The upstream {target} {how}.");
}
