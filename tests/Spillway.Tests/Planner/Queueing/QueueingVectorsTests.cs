using Spillway.Planner.Queueing;

namespace Spillway.Tests.Planner.Queueing;

/// <summary>The formulas against figures that were computed elsewhere and confirmed by simulation.</summary>
public sealed class QueueingVectorsTests
{
    [Theory]
    [InlineData(1, 0.5, 0.333333, 0.500000)]
    [InlineData(2, 1, 0.200000, 0.333333)]
    [InlineData(2, 1.5, 0.310345, 0.642857)]
    [InlineData(3, 2, 0.210526, 0.444444)]
    [InlineData(5, 4, 0.199067, 0.554113)]
    [InlineData(8, 6, 0.121876, 0.356981)]
    [InlineData(10, 8, 0.121661, 0.409180)]
    [InlineData(10, 9, 0.167963, 0.668732)]
    [InlineData(20, 16, 0.064411, 0.256078)]
    [InlineData(20, 18, 0.109213, 0.550769)]
    [InlineData(50, 45, 0.054104, 0.363864)]
    [InlineData(100, 90, 0.026957, 0.216940)]
    [InlineData(100, 95, 0.048804, 0.506457)]
    [InlineData(1000, 950, 0.003649, 0.068253)]
    public void Erlang_B_and_C(int servers, double load, double blocked, double waits)
    {
        Assert.Equal(blocked, Erlang.Blocked(servers, load), 5.1e-7);
        Assert.Equal(waits, Erlang.Waits(servers, load), 5.1e-7);
    }

    [Theory]
    [InlineData(8, 1, 10, 0.204590, 1.204590, 9.636721, 1.051066, 1.855785)]
    [InlineData(2, 1, 3, 0.444444, 1.444444, 2.888889, 2.184802, 3.794240)]
    [InlineData(0.5, 1, 1, 1, 2, 1, 4.605170, 7.824046)]
    public void Exponential_service(
        double rate, double service, int servers, double wait, double time, double inSystem, double p95, double p99)
    {
        var queue = WaitingTimes.Exponential(rate, service, servers);
        Assert.Equal([wait, time, inSystem, p95, p99],
            (double[])[queue.MeanWait, queue.MeanTime, queue.MeanInSystem, queue.WaitPercentile(0.95),
                queue.WaitPercentile(0.99)], Near(1e-5));
    }

    [Fact]
    public void Two_servers_of_a_hundred_a_second_at_a_hundred_and_eighty()
    {
        var queue = WaitingTimes.Exponential(180, 0.01, 2);
        Assert.Equal([0.042632, 0.141815, 0.222287], (double[])
            [queue.MeanWait, queue.WaitPercentile(0.95), queue.WaitPercentile(0.99)], Near(1e-5));
        Assert.Equal(0.05, queue.WaitsLongerThan(queue.WaitPercentile(0.95)), 9);
        Assert.Equal(0, WaitingTimes.Exponential(10, 0.01, 2).WaitPercentile(0.95));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(0.25, 2.5)]
    [InlineData(0.5, 3)]
    [InlineData(1, 4)]
    [InlineData(2, 6)]
    [InlineData(4, 10)]
    public void One_server_of_any_service_time(double variation, double wait)
    {
        Assert.Equal(wait, WaitingTimes.OneServer(0.8, 1, variation).MeanWait, 9);
        Assert.Equal(wait, WaitingTimes.Kingman(0.8, 1, 1, variation).MeanWait, 9);
    }

    [Theory]
    [InlineData(0.5, 1, 0.5)]
    [InlineData(0.8, 1, 2.0)]
    [InlineData(1.6, 2, 0.903284)]
    [InlineData(1.8, 2, 2.146923)]
    [InlineData(4, 5, 0.289060)]
    [InlineData(8, 10, 0.109828)]
    [InlineData(9, 10, 0.344582)]
    [InlineData(18, 20, 0.144286)]
    public void Constant_service_exactly(double rate, int servers, double wait) =>
        Assert.Equal(wait, WaitingTimes.Constant(rate, 1, servers).MeanWait, 2e-6);

    [Theory]
    [InlineData(1.6, 2, 0.900984)]
    [InlineData(1.8, 2, 2.144470)]
    [InlineData(4, 5, 0.288780)]
    [InlineData(8, 10, 0.109989)]
    [InlineData(9, 10, 0.345543)]
    [InlineData(18, 20, 0.145139)]
    public void Constant_service_by_Cosmetatos(double rate, int servers, double wait) =>
        Assert.Equal(wait, WaitingTimes.Cosmetatos(rate, 1, servers).MeanWait, 2e-6);

    [Theory]
    [InlineData(8, 10, 1, 0, 0.102295)]
    [InlineData(8, 10, 4, 1, 0.511475)]
    [InlineData(4, 5, 1, 2, 0.831169)]
    [InlineData(9, 10, 2, 0.5, 0.835914)]
    public void Many_servers_of_any_times_by_Allen_and_Cunneen(
        double rate, int servers, double arrivals, double variation, double wait) =>
        Assert.Equal(wait, WaitingTimes.AllenCunneen(rate, 1, servers, arrivals, variation).MeanWait, 1e-5);

    [Fact]
    public void Many_servers_by_Sakasegawa() =>
        Assert.Equal(0.219448, WaitingTimes.Sakasegawa(8, 1, 10, 1, 1), 1e-6);

    [Theory]
    [InlineData(1.6, 1, 2, 1.319265, 1.701898, 0.101898)]
    [InlineData(3.2, 1, 4, 0.879536, 3.223862, 0.023862)]
    [InlineData(6.4, 1, 8, 0.651838, 6.401137, 0.001137)]
    [InlineData(2, 1, 8, 0.468456, 2.135303, 0.135303)]
    [InlineData(20, 0.1, 4, 0.051696, 2.126475, double.NaN)]
    [InlineData(100, 0.05, 8, 0.026583, 5.006176, double.NaN)]
    [InlineData(0.8, 1, 1, 2.0, 1, 0.2)]
    public void Server_that_takes_batches(
        double rate, double service, int batchMax, double wait, double batch, double empty)
    {
        var bulk = BulkServer.Of(rate, service, batchMax);
        Assert.Equal(wait, bulk.MeanWait, 1e-6);
        Assert.Equal(batch, bulk.MeanBatch, 1e-6);
        if (!double.IsNaN(empty))
            Assert.Equal(empty, bulk.EmptyProbability, 1e-6);
    }

    [Theory]
    [InlineData(0.5, 0.504539, 105, 0.515707)]
    [InlineData(1, 0.223361, 110, 0.237008)]
    [InlineData(1.5, 0.084690, 115, 0.095441)]
    [InlineData(2, 0.026881, 120, 0.033196)]
    public void Square_root_staffing(double safety, double limit, int servers, double exact)
    {
        Assert.Equal(limit, Erlang.HalfinWhitt(safety), 1e-5);
        Assert.Equal(servers, Erlang.SquareRootServers(100, safety), 9);
        Assert.Equal(exact, Erlang.Waits(servers, 100), 1e-6);
    }

    [Theory]
    [InlineData(50, 0.1, 61)]
    [InlineData(100, 0.1, 115)]
    [InlineData(200, 0.1, 221)]
    [InlineData(10, 0.2, 14)]
    [InlineData(10, 0.05, 17)]
    public void Least_servers_for_a_part_that_waits(double load, double waits, int servers) =>
        Assert.Equal(servers, Erlang.ServersFor(load, waits));

    [Theory]
    [InlineData(0.05, 0.001, 2, 1.90114)]
    [InlineData(0.05, 0.001, 8, 5.68990)]
    [InlineData(0.05, 0.001, 16, 8.04020)]
    [InlineData(0.05, 0.001, 32, 9.03444)]
    [InlineData(0.05, 0.001, 64, 7.82205)]
    [InlineData(0.02, 0.0005, 16, 11.26761)]
    public void Universal_scalability_law(double contention, double coherence, int count, double speedup) =>
        Assert.Equal(speedup, new ScalabilityLaw(contention, coherence).Speedup(count), 1e-5);

    [Fact]
    public void Scalability_law_has_a_best_number_and_is_found_again_by_its_fit()
    {
        Assert.Equal(30.822, new ScalabilityLaw(0.05, 0.001).Best, 3);
        Assert.Equal(44.272, new ScalabilityLaw(0.02, 0.0005).Best, 3);
        var law = new ScalabilityLaw(0.05, 0.001);
        var fit = ScalabilityLaw.Fit([.. ((double[])[1, 2, 8, 32]).Select(n => (n, law.Speedup(n)))]).Value;
        Assert.Equal(law.Contention, fit.Contention, 9);
        Assert.Equal(law.Coherence, fit.Coherence, 9);
        Assert.Contains("needs two measurements", ScalabilityLaw.Fit([(1, 1), (2, 1.9)]).Fault!.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void More_than_can_be_served_waits_for_ever()
    {
        Assert.Equal(double.PositiveInfinity, WaitingTimes.Exponential(200, 0.01, 2).MeanWait);
        Assert.Equal(double.PositiveInfinity, WaitingTimes.Constant(2, 1, 2).MeanWait);
        Assert.Equal(double.PositiveInfinity, WaitingTimes.OneServer(1, 1, 1).MeanWait);
        Assert.Equal(double.PositiveInfinity, BulkServer.Of(8, 1, 8).MeanWait);
        Assert.False(WaitingTimes.Exponential(200, 0.01, 2).IsStable);
        Assert.Equal(double.PositiveInfinity, WaitingTimes.Exponential(200, 0.01, 2).WaitPercentile(0.5));
    }

    private static Func<double, double, bool> Near(double part) =>
        (expected, actual) => Math.Abs(expected - actual) <= part * Math.Abs(expected);
}
