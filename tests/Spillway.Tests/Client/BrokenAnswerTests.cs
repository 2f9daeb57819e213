using System.Net;
using System.Text;
using Spillway.Client;

namespace Spillway.Tests.Client;

/// <summary>What a broken, foreign or hostile server may answer.</summary>
public sealed class BrokenAnswerTests
{
    private const string Good = """
        {"model_name":"m","model_version":"1",
         "outputs":[{"name":"y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}
        """;

    private const string Countless = """
        {"outputs":[{"datatype":"INT8","shape":[4294967296,4294967296],"parameters":{"binary_data_size":4}}]}
        """;

    [Fact]
    public async Task A_good_answer_is_read()
    {
        var reply = await AskAsync(Good, [0, 0, 128, 63]);
        Assert.Equal([1f], reply["y"].As<float>());
        Assert.False(reply.IsSimulated);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"outputs\":7}")]
    [InlineData("{\"outputs\":[7]}")]
    [InlineData("{\"outputs\":[]}")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP33","shape":[1],"parameters":{"binary_data_size":4}}]}""")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":4}}]}""")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[-1],"parameters":{"binary_data_size":4}}]}""")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[1.5],"parameters":{"binary_data_size":4}}]}""")]
    [InlineData("""{"outputs":[{"datatype":"FP32","shape":[1],"parameters":{"binary_data_size":999999999}}]}""")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":-4}}]}""")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":4}}]}""")]
    [InlineData(Countless)]
    public async Task A_broken_answer_is_a_failure_that_says_so(string json)
    {
        var broken = await Assert.ThrowsAsync<InferenceException>(() => AskAsync(json, [0, 0, 128, 63]));
        Assert.Equal(FaultKind.RuntimeFailed, broken.Kind);
        Assert.Contains("broken", broken.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1000000")]
    [InlineData("x")]
    public async Task A_length_of_the_JSON_beyond_the_body_is_a_failure(string length) => Assert.Equal(
        FaultKind.RuntimeFailed,
        (await Assert.ThrowsAsync<InferenceException>(() => AskAsync(Good, [0, 0, 128, 63], length))).Kind);

    [Fact]
    public async Task An_output_in_JSON_is_said_to_be_unsupported() => Assert.Equal(
        FaultKind.Unsupported,
        (await Assert.ThrowsAsync<InferenceException>(() => AskAsync(
            """{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":[1]}]}""", []))).Kind);

    [Theory]
    [InlineData(400, FaultKind.InvalidInput)]
    [InlineData(404, FaultKind.UnknownModel)]
    [InlineData(429, FaultKind.RateLimited)]
    [InlineData(401, FaultKind.Unauthenticated)]
    [InlineData(503, FaultKind.ModelNotReady)]
    [InlineData(500, FaultKind.RuntimeFailed)]
    [InlineData(302, FaultKind.RuntimeFailed)]
    public async Task A_refusal_of_another_server_is_told_by_its_status(int status, FaultKind kind)
    {
        var refused = await Assert.ThrowsAsync<InferenceException>(
            () => AskAsync("""{"error":"no"}""", [], status: status));
        Assert.Equal((kind, "no"), (refused.Kind, refused.Message));
        var silent = await Assert.ThrowsAsync<InferenceException>(() => AskAsync("gone", [], status: status));
        Assert.NotEmpty(silent.Message);
    }

    private static Task<InferenceReply> AskAsync(string json, byte[] binary, string? length = null, int status = 200)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new ByteArrayContent([.. Encoding.UTF8.GetBytes(json), .. binary]),
        };
        response.Headers.TryAddWithoutValidation(
            "Inference-Header-Content-Length", length ?? Encoding.UTF8.GetByteCount(json).ToString());
        var client = new HttpInferenceClient(new(new Fixed(response)) { BaseAddress = new("http://server.example") });
        return client.InferAsync("m", [InferenceInput.Of("x", [1], [1f])]);
    }

    private sealed class Fixed(HttpResponseMessage response) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(response);
    }
}
