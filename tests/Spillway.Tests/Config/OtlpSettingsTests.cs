using Spillway.Config;

namespace Spillway.Tests.Config;

public sealed class OtlpSettingsTests
{
    [Fact]
    public void Nothing_is_sent_by_default()
    {
        var settings = From(new());
        Assert.False(settings.Enabled);
        Assert.Empty(settings.Warnings);
    }

    [Theory]
    [InlineData("http://collector:4318", "http://collector:4318/v1/traces")]
    [InlineData("https://collector/otlp/", "https://collector/otlp/v1/traces")]
    public void The_common_endpoint_is_a_base_in_option_and_variable(string given, string expected)
    {
        Assert.Equal(expected, From(new() { OtlpEndpoint = given }).Traces!.Endpoint.ToString());
        var settings = From(new() { OtlpEndpoint = "http://other" }, ("OTEL_EXPORTER_OTLP_ENDPOINT", given));
        Assert.Equal(expected, settings.Traces!.Endpoint.ToString());
        Assert.Equal(
            expected.Replace("traces", "metrics", StringComparison.Ordinal), settings.Metrics!.Endpoint.ToString());
    }

    [Fact]
    public void A_signals_own_variables_win_and_its_endpoint_is_taken_as_it_is()
    {
        var settings = From(
            new() { OtlpEndpoint = "http://base" }, ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m/x?y=z"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "7000"), ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "9"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b%20c, d = e "), ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "gzip"));

        Assert.Equal("http://m/x?y=z", settings.Metrics!.Endpoint.ToString());
        Assert.Equal(7000, settings.Traces!.Timeout.TotalMilliseconds);
        Assert.Equal(9, settings.Metrics.Timeout.TotalMilliseconds);
        Assert.Equal((false, true), (settings.Traces.Gzip, settings.Metrics.Gzip));
        Assert.Equal([new("a", "b c"), new("d", "e")], settings.Traces.Headers);
        Assert.Empty(settings.Warnings);
    }

    [Theory]
    [InlineData("", "", 0.25, true, true)]
    [InlineData("always_on", "", 1, false, true)]
    [InlineData("always_off", "", 0, false, false)]
    [InlineData("parentbased_always_on", "", 1, true, true)]
    [InlineData("parentbased_always_off", "", 0, true, true)]
    [InlineData("traceidratio", "0.5", 0.5, false, true)]
    [InlineData("parentbased_traceidratio", "", 1, true, true)]
    public void The_sampler_is_the_standards(string word, string argument, double ratio, bool parentBased, bool traces)
    {
        var settings = From(
            new() { OtlpEndpoint = "http://c", TraceSampleRatio = 0.25 },
            ("OTEL_TRACES_SAMPLER", word), ("OTEL_TRACES_SAMPLER_ARG", argument));
        Assert.Equal((ratio, parentBased, traces),
            (settings.SampleRatio, settings.ParentBased, settings.Traces is not null));
        Assert.NotNull(settings.Metrics);
    }

    [Fact]
    public void The_sender_names_itself_and_OTEL_SERVICE_NAME_wins()
    {
        var given = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=from-attributes,team=a%2Cb,host.name=h");
        var plain = From(new() { OtlpEndpoint = "http://c" }, given).Resource.ToDictionary();
        var named = From(new() { OtlpEndpoint = "http://c" }, given, ("OTEL_SERVICE_NAME", "x"))
            .Resource.ToDictionary();

        Assert.Equal(("from-attributes", "a,b", "h"), (plain["service.name"], plain["team"], plain["host.name"]));
        Assert.Equal("x", named["service.name"]);
        Assert.Equal("spillway", From(new() { OtlpEndpoint = "http://c" }).Resource.ToDictionary()["service.name"]);
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf")]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", "10000 holds")]
    [InlineData("OTEL_TRACES_SAMPLER", "jaeger_remote", "always_on")]
    [InlineData("OTEL_BSP_MAX_QUEUE_SIZE", "0", "2048 holds")]
    [InlineData("OTEL_METRICS_EXPORTER", "console", "nothing is sent")]
    [InlineData("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "not compressed")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", "cumulative")]
    [InlineData("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem", "not supported")]
    public void What_cannot_be_used_is_one_warning_that_names_the_variable_and_what_holds(
        string name, string value, string holds)
    {
        var settings = From(new() { OtlpEndpoint = "http://c" }, (name, value));
        var warning = Assert.Single(settings.Warnings);
        Assert.StartsWith(name, warning, StringComparison.Ordinal);
        Assert.Contains(holds, warning, StringComparison.Ordinal);
        Assert.NotNull(settings.Traces);
    }

    [Fact]
    public void A_broken_header_is_told_without_its_value()
    {
        var settings = From(new() { OtlpEndpoint = "http://c" }, ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,secret"));
        Assert.Equal([new("a", "b")], settings.Traces!.Headers);
        var warning = Assert.Single(settings.Warnings);
        Assert.DoesNotContain("secret", warning, StringComparison.Ordinal);
        Assert.Contains("pair 2", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void OTEL_SDK_DISABLED_ends_it_all() =>
        Assert.False(From(new() { OtlpEndpoint = "http://c" }, ("OTEL_SDK_DISABLED", "true")).Enabled);

    [Theory]
    [InlineData("collector:4318")]
    [InlineData("ftp://collector")]
    [InlineData("http://key@collector:4318")]
    public void An_endpoint_that_is_none_is_an_error_of_the_configuration(string endpoint)
    {
        using var folder = ConfigFolder.WithServer($"telemetry: {{ otlpEndpoint: '{endpoint}' }}\nmodels: [echo]\n");
        var error = folder.OnlyError();
        Assert.Equal("telemetry.otlpEndpoint", error.Key);
    }

    private static OtlpSettings From(TelemetryOptions options, params (string Name, string Value)[] variables) =>
        OtlpSettings.From(options, "spillway", variables.ToDictionary(v => v.Name, v => v.Value));
}
