namespace Spillway.Bench;

/// <summary>
/// How long a null request takes beside a flood: GET at a low constant rate on one connection. Latency counts from the
/// send; how late the timer of this process itself was is reported apart.
/// </summary>
internal static class ProbeCommand
{
    public static async Task RunAsync(Arguments arguments)
    {
        var clock = TimeProvider.System;
        var port = arguments.Number("--port", null);
        using var line = HttpLine.TryConnect(port) ?? throw new BenchException($"nothing listens on port {port}");
        var request = HttpLine.Request("GET", arguments.Text("--path", "/v2/health/live"), "", []);
        var gap = TimeSpan.FromSeconds(1.0 / arguments.Number("--rate", 20));
        var length = arguments.Seconds("--seconds", 3);
        using var timer = new PeriodicTimer(gap, clock);
        List<double> latencies = [];
        List<double> lags = [];
        line.Ask(request);
        var began = clock.GetTimestamp();
        for (var due = gap; due < length; due += gap)
        {
            await timer.WaitForNextTickAsync();
            var sent = clock.GetTimestamp();
            lags.Add((clock.GetElapsedTime(began, sent) - due).TotalMilliseconds);
            if (line.Ask(request) is not 200 and var status)
                throw new BenchException($"the probe was answered with {status}");
            latencies.Add(clock.GetElapsedTime(sent).TotalMilliseconds);
        }

        latencies.Sort();
        lags.Sort();
        Report.Print(new
        {
            latencies.Count,
            P50Ms = Report.Quantile(latencies, 0.5),
            P90Ms = Report.Quantile(latencies, 0.9),
            P99Ms = Report.Quantile(latencies, 0.99),
            MaxMs = latencies[^1],
            TimerLateP50Ms = Report.Quantile(lags, 0.5),
        });
    }
}
