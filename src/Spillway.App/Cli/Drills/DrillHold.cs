using System.Globalization;
using System.Text.Json;
using Spillway.Policies.Drills;

namespace Spillway.App.Cli.Drills;

/// <summary>
/// Something that is broken at a server, held by renewing its lease. Let go of in any case: by disposing it, and when
/// this process ends without that, by the lease.
/// </summary>
internal sealed class DrillHold : IAsyncDisposable
{
    private const int TtlMs = 3000;

    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(TtlMs / 3.0);
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(TtlMs);

    private readonly CancellationTokenSource _end = new();
    private readonly ServerClient _client;
    private readonly Task _renewing;
    private bool _over;

    private DrillHold(ServerClient client, JsonElement run)
    {
        (_client, Id) = (client, run.GetProperty("id").GetString()!);
        (What, Served) = (run.GetProperty("text").GetString()!, run.GetProperty("served").GetString()!);
        StepsMax = run.TryGetProperty("steps_max", out var most) ? most.GetInt32() : 1;
        _renewing = RenewAsync();
    }

    /// <summary>The drill's identifier.</summary>
    public string Id { get; }

    /// <summary>What is broken.</summary>
    public string What { get; }

    /// <summary>The served name.</summary>
    public string Served { get; }

    /// <summary>How many steps may fail one after the other; 1 for what is no chain.</summary>
    public int StepsMax { get; }

    /// <summary>Why the lease was lost; null while it holds.</summary>
    public string? Lost { get; private set; }

    /// <summary>Breaks something.</summary>
    public static async Task<DrillHold> StartAsync(
        ServerClient client, DrillWish wish, int steps, CancellationToken cancellation)
    {
        var path = string.Create(
            CultureInfo.InvariantCulture,
            $"/admin/v1/drills/start?drill={DrillWords.Of(wish.Kind)}&served={Uri.EscapeDataString(wish.Served)}")
            + string.Create(
                CultureInfo.InvariantCulture,
                $"&steps={steps}&target={Uri.EscapeDataString(wish.Target)}&delay_ms={wish.DelayMs}&ttl_ms={TtlMs}");
        return new(client, await client.PostAsync(path, cancellation).ConfigureAwait(false));
    }

    /// <summary>Mends it. What cannot be told to the server now ends with the lease.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_over)
            return;
        _over = true;
        await _end.CancelAsync().ConfigureAwait(false);
        using var late = new CancellationTokenSource(s_patience, TimeProvider.System);
        try
        {
            await _client.PostAsync($"/admin/v1/drills/stop?id={Id}", late.Token).ConfigureAwait(false);
        }
        catch (Exception unheard) when (unheard is CommandException or OperationCanceledException)
        {
            Lost ??= unheard.Message;
        }

        await _renewing.ConfigureAwait(false);
        _end.Dispose();
    }

    private async Task RenewAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(s_every, TimeProvider.System, _end.Token).ConfigureAwait(false);
                await _client.PostAsync($"/admin/v1/drills/renew?id={Id}", _end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
        catch (CommandException lost)
        {
            Lost = lost.Message;
        }
    }
}
