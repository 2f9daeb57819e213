using System.Globalization;
using System.Text;
using Spillway.Tests.Config;

namespace Spillway.Tests.Server;

/// <summary>
/// What a request costs the garbage collector, counted by the server itself (dotnet_gc_allocated_bytes_total) over many
/// requests on one connection. Stated: at most <see cref="BytesMax"/> for a binary request, most of it the texts of the
/// response's headers and Kestrel's own; nothing of it grows with the tensors.
/// </summary>
public sealed class AllocationTests
{
    /// <summary>Measured 1.2 to 1.7 KB; the margin is for a runtime that grows.</summary>
    private const int BytesMax = 2_500;

    [Theory]
    [InlineData(4)]
    [InlineData(4_096)]
    public async Task A_binary_request_allocates_little_whatever_its_size(int width)
    {
        await using var server = ChildProcess.Spillway(
            ["up", Folder(width).PathOf("spillway.yaml")], ("DOTNET_TieredCompilation", "0"));
        var ready = await server.LineAsync("Ready");
        var address = new Uri(ready[ready.IndexOf("http", StringComparison.Ordinal)..]);
        using var http = new HttpClient { BaseAddress = address };
        await SendAsync(http, width, 300);
        var before = await AllocatedAsync(http);
        await SendAsync(http, width, 1_000);
        var each = (await AllocatedAsync(http) - before) / 1_000;
        Assert.InRange(each, 1, BytesMax);
    }

    private static ConfigFolder Folder(int width) => TestServer.Folder(
        "", ("m", TestServer.Simulated(inputs: $"x: \"FP32 [-1,{width}]\"", outputs: "y: \"FP32 [-1,4]\"")));

    internal static async Task SendAsync(HttpClient http, int width, int count, string model = "m")
    {
        var input = $"{{\"name\":\"x\",\"shape\":[1,{width}],\"datatype\":\"FP32\",\"parameters\":{{\"binary_data_size\":{4 * width}}}}}";
        var json = Encoding.UTF8.GetBytes($"{{\"inputs\":[{input}],\"parameters\":{{\"binary_data_output\":true}}}}");
        byte[] body = [.. json, .. new byte[4 * width]];
        for (var i = 0; i < count; i++)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.Add("Inference-Header-Content-Length", json.Length.ToString(CultureInfo.InvariantCulture));
            using var answer = await http.PostAsync(new Uri($"/v2/models/{model}/infer", UriKind.Relative), content);
            Assert.True(answer.IsSuccessStatusCode);
            await answer.Content.ReadAsByteArrayAsync();
        }
    }

    internal static async Task<double> AllocatedAsync(HttpClient http)
    {
        var text = await http.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        var line = text.Split('\n').Single(l => l.StartsWith("dotnet_gc_allocated_bytes_total ", StringComparison.Ordinal));
        return double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
    }
}
