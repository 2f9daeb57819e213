using Spillway.App.Cli.Top;

namespace Spillway.Tests.App.Cli.Top;

public sealed class FrameMakerTests
{
    [Fact]
    public void Figures_are_those_of_the_interval_and_not_since_the_start()
    {
        var pages = new Pages { Cpu = 10 }.Serve(answers: 1000, refusals: 500);
        var before = pages.Read(0);
        pages.Cpu = 13;
        var frame = FrameMaker.Make(before, pages.Serve(answers: 80, refusals: 20).Read(2));

        var row = frame.Rows[0];
        Assert.Equal((2d, 1.5), (frame.Seconds, frame.Cpu));
        Assert.Equal((50d, 40d, 10d), (row.Rate, row.OkRate, row.FailedRate));
        Assert.Equal([new("ok", 40), new("queue_full", 10)], row.Outcomes);
        Assert.Equal([new("queue_full", 10)], row.Drops);
        Assert.Equal((10d, 4d), (row.BatchRate, row.BatchRequests));
        Assert.Equal("idle", row.Cuts[0].Name);
        Assert.Equal([new("3-4", 10)], row.Sizes);
        Assert.Equal(0.12, row.Busy, 9);
        Assert.Equal((3d, 256d, 4d, 2d), (row.QueueDepth, row.QueueLengthMax, row.InFlight, row.Runners));
        Assert.Equal(12, row.PredictedWaitMs, 9);
        // An answer takes 13.5 ms; the bucket around it reaches from 10 to 25 ms.
        Assert.InRange(row.P50, 10, 25);
        Assert.Equal([("1", 12d), ("2", 24d)], row.Service);
    }

    [Fact]
    public void Stages_add_up_to_the_mean_request()
    {
        var pages = new Pages();
        var before = pages.Read(0);
        var row = FrameMaker.Make(before, pages.Serve(answers: 10, refusals: 10).Read(1)).Rows[0];

        // 1.51 ms for all, 12.0213 ms more for the answered half.
        Assert.Equal(1.51 + (12.0213 / 2), row.Stages.Where(s => double.IsFinite(s.MeanMs)).Sum(s => s.MeanMs), 6);
        Assert.Equal(6, row.Stages.Single(s => s.Name == "execute").MeanMs, 6);
    }

    [Fact]
    public void The_first_poll_and_one_of_another_process_know_no_rates()
    {
        var pages = new Pages().Serve(answers: 100);
        var first = pages.Read(0);
        Assert.Equal(0, FrameMaker.Make(null, first).Seconds);
        Assert.True(double.IsNaN(FrameMaker.Make(null, first).Rows[0].Rate));

        pages.Started += 5;
        var restarted = FrameMaker.Make(first, pages.Read(1));
        Assert.Equal((0d, 3d), (restarted.Seconds, restarted.Rows[0].QueueDepth));
        Assert.True(double.IsNaN(restarted.Rows[0].P99));
    }

    [Fact]
    public void A_model_that_was_loaded_anew_counts_from_zero_and_never_backwards()
    {
        var before = new Pages().Serve(answers: 1000).Read(0);
        var row = FrameMaker.Make(before, new Pages().Serve(answers: 8).Read(1)).Rows[0];
        Assert.Equal((8d, 8d, 2d), (row.Rate, row.OkRate, row.BatchRate));
        Assert.True(row.P99 > 0);
    }

    [Fact]
    public void Names_without_series_are_rows_of_their_state_alone()
    {
        var pages = new Pages();
        var row = FrameMaker.Make(pages.Read(0), pages.Read(1)).Rows[2];
        Assert.Equal(("broken", "UNAVAILABLE", "no such file"), (row.State.Name, row.State.State, row.State.Reason));
        Assert.True(double.IsNaN(row.Rate) && double.IsNaN(row.QueueDepth) && double.IsNaN(row.MemoryBytes));
    }

    [Theory]
    [InlineData(0.5, 1.5)]
    [InlineData(0.25, 0.75)]
    [InlineData(0.95, 8)]
    public void A_quantile_lies_inside_its_bucket_and_beyond_the_last_bound_it_is_that_bound(
        double share, double expected)
    {
        var buckets = new Buckets();
        foreach (var (le, count) in new[] { ("1", 4), ("2", 8), ("8", 12), ("+Inf", 12) })
            buckets.Add(new("x_bucket", [new("le", le)], count));
        Assert.Equal(share == 0.95 ? 2 + (6 * (11.4 - 8) / 4) : expected, buckets.Quantile(share), 9);

        var beyond = new Buckets();
        beyond.Add(new("x_bucket", [new("le", "8")], 0));
        beyond.Add(new("x_bucket", [new("le", "+Inf")], 5));
        Assert.Equal(8, beyond.Quantile(share));
        Assert.True(double.IsNaN(new Buckets().Quantile(share)));
    }

    [Fact]
    public void A_page_is_read_with_escapes_and_strange_lines_are_passed_over()
    {
        var samples = Scrape.Read(
            "# HELP a b\n# TYPE a gauge\na{x=\"q\\\"\\\\\\n\",y=\"\"} 1.5 1700000000\nb 2\n{} 3\n"
            + "c{x=\"never ends\nd notanumber\ne{x} 1\nf +Inf\n\ng NaN").ToList();
        Assert.Equal(["a", "b", "f", "g"], samples.Select(s => s.Name));
        Assert.Equal(("q\"\\·", "", 1.5), (samples[0].Label("x"), samples[0].Label("y"), samples[0].Value));
        Assert.Equal(double.PositiveInfinity, samples[2].Value);
    }
}
