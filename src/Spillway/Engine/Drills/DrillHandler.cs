using System.Globalization;
using System.Net;
using Spillway.Policies.Drills;

namespace Spillway.Engine.Drills;

/// <summary>
/// Stands between the client of a target and the network, so that what a drill does to a target comes from where it
/// would really come from: time-outs, breakers and retries meet it as they would meet the real thing.
/// </summary>
/// <param name="drills">What is broken.</param>
/// <param name="upstream">The upstream's name.</param>
/// <param name="target">The target's.</param>
/// <param name="clock">Of delays.</param>
/// <param name="network">What sends.</param>
internal sealed class DrillHandler(
    DrillSwitch drills, string upstream, string target, Clock clock, HttpMessageHandler network)
    : DelegatingHandler(network)
{
    /// <inheritdoc/>
    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken) =>
        drills.OfTarget(upstream, target) is { } run
            ? BrokenAsync(run, request, cancellationToken)
            : base.SendAsync(request, cancellationToken);

    private async Task<HttpResponseMessage> BrokenAsync(
        DrillRun run, HttpRequestMessage request, CancellationToken cancellation)
    {
        switch (run.Order.Kind)
        {
            case DrillKind.TargetDead:
                throw new HttpRequestException(
                    HttpRequestError.ConnectionError, $"the drill {run.Id} plays it dead");
            case DrillKind.TargetThrottled:
                return Throttled(run, request);
            case DrillKind.TargetSlow:
                await Task.Delay(run.Order.Delay, clock.Time, cancellation).ConfigureAwait(false);
                break;
            case DrillKind.Steps or DrillKind.Replica or DrillKind.Spike or DrillKind.Cache or DrillKind.Disk:
                break;
        }

        return await base.SendAsync(request, cancellation).ConfigureAwait(false);
    }

    private static HttpResponseMessage Throttled(DrillRun run, HttpRequestMessage request)
    {
        var answer = new HttpResponseMessage(HttpStatusCode.TooManyRequests)
        {
            RequestMessage = request,
            Content = new StringContent($$"""{"error":"the drill {{run.Id}} plays it throttled"}"""),
        };
        answer.Headers.TryAddWithoutValidation(
            "Retry-After", Math.Ceiling(run.Order.RetryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        answer.Headers.TryAddWithoutValidation(
            "retry-after-ms", run.Order.RetryAfter.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture));
        return answer;
    }
}
