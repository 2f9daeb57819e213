using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Spillway.Client;
using Spillway.Telemetry;

namespace Spillway.Hosting;

/// <summary>Puts Spillway, or a client of one elsewhere, into an application.</summary>
public static class SpillwayServiceCollectionExtensions
{
    /// <summary>The largest answer that a client takes by default: 256 MiB.</summary>
    private const long AnswerBytesMax = 256L * 1024 * 1024;

    /// <summary>
    /// Serves models inside this application: loads them with its start, drains on its stop, and registers an
    /// <see cref="IInferenceClient"/> that asks them without a socket. For the endpoints call MapSpillway.
    /// </summary>
    /// <param name="services">The application's.</param>
    /// <param name="configure">
    /// What to serve; without it the section "Spillway" of the application's configuration says it.
    /// </param>
    public static IServiceCollection AddSpillway(
        this IServiceCollection services, Action<SpillwayHostOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(s => s.ServiceType == typeof(SpillwayServer)))
            throw new InvalidOperationException("AddSpillway was called twice; an application has one server.");
        var options = new SpillwayHostOptions();
        configure?.Invoke(options);
        // The protocol's log settings work here too.
        var log = new LogSwitch();
        services.AddLogging(logging =>
            logging.AddFilter("Spillway.Engine", log.Allows).AddFilter("Spillway.Protocols", log.Allows));
        services.AddSingleton(options);
        services.AddSingleton(provider => HostedServer.Build(provider, options, log));
        services.AddSingleton(static provider => provider.GetRequiredService<SpillwayServer>().Recorder);
        services.AddSingleton(static provider => provider.GetRequiredService<SpillwayServer>().Front);
        services.AddSingleton<IInferenceClient, InProcessClient>();
        return services.AddHostedService<SpillwayLifetime>();
    }

    /// <summary>
    /// Registers an <see cref="IInferenceClient"/> of a server elsewhere. The last of several registrations wins;
    /// give names to have several.
    /// </summary>
    /// <param name="services">The application's.</param>
    /// <param name="baseAddress">Such as http://127.0.0.1:8000; may have a path.</param>
    /// <returns>The HTTP client behind it, for handlers: keys, retries.</returns>
    public static IHttpClientBuilder AddSpillwayClient(this IServiceCollection services, Uri baseAddress)
    {
        var builder = AddHttp(services, "", baseAddress);
        services.AddTransient<IInferenceClient>(static provider => Make(provider, ""));
        return builder;
    }

    /// <summary>As the other overload, under a key: [FromKeyedServices("name")] IInferenceClient.</summary>
    /// <param name="services">The application's.</param>
    /// <param name="name">The key; not empty.</param>
    /// <param name="baseAddress">Such as http://127.0.0.1:8000; may have a path.</param>
    public static IHttpClientBuilder AddSpillwayClient(this IServiceCollection services, string name, Uri baseAddress)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var builder = AddHttp(services, name, baseAddress);
        services.AddKeyedTransient<IInferenceClient>(name, static (provider, key) => Make(provider, (string)key!));
        return builder;
    }

    /// <summary>Sends a key, or a token, with every request of a client that AddSpillwayClient registered.</summary>
    /// <param name="client">What AddSpillwayClient gave back.</param>
    /// <param name="key">Gives it when the HTTP client is made, from configuration or a store of secrets.</param>
    public static IHttpClientBuilder UseSpillwayKey(this IHttpClientBuilder client, Func<IServiceProvider, string> key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return client.ConfigureHttpClient((services, http) =>
            http.DefaultRequestHeaders.Authorization = new("Bearer", key(services)));
    }

    private static IHttpClientBuilder AddHttp(IServiceCollection services, string name, Uri address)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{address}' is not the address of a server, such as http://127.0.0.1:8000.");
        // Without the slash at its end, the last part of a path would be left out of every request.
        var text = address.GetLeftPart(UriPartial.Path);
        var root = new Uri(text.EndsWith('/') ? text : $"{text}/");
        return services.AddHttpClient(HttpName(name), http =>
        {
            http.BaseAddress = root;
            http.Timeout = Timeout.InfiniteTimeSpan;
            http.MaxResponseContentBufferSize = AnswerBytesMax;
        });
    }

    private static HttpInferenceClient Make(IServiceProvider provider, string name) => new(
        provider.GetRequiredService<IHttpClientFactory>().CreateClient(HttpName(name)),
        provider.GetService<TimeProvider>());

    private static string HttpName(string name) => $"Spillway.Client/{name}";
}
