using Spillway.Policies.Scaling;

namespace Spillway.Tests.Policies.Scaling;

public sealed class PredictorTests
{
    private static readonly double[] s_series = [10, 20, 30, 20, 12, 22, 32, 22, 14, 24, 34, 24];

    [Fact]
    public void Holt_Winters_foretells_the_hand_computed_series()
    {
        var holt = new HoltWinters(4, 0.5, 0.1, 0.2);
        double[] expected =
        [
            10.500000, 21.825000, 32.496250, 22.807063, 13.072116, 23.968536, 34.483695, 24.753133,
        ];
        Assert.Equal(expected, HoltWinters.OneStep(s_series, holt), Near);
        Assert.Equal(24.457273, holt.Level, 6);
        Assert.Equal(0.504710, holt.Trend, 6);
        Assert.Equal([15.204772, 25.487340, 35.873409, 26.320095], Enumerable.Range(1, 4).Select(holt.Ahead), Near);
    }

    [Fact]
    public void Holt_Winters_value_by_value_ends_where_the_whole_series_does()
    {
        var holt = new HoltWinters(4, 0.5, 0.1, 0.2);
        foreach (var value in s_series.Take(7))
            holt.Add(value);
        Assert.Equal(double.NaN, holt.Ahead(1));
        foreach (var value in s_series.Skip(7))
            holt.Add(value);
        Assert.Equal([15.204772, 25.487340, 35.873409, 26.320095], Enumerable.Range(1, 4).Select(holt.Ahead), Near);
    }

    [Fact]
    public void A_season_ago_repeats_the_season()
    {
        var naive = new NaiveSeason(3);
        foreach (var value in (double[])[1, 2, 3, 4])
            naive.Add(value);
        Assert.Equal([2, 3, 4, 2], Enumerable.Range(1, 4).Select(naive.Ahead));
    }

    /// <summary>No predictor wins everywhere: each of these series has another best one.</summary>
    [Theory]
    [InlineData("season", "a season ago")]
    [InlineData("walk", "last value")]
    [InlineData("trend and season", "Holt-Winters")]
    public void Back_test_chooses_what_was_best_on_this_series(string kind, string best)
    {
        var random = new Random(7);
        var walk = 100.0;
        var test = new BackTest([new LastValue(), new NaiveSeason(24), new HoltWinters(24, 0.5, 0.1, 0.2)], 1, 96);
        for (var step = 0; step < 240; step++)
        {
            walk = Math.Max(10, walk + (20 * (random.NextDouble() - 0.5)));
            // Sharp spikes at two hours of the day, of a height that is the same each day, and rests of noise.
            var spikes = step % 24 is 8 or 17 ? 500 : 100;
            test.Add(kind switch
            {
                "walk" => walk,
                "season" => spikes + (step % 24 == 3 && step / 24 % 2 == 0 ? 0.001 : 0),
                _ => 100 + (3.0 * step) + (60 * Math.Sin(2 * Math.PI * step / 24)),
            });
        }

        Assert.Equal(best, test.Best()!.Value.Predictor.Name);
    }

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) < 1e-5;
}
