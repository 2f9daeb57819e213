using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Spillway.Client;
using Spillway.Config;
using Spillway.Hosting;
using Spillway.Runtimes.Simulated;
using Spillway.Tests.Server;

namespace Spillway.Tests.Hosting;

/// <summary>Somebody's application with Spillway inside, on a free port.</summary>
internal sealed class EmbeddedApp : IAsyncDisposable
{
    private EmbeddedApp(WebApplication app, HttpProtocols protocols)
    {
        App = app;
        Http = new(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(app.Urls.First()), Timeout = TestServer.Patience,
        };
        if (protocols == HttpProtocols.Http2)
        {
            Http.DefaultRequestVersion = new(2, 0);
            Http.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }
    }

    public WebApplication App { get; }

    public HttpClient Http { get; }

    public IInferenceClient Client => App.Services.GetRequiredService<IInferenceClient>();

    /// <summary>Makes it without starting it.</summary>
    public static WebApplication Build(
        Action<SpillwayHostOptions>? configure, string settings = "{}", Action<WebApplication>? map = null,
        HttpProtocols protocols = HttpProtocols.Http1)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(settings)));
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        builder.Services.AddSpillway(options =>
        {
            options.WaitForModels = true;
            configure?.Invoke(options);
        });
        var app = builder.Build();
        if (map is null)
            app.MapSpillway();
        else
            map(app);
        return app;
    }

    /// <summary>Starts it and waits for its models.</summary>
    public static async Task<EmbeddedApp> StartAsync(
        Action<SpillwayHostOptions>? configure, string settings = "{}", Action<WebApplication>? map = null,
        HttpProtocols protocols = HttpProtocols.Http1)
    {
        var app = Build(configure, settings, map, protocols);
        await app.StartAsync();
        return new(app, protocols);
    }

    /// <summary>A simulated model made in code: y answers with x.</summary>
    public static ModelOptions Model(
        string name, double latencyMs = 0.05, string input = "FP32 [-1,4]", string output = "FP32 [-1,4]",
        double faultRate = 0) => new()
        {
            Name = name,
            Runtime = "simulated",
            Deadline = new() { FixedMs = 60_000 },
            RuntimeOptions = new SimulatedOptions
            {
                Inputs = new Dictionary<string, string> { ["x"] = input },
                Outputs = new Dictionary<string, string> { ["y"] = output },
                LatencyMs = new Dictionary<int, double> { [1] = latencyMs },
                FaultRate = faultRate,
            },
        };

    /// <summary>The status of a GET with these headers.</summary>
    public async Task<int> StatusAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path)
        {
            Version = Http.DefaultRequestVersion, VersionPolicy = Http.DefaultVersionPolicy,
        };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Http.SendAsync(request);
        return (int)response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await App.StopAsync(new CancellationToken(canceled: true));
        await App.DisposeAsync();
    }
}
