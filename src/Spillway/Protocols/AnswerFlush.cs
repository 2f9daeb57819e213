using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols;

/// <summary>Hands what was written to the connection, and knows whether somebody still takes it.</summary>
internal static class AnswerFlush
{
    private static readonly Fault s_gone = new(FaultKind.Cancelled, "The caller went away while the answer was written.");

    /// <summary>Null when the connection took everything; else the caller is gone.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<Fault?> FlushAsync(HttpContext http)
    {
        try
        {
            // A caller that is gone is no exception here, and Kestrel hides that a send failed. But then it has closed
            // the socket; one whose client has merely finished is still connected.
            var flush = await http.Response.BodyWriter.FlushAsync().ConfigureAwait(false);
            return flush.IsCompleted || http.Features.Get<IConnectionSocketFeature>()?.Socket.Connected == false ? s_gone : null;
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            return s_gone;
        }
    }
}
