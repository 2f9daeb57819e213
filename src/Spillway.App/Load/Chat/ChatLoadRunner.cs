namespace Spillway.App.Load.Chat;

/// <summary>
/// Sends a plan's requests when they are due, however the server fares, or as many at once as were asked for, and waits
/// for the last answer.
/// </summary>
internal static class ChatLoadRunner
{
    /// <summary>Requests under way at once in an open loop: beyond it this machine would be what is measured.</summary>
    private const int UnderMax = 20_000;

    /// <summary>Runs it; the time that it took in seconds.</summary>
    public static async Task<double> RunAsync(
        ChatLoadOptions options, ChatLoadReport report, LoadClock clock, CancellationToken stop)
    {
        using var asker = new ChatAsker(options, clock);
        var began = clock.Now;
        if (options.Rate > 0 || options.Trace is not null)
            await OpenAsync(options, report, asker, clock, stop);
        else
            await ClosedAsync(options, report, asker, clock, stop);
        return (clock.Now - began) / (double)LoadClock.PerSecond;
    }

    private static async Task OpenAsync(
        ChatLoadOptions options, ChatLoadReport report, ChatAsker asker, LoadClock clock, CancellationToken stop)
    {
        List<Task> under = [];
        var began = clock.Now;
        foreach (var planned in ChatPlan.Make(options))
        {
            var due = began + planned.DueNs;
            if (due - clock.Now is > 0 and var wait)
                await Task.Delay(TimeSpan.FromTicks(wait / 100), clock.Time, stop).ConfigureAwait(
                    ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
                break;
            under.RemoveAll(t => t.IsCompletedSuccessfully);
            if (under.Count >= UnderMax)
                throw LoadException.Failed(
                    $"{UnderMax:N0} requests are under way at once: the rate is beyond the server.");
            under.Add(OneAsync(asker, planned, due, report, options, stop));
        }

        await Task.WhenAll(under);
    }

    private static Task ClosedAsync(
        ChatLoadOptions options, ChatLoadReport report, ChatAsker asker, LoadClock clock, CancellationToken stop)
    {
        var until = clock.Now + (long)(options.Seconds * LoadClock.PerSecond);
        var plan = ChatPlan.Make(options).GetEnumerator();
        var taking = new Lock();
        return Task.WhenAll(Enumerable.Range(0, options.Concurrency).Select(_ => OneByOneAsync()));

        async Task OneByOneAsync()
        {
            await Task.Yield();
            while (clock.Now < until && !stop.IsCancellationRequested)
            {
                ChatPlanned planned;
                lock (taking)
                {
                    plan.MoveNext();
                    planned = plan.Current;
                }

                await OneAsync(asker, planned, clock.Now, report, options, stop);
            }
        }
    }

    private static async Task OneAsync(
        ChatAsker asker, ChatPlanned planned, long due, ChatLoadReport report, ChatLoadOptions options,
        CancellationToken stop)
    {
        try
        {
            report.Add(await asker.AskAsync(planned, due, stop), options);
        }
        catch (OperationCanceledException)
        {
            // The run was ended; what it came to so far is told.
        }
    }
}
