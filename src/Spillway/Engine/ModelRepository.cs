using Microsoft.Extensions.Logging;
using Spillway.Config.Repository;
using Spillway.Flow;

namespace Spillway.Engine;

/// <summary>
/// The folder of models, live: what it holds is served, by itself or when somebody asks, according to its
/// <see cref="ModelControl"/>. One change at a time; reading the folder never happens on a request's way.
/// </summary>
/// <param name="options">Where, and who decides.</param>
/// <param name="reader">Reads it.</param>
/// <param name="models">What is served.</param>
/// <param name="clock">The clock of the looks at the folder.</param>
/// <param name="logger">Where changes and errors go.</param>
public sealed class ModelRepository(
    RepositoryOptions options, RepositoryReader reader, Residents models, Clock clock, ILogger logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly CancellationTokenSource _stop = new();
    private Task _polling = Task.CompletedTask;
    private volatile RepositoryView _view = RepositoryView.Empty(options.Path);
    private RepositoryView _served = RepositoryView.Empty(options.Path);

    /// <summary>Where, and who decides.</summary>
    public RepositoryOptions Options => options;

    /// <summary>What the folder held when it was last read.</summary>
    public RepositoryView View => _view;

    /// <summary>Reads the folder, and loads what is to be there at start. Completes when every load has ended.</summary>
    public async Task StartAsync()
    {
        await ChangeAsync(FollowAsync).ConfigureAwait(false);
        if (options.ModelControl is ModelControl.Poll)
            _polling = PollAsync();
    }

    /// <summary>Reads the folder and takes over what changed, as every look under poll does.</summary>
    public Task RefreshAsync() => ChangeAsync(FollowAsync);

    /// <summary>Loads a model, all versions that its policy chooses; or loads it anew.</summary>
    /// <param name="name">The folder's name.</param>
    /// <param name="overrideJson">A configuration in Triton's JSON form laid over the folder's; null for none.</param>
    /// <returns>Null when it answers; else why it does not. What was served before goes on then.</returns>
    public async Task<Fault?> LoadAsync(string name, string? overrideJson = null)
    {
        if (NotExplicit($"load '{name}'") is { } fixedModels)
            return fixedModels;
        Fault? fault = null;
        await ChangeAsync(async () => fault = await LoadOneAsync(name, overrideJson).ConfigureAwait(false)).ConfigureAwait(false);
        return fault;
    }

    /// <summary>Unloads every version of a model when what they hold is answered.</summary>
    /// <returns>Null, or why not.</returns>
    public async Task<Fault?> UnloadAsync(string name)
    {
        if (NotExplicit($"unload '{name}'") is { } fixedModels)
            return fixedModels;
        Fault? fault = null;
        await ChangeAsync(() =>
        {
            fault = UnloadOne(name);
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        return fault;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _changing.Dispose();
    }

    private static Fault Unknown(string name) => new(
        FaultKind.UnknownModel, $"failed to load '{name}', there is no folder of that name in the model repository.");

    private async Task PollAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(options.PollMs), clock.Time);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            await ChangeAsync(FollowAsync).ConfigureAwait(false);
    }

    private async Task ChangeAsync(Func<Task> change)
    {
        await _changing.WaitAsync(_stop.Token).ConfigureAwait(false);
        try
        {
            await change().ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>What is served follows the folder: new and changed versions first, so that there is no gap.</summary>
    private async Task FollowAsync()
    {
        var fresh = await Task.Run(reader.Read).ConfigureAwait(false);
        Tell(_view, fresh);
        var diff = RepositoryDiff.Between(_served, fresh);
        (_view, _served) = (fresh, diff.Next);
        List<Task<Fault?>> loads = [];
        foreach (var change in diff.Added.Concat(diff.Changed))
        {
            if (options.LoadsAll || options.Load.Contains(change.Model))
                loads.Add(models.LoadAsync(change.Options));
            else if (models.Declare(change.Options, onDemand: false) is { } taken)
                Log.NotServed(logger, change.Model, taken.Message);
        }

        // The reason of a failed load is at its door and in the log.
        await Task.WhenAll(loads).ConfigureAwait(false);
        foreach (var change in diff.Removed)
            _ = models.RemoveAsync(change.Options);
    }

    private async Task<Fault?> LoadOneAsync(string name, string? overrideJson)
    {
        if (await Task.Run(() => reader.Read(name, overrideJson)).ConfigureAwait(false) is not { } model)
            return Unknown(name);
        if (model.Errors is [var error, ..])
        {
            return new(
                FaultKind.InvalidInput,
                $"failed to load '{name}', {error.Place} {error.Key}: {error.Problem} {error.Remedy}");
        }

        var faults = await Task.WhenAll(model.Versions.Select(v => models.LoadAsync(v.Options))).ConfigureAwait(false);
        var chosen = model.Versions.Select(v => v.Number).ToHashSet();
        foreach (var old in _served.Find(name)?.Versions ?? [])
        {
            if (!chosen.Contains(old.Number))
                _ = models.RemoveAsync(old.Options);
        }

        _served = _served with { Models = [.. _served.Models.Where(m => m.Name != name), model] };
        var failed = faults.FirstOrDefault(f => f is not null);
        return failed is null ? null : failed with { Message = $"failed to load '{name}', {failed.Message}" };
    }

    private Fault? UnloadOne(string name)
    {
        if (_served.Find(name) is not { } model)
            return new(FaultKind.UnknownModel, $"failed to unload '{name}', it is not in the model repository.");
        foreach (var version in model.Versions)
            _ = models.UnloadAsync(version.Options, RouteState.Unloaded);
        return null;
    }

    private Fault? NotExplicit(string what) => options.ModelControl is ModelControl.Explicit
        ? null
        : new(
            FaultKind.Unsupported,
            $"failed to {what}: models are not loaded or unloaded by callers here. Set repository.modelControl: explicit "
            + $"(it is {options.ModelControl.ToString().ToLowerInvariant()}).");

    /// <summary>Logs what is wrong, once.</summary>
    private void Tell(RepositoryView before, RepositoryView fresh)
    {
        var known = before.AllErrors.Concat(before.AllNotes).ToHashSet();
        foreach (var error in fresh.AllErrors.Where(e => !known.Contains(e)))
            Log.RepositoryError(logger, error.Place, error.Key, error.Problem, error.Remedy);
        foreach (var note in fresh.AllNotes.Where(n => !known.Contains(n)))
            Log.RepositoryNote(logger, note.Place, note.Key, note.Problem, note.Remedy);
    }
}
