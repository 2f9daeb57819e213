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
    private readonly Uploads _uploads = new(options, reader);
    private readonly LoadRetries _retries = new(options);
    private readonly Settling _settling = new();
    private volatile RepositoryView _view = RepositoryView.Empty(options.Path);
    private RepositoryView _served = RepositoryView.Empty(options.Path);

    /// <summary>Where, and who decides.</summary>
    public RepositoryOptions Options => options;

    /// <summary>What the folder held when it was last read.</summary>
    public RepositoryView View => _view;

    /// <summary>
    /// Reads the folder, and loads what is to be there at start. Completes when every load has ended.
    /// </summary>
    public async Task StartAsync()
    {
        await RefreshAsync().ConfigureAwait(false);
        if (options.ModelControl is ModelControl.Poll)
            _polling = PollAsync();
    }

    /// <summary>Reads the folder and takes over what it holds now, whether its files still change or not.</summary>
    public Task RefreshAsync() => ChangeAsync(() => FollowAsync(isPatient: false));

    /// <summary>One look under poll: takes over what changed and whose files have settled.</summary>
    internal Task LookAsync() => ChangeAsync(() => FollowAsync(isPatient: true));

    /// <summary>Loads a model, all versions that its policy chooses; or loads it anew.</summary>
    /// <param name="name">The folder's name.</param>
    /// <param name="overrideJson">A configuration in Triton's JSON form laid over the folder's; null for none.</param>
    /// <param name="upload">
    /// Files to load in place of the folder's, which need not exist; null for none. From here on it is the
    /// repository's: it lives as long as something that came from it is served.
    /// </param>
    /// <returns>Null when it answers; else why it does not. What was served before goes on then.</returns>
    public async Task<Fault?> LoadAsync(string name, string? overrideJson = null, UploadedModel? upload = null)
    {
        try
        {
            return NotExplicit($"load '{name}'") ?? await ChangeAsync(() => LoadOneAsync(name, overrideJson, upload))
                .ConfigureAwait(false);
        }
        finally
        {
            if (upload is not null && !_uploads.Holds(upload))
                upload.Dispose();
        }
    }

    /// <summary>Unloads every version of a model when what they hold is answered.</summary>
    /// <returns>Null, or why not.</returns>
    public async Task<Fault?> UnloadAsync(string name) =>
        NotExplicit($"unload '{name}'") ?? await ChangeAsync(() => UnloadOneAsync(name)).ConfigureAwait(false);

    /// <summary>Whether callers may load and unload: null, or why not.</summary>
    /// <param name="what">For the text: "load 'm'".</param>
    internal Fault? NotExplicit(string what) => options.ModelControl is ModelControl.Explicit
        ? null
        : new(
            FaultKind.Unsupported,
            $"failed to {what}: models are not loaded or unloaded by callers here. Set repository.modelControl: explicit "
            + $"(it is {options.ModelControl.ToString().ToLowerInvariant()}).");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _polling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // A change in progress ends first: it may still keep an upload.
        await _changing.WaitAsync().ConfigureAwait(false);
        _uploads.Dispose();
        _stop.Dispose();
        _changing.Dispose();
    }

    private static Fault Unknown(string name) => new(
        FaultKind.UnknownModel, $"failed to load '{name}', there is no folder of that name in the model repository.");

    private async Task PollAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(options.PollMs), clock.Time);
        while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
        {
            try
            {
                await LookAsync().ConfigureAwait(false);
            }
#pragma warning disable CA1031 // A surprise in one look must not end all others.
            catch (Exception surprise)
#pragma warning restore CA1031
            {
                Log.LookFailed(logger, options.Path, surprise);
            }
        }
    }

    private async Task<Fault?> ChangeAsync(Func<Task<Fault?>> change)
    {
        try
        {
            await _changing.WaitAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return new(FaultKind.ShuttingDown, "The server is stopping: it loads and unloads nothing.");
        }

        try
        {
            return await change().ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task<Fault?> ServeAsync(RepositoryChange change)
    {
        var fault = await models.ServeAsync(change.Options).ConfigureAwait(false);
        _retries.Ended(change, fault, clock.Now);
        return fault;
    }

    private static bool IsSame(RepositoryChange one, RepositoryChange other) =>
        one.Model == other.Model && one.Version == other.Version;

    private bool IsServed(RepositoryChange change) =>
        _served.Find(change.Model)?.Versions.Any(v => v.Number == change.Version) is true;

    /// <summary>What is served follows the folder: new and changed versions first, so that there is no gap.</summary>
    private async Task<Fault?> FollowAsync(bool isPatient)
    {
        var began = clock.Time.GetUtcNow();
        var fresh = await Task.Run(reader.Read).ConfigureAwait(false);
        Tell(_view, fresh);
        var before = _served;
        var diff = RepositoryDiff.Between(before, Settled(fresh, began, isPatient));
        (_view, _served) = (fresh, diff.Next);
        // A folder that was renamed keeps its names without a gap.
        foreach (var change in diff.Removed)
            models.Yield(change.Options);
        var changes = diff.Added.Concat(diff.Changed).ToList();
        changes.AddRange(_retries.Due(clock.Now, IsServed).Where(
            c => !changes.Exists(o => IsSame(o, c)) && !_settling.Held.Contains(c.Model)));
        List<Task<Fault?>> loads = [];
        foreach (var change in changes)
        {
            if (options.LoadsAll || options.Load.Contains(change.Model))
                loads.Add(ServeAsync(change));
            else if (models.Declare(change.Options, onDemand: false) is { } taken)
                Log.NotServed(logger, change.Model, taken.Message);
        }

        // The reason of a failed load is at its door and in the log.
        await Task.WhenAll(loads).ConfigureAwait(false);
        foreach (var change in diff.Removed)
        {
            if (IsStillNeeded(change))
                GoOn(before.Find(change.Model)!.Versions.First(v => v.Number == change.Version), change.Model);
            else
                _ = models.RemoveAsync(change.Options);
        }

        _uploads.Sweep(_served);
        return null;
    }

    /// <summary>
    /// Whether a version that is not chosen any more answers in place of one that failed, as long as its folder is
    /// there.
    /// </summary>
    private bool IsStillNeeded(RepositoryChange change) => _retries.IsFallback(change)
        && _view.Find(change.Model)?.Found.Contains(change.Version) is true;

    private void GoOn(RepositoryVersion old, string name)
    {
        models.Stay(old.Options);
        var model = _served.Find(name)!;
        _served = _served.With(model with { Versions = [.. model.Versions.Append(old).OrderBy(v => v.Number)] });
    }

    private RepositoryView Settled(RepositoryView fresh, DateTimeOffset began, bool isPatient)
    {
        var before = _settling.Held;
        var settled = _settling.Look(_served, fresh, began, isPatient);
        foreach (var name in _settling.Held.Where(n => !before.Contains(n)))
            Log.StillChanging(logger, name, options.PollMs);
        return settled;
    }

    private async Task<Fault?> LoadOneAsync(string name, string? overrideJson, UploadedModel? upload)
    {
        if (upload is not null && _uploads.Full(name, upload) is { } full)
            return full;
        var found = await Task.Run(() => _uploads.Read(name, overrideJson, upload)).ConfigureAwait(false);
        if (found is not { } model)
            return Unknown(name);
        if (Path.GetDirectoryName(model.Folder) == _view.Root)
            _view = _view.With(model);
        if (model.Errors is [var error, ..])
        {
            return new(
                FaultKind.InvalidInput,
                $"failed to load '{name}', {error.Place} {error.Key}: {error.Problem} {error.Remedy}");
        }

        // Held before the load, so that no end of this leaves files behind.
        if (upload is not null)
            _uploads.Hold(name, upload, overrideJson);
        var faults = await Task.WhenAll(model.Versions.Select(v => models.LoadAsync(v.Options))).ConfigureAwait(false);
        Serve(model, faults, isUpload: upload is not null);
        _uploads.Sweep(_served);
        var failed = faults.FirstOrDefault(f => f is not null);
        return failed is null ? null : failed with { Message = $"failed to load '{name}', {failed.Message}" };
    }

    /// <summary>
    /// The versions that are not chosen any more go, unless something failed: then what was served goes on. What an
    /// upload failed with is nowhere but in the answer, because its files do not stay.
    /// </summary>
    private void Serve(RepositoryModel model, Fault?[] faults, bool isUpload)
    {
        var before = _served.Find(model.Name)?.Versions ?? [];
        var fine = faults.All(f => f is null);
        List<RepositoryVersion> served = [.. model.Versions.Where((_, i) => faults[i] is null || !isUpload)];
        foreach (var version in model.Versions.Where((_, i) => faults[i] is not null && isUpload))
        {
            if (before.FirstOrDefault(o => o.Number == version.Number) is { } old)
                models.Declare(old.Options, onDemand: false);
            else
                _ = models.RemoveAsync(version.Options);
        }

        foreach (var old in before.Where(o => served.TrueForAll(v => v.Number != o.Number)))
        {
            if (fine)
                _ = models.RemoveAsync(old.Options);
            else
                served.Add(old);
        }

        _served = _served.With(model with { Versions = [.. served.OrderBy(v => v.Number)] });
    }

    private async Task<Fault?> UnloadOneAsync(string name)
    {
        if (_served.Find(name) is not { Versions.Count: > 0 } model)
            return new(FaultKind.UnknownModel, $"failed to unload '{name}', it is not in the model repository.");
        foreach (var version in model.Versions)
        {
            if (_uploads.Holds(version))
                _ = models.RemoveAsync(version.Options);
            else
                _ = models.UnloadAsync(version.Options, RouteState.Unloaded);
        }

        if (!model.Versions.Any(_uploads.Holds))
            return null;
        // An upload ends with its model; what the folder holds under that name is known again, and not loaded.
        var own = await Task.Run(() => reader.Read(name)).ConfigureAwait(false);
        foreach (var version in own?.Versions ?? [])
            models.Declare(version.Options, onDemand: false);
        _served = own is null ? _served.Without(name) : _served.With(own);
        _uploads.Sweep(_served);
        return null;
    }

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
