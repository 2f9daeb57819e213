using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class PriceChecksTests
{
    private static readonly DateOnly s_today = new(2026, 11, 22);

    [Theory]
    [InlineData("devices: { cpu: [{ from: 2026-01-01, perHour: 1 }] }", "prices.currency", 3, "This is no currency.")]
    [InlineData("currency: Euro\n  devices: { cpu: [{ from: 2026-01-01, perHour: 1 }] }", "prices.currency", 4,
        "no currency")]
    [InlineData("currency: EUR\n  devices: { cpu: [{ perHour: 1 }] }", "prices.devices.cpu[0].from", 5,
        "from is missing")]
    [InlineData("currency: EUR\n  devices: { cpu: [{ from: 2026-01-01 }] }", "prices.devices.cpu[0].perHour", 5,
        "perHour is missing")]
    [InlineData("currency: EUR\n  devices: { cpu: [{ from: 01.02.2026, perHour: 1 }] }", "prices.devices.cpu[0].from",
        5, "no day")]
    [InlineData("currency: EUR\n  devices: { cpu: [{ from: 2026-02-30, perHour: 1 }] }", "prices.devices.cpu[0].from",
        5, "no day")]
    [InlineData("currency: EUR\n  devices: { cpu: [{ from: 2026-01-01, perHour: -1 }] }",
        "prices.devices.cpu[0].perHour", 5, "")]
    [InlineData("currency: EUR\n  devices: { cpu: [{ from: 2026-01-01, perHour: 0.1234567891 }] }",
        "prices.devices.cpu[0].perHour", 5, "nine decimals")]
    [InlineData("currency: EUR\n  devices: { cpu: [] }", "prices.devices.cpu", 5, "empty")]
    [InlineData("currency: EUR\n  devices: { cpu: [{ from: 2026-12-01, perHour: 1 }] }", "prices.devices.cpu[0].from",
        5, "No price holds today, 2026-11-22")]
    [InlineData("currency: EUR\n  devices:\n    cpu:\n      - { from: 2026-01-01, perHour: 1 }\n      - { from: "
        + "2026-01-01, perHour: 2 }", "prices.devices.cpu[1].from", 8, "Two prices begin on 2026-01-01")]
    [InlineData("currency: EUR\n  devices:\n    cpu:\n      - { from: 2026-02-01, perHour: 1 }\n      - { from: "
        + "2026-01-01, perHour: 2 }", "prices.devices.cpu[1].from", 8, "begins before the entry above it")]
    [InlineData("currency: EUR\n  models: { ech: [{ from: 2026-01-01, perRow: 1 }] }", "prices.models.ech", 5,
        "no model of that name")]
    [InlineData("currency: EUR", "prices", 3, "No price covers the model echo")]
    [InlineData("currency: EUR\n  models:\n    echo:\n      - { from: 2026-01-01, perHour: 1 }\n      - { from: "
        + "2026-02-01 }", "prices.models.echo", 6, "Some entries have perHour")]
    [InlineData("currency: EUR\n  models: { echo: [{ from: 2026-01-01, perrow: 1 }] }", "prices.models.echo[0].perrow",
        5, "unknown")]
    public void A_price_that_is_missing_or_wrong_is_an_error_at_its_line(string prices, string key, int line,
        string says)
    {
        using var folder = Folder($"prices:\n  {prices}\n");
        var error = Load(folder).Errors.FirstOrDefault(e => e.Key == key);
        Assert.True(error is not null, string.Join('\n', Load(folder).Errors));
        Assert.EndsWith("spillway.yaml", error.File, StringComparison.Ordinal);
        Assert.Equal(line, error.Line);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
        Assert.NotEqual("", error.Remedy);
    }

    [Fact]
    public void A_mistyped_model_has_a_suggestion()
    {
        using var folder = Folder("prices:\n  currency: EUR\n  models: { ecko: [{ from: 2026-01-01, perRow: 1 }] }\n");
        Assert.Contains(Load(folder).Errors, e => e is { Key: "prices.models.ecko", Suggestion: "echo" });
    }

    [Fact]
    public void A_ledger_without_prices_is_an_error()
    {
        using var folder = Folder("ledger: {}\n");
        Assert.Contains(Load(folder).Errors, e => e.Key == "ledger" && e.Remedy.Contains("prices",
            StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a: { perDay: 1 }", false, "prices.alerts.a", "there is none")]
    [InlineData("a: {}", true, "prices.alerts.a", "never tells")]
    [InlineData("a: { perDay: 1, model: ecko }", true, "prices.alerts.a.model", "no model of that name")]
    [InlineData("a: { perDay: 1, owner: nobody }", true, "prices.alerts.a.owner", "no owner of that name")]
    public void A_threshold_that_could_never_tell_is_an_error(string alert, bool ledger, string key, string says)
    {
        using var folder = Folder(
            $"prices:\n  currency: EUR\n  devices: {{ simulated: [{{ from: 2026-01-01, perHour: 1 }}] }}\n  "
                + $"alerts: {{ {alert} }}\n"
            + (ledger ? "ledger: {}\n" : ""));
        var error = Assert.Single(Load(folder).Errors);
        Assert.Equal(key, error.Key);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_price_file_takes_the_place_of_the_section_and_its_errors_name_it()
    {
        using var folder = Folder("prices: { file: prices.yaml }\n");
        folder.Write("prices.yaml",
            "currency: EUR\ndevices:\n  simulated:\n    - { from: 2026-01-01, perHour: 0.5 }\n");
        var loaded = Load(folder);
        Assert.True(loaded.Valid, ConfigErrorText.Format(loaded.Errors));
        Assert.Equal(0.5, Assert.Single(loaded.Options.Prices!.Devices["simulated"]).PerHour);

        folder.Write("prices.yaml", "currency: EUR\ndevices:\n  simulated:\n    - { from: yesterday, perHour: 0.5 }\n");
        var error = Assert.Single(Load(folder).Errors);
        Assert.Equal(("prices.yaml", 4, "yesterday"), (error.File, error.Line, error.Value));
    }

    [Fact]
    public void A_price_file_that_is_not_there_or_one_beside_prices_is_an_error()
    {
        using var folder = Folder("prices: { file: nothing.yaml }\n");
        Assert.Contains("nothing.yaml", Assert.Single(Load(folder).Errors).Problem, StringComparison.Ordinal);
        using var both = Folder("prices: { file: prices.yaml, currency: EUR }\n");
        Assert.Contains(Load(both).Errors, e => e.Key == "prices.file" && e.Problem.Contains("in this section",
            StringComparison.Ordinal));
    }

    [Fact]
    public void A_model_without_an_owner_is_a_note_and_no_error()
    {
        using var folder = Folder("");
        var note = Assert.Single(Load(folder).Notes);
        Assert.EndsWith(Path.Combine("echo", "model.yaml"), note.File, StringComparison.Ordinal);
        Assert.Contains("owner:", note.Remedy, StringComparison.Ordinal);
        folder.Write("echo/model.yaml", $"owner: vision\n{ConfigFolder.Echo}");
        Assert.Empty(Load(folder).Notes);
        folder.Write("echo/model.yaml", $"serve: {{ a: {{ owner: x }}, b: {{ owner: y }} }}\n{ConfigFolder.Echo}");
        Assert.Empty(Load(folder).Notes);
        folder.Write("echo/model.yaml", $"serve: {{ a: {{ owner: x }}, b: {{}} }}\n{ConfigFolder.Echo}");
        Assert.Single(Load(folder).Notes);
    }

    private static ConfigFolder Folder(string more) => new ConfigFolder()
        .Write("spillway.yaml", $"server: {{ port: 0 }}\nmodels: [echo]\n{more}").Write("echo/model.yaml",
            ConfigFolder.Echo);

    private static ConfigResult Load(ConfigFolder folder) =>
        ConfigLoader.Load(folder.PathOf("spillway.yaml"), ConfigFolder.Runtimes, folder.Environment, s_today);
}
