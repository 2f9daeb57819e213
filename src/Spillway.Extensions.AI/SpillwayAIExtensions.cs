using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Spillway.Hosting;

namespace Spillway.Extensions.AI;

/// <summary>Routes of the server inside an application, as Microsoft.Extensions.AI has language models.</summary>
public static class SpillwayAIExtensions
{
    /// <summary>A route of this server, without a network hop.</summary>
    /// <param name="server">The server.</param>
    /// <param name="route">The route's name.</param>
    /// <param name="caller">As whom it asks; <see cref="Caller.Local"/> by default.</param>
    public static IChatClient GetChatClient(this SpillwayServer server, string route, Caller? caller = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        return new SpillwayChatClient(server.CreateHandler(caller), route);
    }

    /// <summary>A route over embedding models, without a network hop.</summary>
    /// <param name="server">The server.</param>
    /// <param name="route">The route's name.</param>
    /// <param name="caller">As whom it asks; <see cref="Caller.Local"/> by default.</param>
    public static IEmbeddingGenerator<string, Embedding<float>> GetEmbeddingGenerator(
        this SpillwayServer server, string route, Caller? caller = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        return new SpillwayEmbeddingGenerator(server.CreateHandler(caller), route);
    }

    /// <summary>
    /// Registers a route of the server inside this application as <see cref="IChatClient"/>: under its name as a key,
    /// and without a key, where the last of several registrations wins. Needs AddSpillway; asks as its
    /// <see cref="SpillwayHostOptions.Caller"/>.
    /// </summary>
    /// <param name="services">The application's.</param>
    /// <param name="route">The route's name.</param>
    public static IServiceCollection AddSpillwayChatClient(this IServiceCollection services, string route)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddKeyedSingleton<IChatClient>(route, (provider, _) => provider.GetRequiredService<SpillwayServer>()
            .GetChatClient(route, provider.GetRequiredService<SpillwayHostOptions>().Caller));
        return services.AddSingleton(provider => provider.GetRequiredKeyedService<IChatClient>(route));
    }

    /// <summary>The same for a route over embedding models.</summary>
    /// <param name="services">The application's.</param>
    /// <param name="route">The route's name.</param>
    public static IServiceCollection AddSpillwayEmbeddingGenerator(this IServiceCollection services, string route)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddKeyedSingleton<IEmbeddingGenerator<string, Embedding<float>>>(route, (provider, _) =>
            provider.GetRequiredService<SpillwayServer>()
                .GetEmbeddingGenerator(route, provider.GetRequiredService<SpillwayHostOptions>().Caller));
        return services.AddSingleton(provider =>
            provider.GetRequiredKeyedService<IEmbeddingGenerator<string, Embedding<float>>>(route));
    }
}
