using Microsoft.Extensions.Logging;

namespace Spillway.Engine.Upstreams;

/// <summary>
/// Asks targets how they are, each on a loop of its own, until it is disposed or their upstream is gone. Thread-safe.
/// </summary>
/// <param name="clock">The clock of the pauses.</param>
/// <param name="logger">Where surprises are told.</param>
internal sealed class TargetWatch(Clock clock, ILogger logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _changing = new();
    private List<Task> _loops = [];
    private bool _isOver;

    /// <summary>Begins to ask the targets of an upstream.</summary>
    /// <param name="upstream">Its name, for the log.</param>
    /// <param name="targets">How many.</param>
    /// <param name="every">The pause between two questions.</param>
    /// <param name="ask">Asks a target by its index; false when it need not be asked again.</param>
    /// <param name="gone">The upstream is gone.</param>
    public void Start(
        string upstream, int targets, TimeSpan every, Func<int, CancellationToken, ValueTask<bool>> ask,
        CancellationToken gone = default)
    {
        lock (_changing)
        {
            if (_isOver)
                return;
            _loops =
            [
                .. _loops.Where(l => !l.IsCompleted),
                .. Enumerable.Range(0, targets).Select(target => LoopAsync(upstream, target, every, ask, gone)),
            ];
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_changing)
            _isOver = true;
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task LoopAsync(
        string upstream, int target, TimeSpan every, Func<int, CancellationToken, ValueTask<bool>> ask,
        CancellationToken gone)
    {
        await Task.Yield();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, gone);
        while (!either.IsCancellationRequested)
        {
            try
            {
                if (!await ask(target, either.Token).ConfigureAwait(false))
                    return;
                await Task.Delay(every, clock.Time, either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (either.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // A target that surprises must be asked again all the same.
            catch (Exception surprise)
#pragma warning restore CA1031
            {
                if (either.IsCancellationRequested)
                    return;
                UpstreamLog.ProbeThrew(logger, upstream, surprise);
                await Task.Delay(every, clock.Time, either.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
