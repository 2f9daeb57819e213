using System.Buffers;
using Spillway.Config;

namespace Spillway.Engine.Upstreams;

/// <summary>Reads an upstream's answer whole, no further than it may be long.</summary>
internal static class UpstreamBody
{
    /// <summary>The first buffer; what an answer announces is not believed beyond it.</summary>
    private const int FirstBuffer = 16 * 1024;

    /// <summary>
    /// The whole body in a buffer of the shared pool, which the caller returns; a length of -1 when it is longer than
    /// allowed.
    /// </summary>
    /// <param name="response">Its head is there.</param>
    /// <param name="most">The most bytes.</param>
    /// <param name="options">How long it may be silent.</param>
    /// <param name="phase">Bounds each wait.</param>
    /// <param name="follows">
    /// Whether the body follows its head at once, so that the first wait is bounded as the others are. Servers of
    /// language models send the head and, when the last token is written, the body.
    /// </param>
    public static async ValueTask<(byte[] Buffer, int Length)> ReadAsync(
        HttpResponseMessage response, int most, UpstreamOptions options, Phase phase, bool follows)
    {
        if (follows)
            phase.Enter("the next bytes", options.BetweenDeltasMs);
        var stream = await response.Content.ReadAsStreamAsync(phase.Token).ConfigureAwait(false);
        var announced = response.Content.Headers.ContentLength ?? 0;
        var (buffer, length) = (ArrayPool<byte>.Shared.Rent((int)Math.Clamp(announced, 1024, FirstBuffer)), 0);
        try
        {
            while (true)
            {
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
}
