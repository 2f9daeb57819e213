using System.Buffers;
using Microsoft.AspNetCore.Http;
using Spillway.Engine;

namespace Spillway.Protocols.Grpc;

/// <summary>Writes a stream's answers, each whole, between those of others.</summary>
internal sealed class StreamAnswers(ServerContext server, HttpContext http) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>An answer, or what went wrong in its place. Gives back what the request ended with.</summary>
    public async ValueTask<(Fault? Ended, long Sent)> SendAsync(Work work, string id, Fault? fault)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var (refused, behind, length) = Begin(work, id, fault);
            var gone = refused is null
                ? await ModelInferWriter.SendRawAsync(http, work, work.Outputs, behind).ConfigureAwait(false)
                : null;
            gone ??= await AnswerFlush.FlushAsync(http).ConfigureAwait(false);
            return (refused ?? gone, gone is null ? length : 0);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>The head of an answer, or an error in its place.</summary>
    private (Fault? Fault, long Behind, long Length) Begin(Work work, string id, Fault? fault)
    {
        var into = WireBuffer.OfThisThread;
        var behind = 0L;
        if (fault is null && !work.Answer.TryRead(out _))
            fault = new(FaultKind.Internal, "The answer was lost inside the server.");
        fault ??= work.Door.Classify(work);
        if (fault is null)
            ModelInferWriter.WriteHead(into, work, work.Outputs, id).TryGet(out behind, out fault);
        if (fault is not null)
            ModelInferWriter.WriteError(into, work, fault, id);
        work.Timeline.Mark(Stage.Output, server.Serving.Clock.EndOf(Stage.Output));
        var frame = into.Frame(behind);
        http.Response.BodyWriter.Write(frame);
        return (fault, behind, frame.Length + behind);
    }
}
