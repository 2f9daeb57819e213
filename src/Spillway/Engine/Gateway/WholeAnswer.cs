using System.Buffers;
using Spillway.Config;
using Spillway.Engine.Upstreams;

namespace Spillway.Engine.Gateway;

/// <summary>An answer that is no stream: read whole, looked at, passed on as it came.</summary>
internal static class WholeAnswer
{
    private const int FirstBuffer = 16 * 1024;

    private static readonly Fault s_gone = new(
        FaultKind.Cancelled, "The caller went away before the answer was whole.");

    /// <summary>Null when the caller has it; else why there is none, so that another attempt may be made.</summary>
    public static async ValueTask<Fault?> PassAsync(
        HttpResponseMessage response, ExchangeState state, Phase phase, UpstreamOptions options, string target,
        Action began)
    {
        var (body, length) = await ReadAsync(response, options.AnswerBytesMax, options, phase).ConfigureAwait(false);
        try
        {
            state.Mark(Stage.Execute);
            if (length < 0)
                return Failed(target, $"answered with more than {options.AnswerBytesMax:N0} bytes");
            var part = AnswerScan.Read(body.AsSpan(0, length), wantsNames: true);
            if (Judge(part, state.Asked.Call, target) is { } unfit)
                return unfit;
            state.Name(part);
            state.Count(part);
            var judged = state.Guard(isStream: false);
            if (judged?.Take(body.AsSpan(0, length), default) is { } refused)
                return refused;
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
        var (body, length) = await ReadAsync(response, most, options, phase).ConfigureAwait(false);
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

    private static async ValueTask<(byte[] Buffer, int Length)> ReadAsync(
        HttpResponseMessage response, int most, UpstreamOptions options, Phase phase)
    {
        var stream = await response.Content.ReadAsStreamAsync(phase.Token).ConfigureAwait(false);
        var announced = response.Content.Headers.ContentLength ?? 0;
        var (buffer, length) = (ArrayPool<byte>.Shared.Rent((int)Math.Clamp(announced, 1024, FirstBuffer)), 0);
        try
        {
            while (true)
            {
                // Some servers send the head at once and the body when the last token is written.
                if (length > 0)
                    phase.Enter("the next bytes", options.BetweenDeltasMs);
                if (length == buffer.Length)
                    Grow(ref buffer, most);
                var read = await stream.ReadAsync(buffer.AsMemory(length), phase.Token).ConfigureAwait(false);
                if (read == 0)
                    return (buffer, length);
                length += read;
                if (length > most)
                    return (buffer, -1);
                // Most answers come with their length and in one piece.
                if (length == announced)
                    return (buffer, length);
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    private static void Grow(ref byte[] buffer, int most)
    {
        var size = (int)Math.Min(2L * buffer.Length, Math.Max(most + 1L, buffer.Length + 1L));
        var larger = ArrayPool<byte>.Shared.Rent(size);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    private static Fault Failed(string target, string how) =>
        new(FaultKind.UpstreamFailed, $"The upstream {target} {how}.");
}
