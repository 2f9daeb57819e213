using Spillway.Policies.Pricing;

namespace Spillway.Tests.Policies.Pricing;

public sealed class PriceListTests
{
    private static readonly DateTimeOffset s_march = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly PriceList s_list = PriceList.From(new()
    {
        Currency = "EUR",
        Devices = new Dictionary<string, IReadOnlyList<DevicePriceOptions>>
        {
            ["cpu"] = [new() { From = "2026-01-01", PerHour = 1 }, new() { From = "2026-03-01", PerHour = 2 }],
            ["cuda"] = [new() { From = "2026-01-01", PerHour = 4 }],
            ["cuda:1"] = [new() { From = "2026-01-01", PerHour = 5 }],
        },
        Models = new Dictionary<string, IReadOnlyList<ModelPriceOptions>>
        {
            ["rows"] = [new() { From = "2026-01-01", PerRow = 0.1 }, new() { From = "2026-02-01", PerRow = 0.2 }],
            ["own"] = [new() { From = "2026-01-01", PerHour = 9 }],
        },
    });

    [Fact]
    public void Hardware_and_work_change_their_prices_on_their_own_days()
    {
        var tariff = Tariff("rows", "cpu");
        Assert.Equal((Amounts.Of(1), Amounts.Of(0.1)), At(new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero)));
        Assert.Equal((Amounts.Of(1), Amounts.Of(0.2)), At(new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero)));
        Assert.Equal((Amounts.Of(2), Amounts.Of(0.2)), At(s_march));

        (Money, Money) At(DateTimeOffset day) => (tariff.At(0, day).PerHour, tariff.At(0, day).PerRow);
    }

    [Fact]
    public void A_devices_own_price_goes_before_its_familys()
    {
        var tariff = Tariff("any", "cuda:0", "cuda:1");
        Assert.Equal(Amounts.Of(4), tariff.At(0, s_march).PerHour);
        Assert.Equal(Amounts.Of(5), tariff.At(1, s_march).PerHour);
        Assert.Equal(Amounts.Of(5), tariff.AtMost(1, TimeSpan.FromHours(1), s_march));
    }

    [Fact]
    public void Hardware_of_a_models_own_takes_the_place_of_its_devices()
    {
        Assert.Equal(Amounts.Of(9), Tariff("own", "cpu").At(0, s_march).PerHour);
        Assert.Equal("model:own", s_list.Hardware("own", "cpu"));
        Assert.Equal("cpu", s_list.Hardware("rows", "cpu"));
    }

    [Fact]
    public void What_a_runtime_declares_holds_where_the_list_is_silent()
    {
        Assert.True(s_list.TariffOf("other", [("tpu", 1)], new(11), new(12)).TryGet(out var tariff, out _));
        Assert.Equal((new(11), new(12)), (tariff.At(0, s_march).PerRun, tariff.At(0, s_march).PerRow));
    }

    [Fact]
    public void A_model_that_no_price_covers_is_a_fault_that_names_it_and_never_free()
    {
        Assert.False(s_list.TariffOf("other", [("tpu:0", 1)], default, default).TryGet(out _, out var fault));
        Assert.Equal(FaultKind.LoadFailed, fault!.Kind);
        Assert.Contains("other on the device tpu:0", fault.Message, StringComparison.Ordinal);
        Assert.Contains("prices.models.other", fault.Message, StringComparison.Ordinal);
    }

    private static Tariff Tariff(string model, params string[] devices)
    {
        Assert.True(s_list.TariffOf(model, [.. devices.Select(d => (d, 1))], default, default)
            .TryGet(out var tariff, out var fault), fault?.Message);
        return tariff;
    }
}
