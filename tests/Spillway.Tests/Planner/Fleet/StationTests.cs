using Spillway.Planner;
using Spillway.Planner.Fleet;
using Spillway.Planner.Queueing;

namespace Spillway.Tests.Planner.Fleet;

/// <summary>The event engine against the formulas that have exact answers.</summary>
public sealed class StationTests
{
    [Theory]
    [InlineData(1, 0.5, 11)]
    [InlineData(2, 1.5, 12)]
    [InlineData(10, 8, 13)]
    public void A_queue_with_exponential_times_waits_as_Erlang_says(int places, double load, int seed)
    {
        var line = new Line(places, load, seed, exponential: true);
        var expected = WaitingTimes.Exponential(load, 1, places).MeanWait;
        Assert.InRange(line.MeanWait(1_500_000), expected * 0.96, expected * 1.04);
    }

    [Fact]
    public void A_queue_with_constant_times_waits_half_as_long_as_one_with_exponential_times()
    {
        var line = new Line(1, 0.8, seed: 5, exponential: false);
        Assert.InRange(line.MeanWait(1_500_000), 2.0 * 0.97, 2.0 * 1.03);
    }

    /// <summary>Poisson arrivals of mean rate load at a station with a mean time of 1 second.</summary>
    private sealed class Line : IActor, IStationTimes, IStationSink
    {
        private readonly Calendar _calendar = new();
        private readonly Station _station;
        private readonly Chance _chance;
        private readonly double _load;
        private readonly bool _exponential;
        private readonly List<long> _came = [];
        private long _waited;
        private long _served;
        private int _left;

        public Line(int places, double load, int seed, bool exponential)
        {
            (_load, _exponential, _chance) = (load, exponential, new(seed, "line"));
            _station = new(_calendar, places, this, this);
        }

        public double MeanWait(int requests)
        {
            _left = requests;
            _calendar.Schedule(default, this, what: 0);
            _calendar.Run();
            Assert.Equal(requests, _served);
            return _waited / (double)_served / TimeSpan.TicksPerSecond;
        }

        public void Happen(int what, int which, long id)
        {
            _came.Add(_calendar.Now.Ticks);
            _station.Enter(_came.Count - 1);
            if (--_left > 0)
                _calendar.Schedule(new(_calendar.Now.Ticks + Ticks(_chance.Exponential() / _load)), this, what: 0);
        }

        public long Next(int tag)
        {
            _waited += _calendar.Now.Ticks - _came[tag];
            return Ticks(_exponential ? _chance.Exponential() : 1);
        }

        public void Done(int tag, Instant now) => _served++;

        private static long Ticks(double seconds) => (long)(seconds * TimeSpan.TicksPerSecond);
    }
}
