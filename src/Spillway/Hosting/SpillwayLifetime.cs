using Microsoft.Extensions.Hosting;

namespace Spillway.Hosting;

/// <summary>
/// Begins to load with the application and drains before anything else of it stops, so that what was accepted is
/// answered while the application's server still listens.
/// </summary>
internal sealed class SpillwayLifetime(SpillwayServer server, SpillwayHostOptions options) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        server.Serving.Start();
        if (options.WaitForModels)
            await server.Serving.Loaded.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Up to server.drainMs, and never longer than the application's own patience.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var most = TimeSpan.FromMilliseconds(server.Snapshot.Server.DrainMs);
        try
        {
            await server.Serving.DrainAsync(most).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The application stops now; what is left is cut off when the server is disposed.
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await server.StopTelemetryAsync().ConfigureAwait(false);
        await server.StopStateAsync().ConfigureAwait(false);
    }
}
