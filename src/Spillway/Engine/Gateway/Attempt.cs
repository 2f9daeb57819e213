using Spillway.Engine.Upstreams;

namespace Spillway.Engine.Gateway;

/// <summary>
/// Asks a target once, with as many of its keys as it refuses. Every way to fail is a fault; nothing of an answer is
/// sent before there is content.
/// </summary>
/// <param name="upstream">Whose target.</param>
/// <param name="call">What is asked.</param>
/// <param name="body">As the upstream gets it.</param>
/// <param name="state">What is known of the request.</param>
/// <param name="trace">Its place in a trace; null for none.</param>
internal sealed class Attempt(
    GatewayUpstream upstream, WireCall call, byte[] body, ExchangeState state, string? trace)
{
    private const int RefusalBytesMax = 64 * 1024;

    private static readonly Fault s_broken =
        new(FaultKind.Internal, "An internal error; the server's log has the details.");

    private readonly ConnectTime _connect = new();

    /// <summary>The target said not to try again.</summary>
    public bool ToldNot { get; private set; }

    /// <summary>The target said that its key has no money left.</summary>
    public bool IsSpent { get; private set; }

    /// <summary>The target's own words about the request; null for none.</summary>
    public (int Status, byte[] Body)? Refusal { get; private set; }

    /// <summary>Null when the caller has the answer.</summary>
    public async ValueTask<Fault?> RunAsync(UpstreamTurn turn, Instant deadline, CancellationToken stop)
    {
        Fault? fault = s_broken;
        var target = upstream[turn.Target];
        (ToldNot, IsSpent, Refusal) = (false, false, null);
        state.Facts.Target = target.Name;
        state.Sent();
        using var phase = new Phase(upstream.Options, state.Clock, deadline, stop);
        try
        {
            return fault = await AskAsync(turn, target, phase).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return fault = phase.Explain(target.Name, e);
        }
        finally
        {
            state.Mark(Stage.Execute);
            upstream.Choice.Ended(turn, fault);
        }
    }

    private async ValueTask<Fault?> AskAsync(UpstreamTurn turn, GatewayTarget target, Phase phase)
    {
        var options = upstream.Options;
        // An answer that is no stream has its first byte when the last token is written.
        phase.Enter("the first token", state.Asked.Stream ? options.FirstDeltaMs : options.TotalMs);
        while (true)
        {
            var (index, key) = target.Keys.Take(state.Clock.Now);
            _connect.Took = TimeSpan.Zero;
            using var response = await target.SendAsync(call, body, key, trace, _connect, phase.Token)
                .ConfigureAwait(false);
            state.Facts.Connect += _connect.Took;
            if (response.IsSuccessStatusCode)
                return await PassAsync(turn, response, target, phase).ConfigureAwait(false);
            var words = await WholeAnswer.RefusalAsync(response, RefusalBytesMax, options, phase).ConfigureAwait(false);
            var refusal = GatewayFaults.Of(target.Name, response, words, state.Clock.Time.GetUtcNow());
            if (refusal.IsKeys && target.Keys.Refused(index, key, state.Clock.Now))
                continue;
            (ToldNot, IsSpent) = (refusal.ToldNot || refusal.IsKeys, refusal.IsSpent);
            Refusal = refusal.IsCallers ? ((int)response.StatusCode, words) : null;
            return refusal.Fault;
        }
    }

    private async ValueTask<Fault?> PassAsync(
        UpstreamTurn turn, HttpResponseMessage response, GatewayTarget target, Phase phase)
    {
        void Began()
        {
            // How long a whole answer takes is the length of the answer, and nothing of the target's load.
            if (state.Asked.Stream || !WireCalls.Writes(call))
                upstream.Choice.Began(turn);
            // The caller's own time bounds the wait for a stream, not the stream.
            if (state.Asked.Stream)
                phase.Release("the next bytes", upstream.Options.BetweenDeltasMs);
        }

        if (!state.Asked.Stream)
        {
            return await WholeAnswer.PassAsync(response, state, phase, upstream.Options, target.Name, Began)
                .ConfigureAwait(false);
        }

        if (response.Content.Headers.ContentType?.MediaType != "text/event-stream")
        {
            return new(FaultKind.UpstreamFailed, $"The upstream {target.Name} was asked for a stream and answered with "
                + "none (Content-Type).");
        }

        var body = await response.Content.ReadAsStreamAsync(phase.Token).ConfigureAwait(false);
        using var pump = new StreamPump(body, state, phase, upstream.Options, target.Name, Began);
        return await pump.RunAsync().ConfigureAwait(false);
    }
}
