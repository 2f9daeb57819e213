using System.Text;
using System.Text.Json;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Tests.Protocols.OpenInference;

public sealed class RouteAndMappingTests
{
    [Theory]
    [InlineData("/v2", "Server", "", "", "GET")]
    [InlineData("/v2/", "Server", "", "", "GET")]
    [InlineData("/v2/health/live", "Live", "", "", "GET")]
    [InlineData("/v2/health/ready", "Ready", "", "", "GET")]
    [InlineData("/v2/models", "Models", "", "", "GET")]
    [InlineData("/v2/models/line-ocr", "Model", "line-ocr", "", "GET")]
    [InlineData("/v2/models/a b%é/versions/12", "Model", "a b%é", "12", "GET")]
    [InlineData("/v2/models/m/ready", "ModelReady", "m", "", "GET")]
    [InlineData("/v2/models/m/versions/1/ready", "ModelReady", "m", "1", "GET")]
    [InlineData("/v2/models/m/infer", "Infer", "m", "", "POST")]
    [InlineData("/v2/models/m/versions/7/infer", "Infer", "m", "7", "POST")]
    [InlineData("/v2/models/versions/infer", "Infer", "versions", "", "POST")]
    [InlineData("/v2/models/stats", "AllStatistics", "", "", "GET")]
    [InlineData("/v2/models/stats/infer", "Infer", "stats", "", "POST")]
    [InlineData("/v2/models/m/stats", "ModelStatistics", "m", "", "GET")]
    [InlineData("/v2/models/m/versions/3/stats", "ModelStatistics", "m", "3", "GET")]
    [InlineData("/v2/models/m/versions/3/config", "ModelConfig", "m", "3", "GET")]
    [InlineData("/v2/models/m/config", "ModelConfig", "m", "", "GET")]
    [InlineData("/v2/repository/index", "RepositoryIndex", "", "", "POST")]
    [InlineData("/v2/repository/models/m/load", "RepositoryLoad", "m", "", "POST")]
    [InlineData("/v2/repository/models/m/unload", "RepositoryUnload", "m", "", "POST")]
    [InlineData("/v2/repository/r/models/m/unload", "NamedRepository", "", "", "POST")]
    [InlineData("/v2/repository/r/index", "NamedRepository", "", "", "POST")]
    public void Every_path_leads_to_its_endpoint(string path, string endpoint, string model, string version, string method)
    {
        Assert.Null(OpenInferenceRoute.Parse(path, method, out var route));
        Assert.Equal(
            (endpoint, model, version), (route.Endpoint.ToString(), route.Model.ToString(), route.Version.ToString()));
        var wrong = OpenInferenceRoute.Parse(path, method == "GET" ? "POST" : "GET", out _);
        Assert.Equal((FaultKind.WrongMethod, "Method Not Allowed"), (wrong!.Kind, wrong.Message));
    }

    [Theory]
    [InlineData("/v2/trace/setting", "TraceSetting", "")]
    [InlineData("/v2/models/m/trace/setting", "ModelTraceSetting", "m")]
    [InlineData("/v2/logging", "LogSetting", "")]
    public void Settings_are_read_and_changed(string path, string endpoint, string model)
    {
        Assert.Null(OpenInferenceRoute.Parse(path, "GET", out var route));
        Assert.Equal((endpoint, model), (route.Endpoint.ToString(), route.Model.ToString()));
        Assert.Null(OpenInferenceRoute.Parse(path, "POST", out _));
        Assert.Equal(FaultKind.WrongMethod, OpenInferenceRoute.Parse(path, "PUT", out _)!.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/v1/models/m/infer")]
    [InlineData("/v2x")]
    [InlineData("/v2/health")]
    [InlineData("/v2/health/live/")]
    [InlineData("/v2/models/")]
    [InlineData("/v2/models//infer")]
    [InlineData("/v2/models/m/")]
    [InlineData("/v2/models/m/explain")]
    [InlineData("/v2/models/m/versions")]
    [InlineData("/v2/models/m/versions/")]
    [InlineData("/v2/models/m/versions/latest/infer")]
    [InlineData("/v2/models/m/versions/-1")]
    [InlineData("/v2/models/m/versions/1/infer/x")]
    public void Another_path_is_not_found(string path)
    {
        var fault = OpenInferenceRoute.Parse(path, "GET", out _);
        Assert.Equal((FaultKind.UnknownPath, "Not Found"), (fault!.Kind, fault.Message));
    }

    [Fact]
    public void Every_fault_has_its_status_and_label()
    {
        Assert.All(Enum.GetValues<FaultKind>(), kind =>
        {
            var label = string.Concat(kind.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{c}" : $"{c}"));
            Assert.Equal(label.ToLowerInvariant(), FaultLabels.Of(kind));
            Assert.InRange(FaultMapping.Status(kind), 400, 504);
        });
        FaultKind[] passing =
        [
            FaultKind.ModelNotReady, FaultKind.QueueFull, FaultKind.ServerFull, FaultKind.PredictedLate,
            FaultKind.DroppedLate, FaultKind.DeadlineExceeded, FaultKind.ShuttingDown, FaultKind.SwitchedOff,
            FaultKind.RateLimited, FaultKind.StoreFailed, FaultKind.UpstreamThrottled, FaultKind.TargetsOpen,
            FaultKind.Shed,
        ];
        Assert.Equal(passing, Enum.GetValues<FaultKind>().Where(FaultMapping.IsRetryAfterDue));
        Assert.All(passing, kind => Assert.Equal(kind is FaultKind.RateLimited ? 429 : 503, FaultMapping.Status(kind)));
        Assert.Equal(401, FaultMapping.Status(FaultKind.Unauthenticated));
        Assert.Equal(429, FaultMapping.Status(FaultKind.BudgetExhausted));
        Assert.Equal([FaultKind.BudgetExhausted], Enum.GetValues<FaultKind>().Where(FaultMapping.IsRetryInVain));
        Assert.Equal(499, FaultMapping.Status(FaultKind.Cancelled));
        Assert.Equal(413, FaultMapping.Status(FaultKind.InputTooLarge));
        Assert.Equal(502, FaultMapping.Status(FaultKind.UpstreamFailed));
        Assert.Equal(504, FaultMapping.Status(FaultKind.UpstreamTimeout));
    }

    [Theory]
    [InlineData(null, "1", "1")]
    [InlineData(0.0, "1", "1")]
    [InlineData(0.2, "1", "1")]
    [InlineData(5.0, "1", "5")]
    [InlineData(1000.0, "1", "1000")]
    [InlineData(1000.1, "2", "1001")]
    [InlineData(61_500.0, "62", "61500")]
    public void Retry_headers_round_up_and_are_never_zero(double? ms, string seconds, string milliseconds)
    {
        TimeSpan? after = ms is { } value ? TimeSpan.FromMilliseconds(value) : null;
        Assert.Equal(seconds, FaultMapping.RetryAfterSeconds(after));
        Assert.Equal(milliseconds, FaultMapping.RetryAfterMs(after));
    }

    [Fact]
    public void Metadata_bodies_are_the_protocols()
    {
        var signature = new Signature(
            [new("x", DataType.Float32, new([-1, 3, 48, -1]))], [new("text", DataType.Bytes, new([-1]))], Batched: true);
        var model = new ModelMetadata("m", ["1", "2"], "onnxruntime_onnx", signature, [new("deadline_ms", "250")]);
        Assert.Equal(
            """{"name":"m","versions":["1","2"],"platform":"onnxruntime_onnx","inputs":[{"name":"x","datatype":"FP32","shape":[-1,3,48,-1]}],"outputs":[{"name":"text","datatype":"BYTES","shape":[-1]}],"properties":{"deadline_ms":"250"}}""",
            Text(buffer => Metadata.WriteModel(model, buffer)));
        Assert.Equal(
            """{"name":"triton","version":"0.1.0","extensions":["classification","logging"]}""",
            Text(buffer => Metadata.WriteServer("triton", "0.1.0", ["classification", "logging"], buffer)));
        Assert.Equal(
            """{"models":[{"name":"é+","version":"1","state":"READY","simulated":true},{"name":"b","version":"2","state":"UNAVAILABLE","reason":"corrupt"}]}""",
            Text(buffer => Metadata.WriteModels(
                [new("é+", "1", "READY", Simulated: true), new("b", "2", "UNAVAILABLE", "corrupt")], buffer)));
        Assert.Equal("""{"live":true}""", Text(buffer => Metadata.WriteLive(true, buffer)));
        Assert.Equal("""{"ready":false}""", Text(buffer => Metadata.WriteReady(false, buffer)));
        Assert.Equal("""{"name":"m","ready":true}""", Text(buffer => Metadata.WriteModelReady("m", true, buffer)));
    }

    [Fact]
    public void An_error_text_survives_whatever_it_quotes()
    {
        var text = "a \"b\" \\ \n\u0001 é 日 \ud83d\ude00 <&'+>";
        var json = Text(buffer => Metadata.WriteError(text, buffer));
        Assert.Equal(text, JsonDocument.Parse(json).RootElement.GetProperty("error").GetString());
        Assert.Contains("é 日 \ud83d\ude00 <&'+>", json, StringComparison.Ordinal);
        Assert.Equal("""{"error":"�"}""", Text(buffer => Metadata.WriteError("\ud800", buffer)));
    }

    private static string Text(Action<ResponseBuffer> write)
    {
        using var buffer = new ResponseBuffer();
        write(buffer);
        return Encoding.UTF8.GetString(buffer.Written.Span);
    }
}
