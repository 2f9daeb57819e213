namespace Spillway.Tests.Server;

public sealed class AccessTests(SimulatedServer fixture) : IClassFixture<SimulatedServer>
{
    private readonly TestServer _server = fixture.Server;

    private Task<string> GetAsync(string headers, string path = "/v2/health/live") =>
        RawConnection.AskAsync(_server.Address, $"GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");

    [Theory]
    [InlineData("localhost")]
    [InlineData("LocalHost:8000")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:65535")]
    [InlineData("127.8.9.10")]
    [InlineData("[::1]:8000")]
    public async Task A_loopback_Host_comes_in(string host) =>
        Assert.StartsWith("HTTP/1.1 200", await GetAsync($"Host: {host}\r\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("example.org")]
    [InlineData("localhost.example.org")]
    [InlineData("127.0.0.1.example.org")]
    [InlineData("192.168.0.1:8000")]
    [InlineData("127.1")]
    [InlineData("[::2]")]
    [InlineData("0.0.0.0")]
    [InlineData("")]
    public async Task Any_other_Host_is_forbidden_on_every_path(string host)
    {
        foreach (var path in new[] { "/v2/health/live", "/metrics", "/admin/v1/requests", "/nothing" })
        {
            var answer = await GetAsync($"Host: {host}\r\n", path);
            Assert.StartsWith("HTTP/1.1 403", answer, StringComparison.Ordinal);
            Assert.Contains("X-Spillway-Fault: forbidden", answer, StringComparison.Ordinal);
            Assert.Contains("is not a loopback name", answer, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("http://localhost:3000")]
    [InlineData("http://127.0.0.1")]
    [InlineData("https://[::1]:8443")]
    public async Task A_page_of_this_machine_comes_in(string origin) => Assert.StartsWith(
        "HTTP/1.1 200", await GetAsync($"Host: localhost\r\nOrigin: {origin}\r\nSec-Fetch-Site: same-site\r\n"), StringComparison.Ordinal);

    [Theory]
    [InlineData("Origin: http://example.org\r\n")]
    [InlineData("Origin: null\r\n")]
    [InlineData("Origin: \r\n")]
    [InlineData("Origin: http://localhost@example.org\r\n")]
    [InlineData("Origin: file://localhost\r\n")]
    [InlineData("Origin: http://localhost\r\nOrigin: http://example.org\r\n")]
    [InlineData("Sec-Fetch-Site: cross-site\r\n")]
    [InlineData("Origin: http://localhost\r\nSec-Fetch-Site: cross-site\r\n")]
    public async Task A_foreign_page_is_forbidden(string headers)
    {
        var answer = await GetAsync($"Host: localhost\r\n{headers}");
        Assert.StartsWith("HTTP/1.1 403", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Access-Control-Allow", answer, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Host: localhost\r\nHost: localhost\r\n")]
    [InlineData("Host: local host\r\n")]
    public async Task A_request_without_one_valid_Host_is_bad(string headers) =>
        Assert.StartsWith("HTTP/1.1 400", await GetAsync(headers), StringComparison.Ordinal);

    [Fact]
    public async Task A_forbidden_infer_request_reaches_no_model()
    {
        var body = TestServer.Row();
        var answer = await RawConnection.AskAsync(_server.Address,
            RawConnection.InferHead("echo", $"Origin: http://example.org\r\nX-Request-Id: foreign\r\nContent-Length: {body.Length}\r\n") + body);
        Assert.StartsWith("HTTP/1.1 403", answer, StringComparison.Ordinal);
        (await _server.GetAsync("/admin/v1/requests/foreign")).Is(404, "unknown_request", "No recent request has the id 'foreign'");
    }
}
