namespace Spillway.App.Load;

/// <summary>Runs the rounds of a plan, one endpoint at a time, in turns: A B A B.</summary>
internal sealed class LoadRunner(LoadPlan plan, LoadClock clock, CsvLog? csv, ProgressLine progress)
{
    /// <summary>
    /// The rounds of each endpoint, in the plan's order; fewer than planned when interrupted. They are conducted by a
    /// thread of their own that sleeps in the kernel: timers and the thread pool would compile themselves and wake two
    /// threads for every look at the load, at the expense of the server beside them.
    /// </summary>
    public Task<IReadOnlyList<IReadOnlyList<RoundData>>> RunAsync(CancellationToken stop) =>
        Task.Factory.StartNew<IReadOnlyList<IReadOnlyList<RoundData>>>(
            () => Run(stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private List<List<RoundData>> Run(CancellationToken stop)
    {
        SelfWarmUp.Run(clock, plan.Concurrency == 0, stop);
        var rounds = plan.Endpoints.Select(_ => new List<RoundData>()).ToList();
        for (var number = 1; number <= plan.Rounds; number++)
        {
            for (var turn = 0; turn < plan.Endpoints.Count && !stop.IsCancellationRequested; turn++)
            {
                // A comparison goes A B, B A: a machine that slowly warms up or fills favours neither.
                var i = plan.Comparer is not null && number % 2 == 0 ? plan.Endpoints.Count - 1 - turn : turn;
                var endpoint = plan.Endpoints[i];
                progress.BeginRound(endpoint.Name, number);
                var data = new Round(plan, endpoint, number, clock, csv).Run(progress.Show, stop);
                if (data is not null)
                    rounds[i].Add(data);
            }
        }

        progress.Clear();
        return rounds;
    }
}
