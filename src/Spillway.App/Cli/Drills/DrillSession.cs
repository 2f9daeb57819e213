using System.Globalization;
using Spillway.App.Load;
using Spillway.Policies.Drills;

namespace Spillway.App.Cli.Drills;

/// <summary>
/// One drill from beginning to end: a trickle of requests, a look at how it is before, something broken, mended, a look
/// at how it is after. Whatever happens on the way, what was broken is mended first.
/// </summary>
/// <param name="wish">What was asked for.</param>
/// <param name="client">The server.</param>
/// <param name="say">Told what happens, line by line.</param>
internal sealed class DrillSession(DrillWish wish, ServerClient client, Action<string> say)
{
    private const double UsualRate = 20;
    private const double HealthyMin = 0.95;
    private const double SettleMs = 500;
    private const int RateMin = 1;
    private const int RateMax = 200;

    private readonly List<DrillStretch> _stretches = [];
    private readonly List<(string What, double FromMs, double ToMs)> _broken = [];
    private readonly List<string> _notes = [];
    private DrillTraffic _traffic = null!;
    private DrillStretch _before = null!;
    private DrillExample? _example;
    private string _id = "";
    private string _served = wish.Served;
    private double _rate;
    private double _afterMs;

    /// <summary>Runs it. An interrupted one gives what it has.</summary>
    public async Task<DrillEvidence> RunAsync(CancellationToken cancellation)
    {
        await AimAsync(cancellation).ConfigureAwait(false);
        var began = TimeProvider.System.GetUtcNow();
        string[] passes = wish.Kind is DrillKind.Cache ? [] : ["Cache-Control: no-store"];
        string[] headers = [.. passes, .. OfClass(wish.Criticality)];
        var contents = await ContentsAsync(cancellation).ConfigureAwait(false);
        var flood = wish.Kind is DrillKind.Spike ? new DrillFlood(
            wish, _served, headers,
            wish.SpikeCriticality.Length > 0 ? [.. passes, .. OfClass(wish.SpikeCriticality)] : headers) : null;
        _rate = await RateAsync(flood, cancellation).ConfigureAwait(false);
        var counted = await DrillFigures.ReadAsync(client, cancellation).ConfigureAwait(false);
        var interrupted = false;
        await using (_traffic = DrillTraffic.Start(wish.Place, _served, contents, headers, _rate))
        {
            try
            {
                await LookBeforeAsync(cancellation).ConfigureAwait(false);
                await BreakAsync(flood, cancellation).ConfigureAwait(false);
                say(Line($"after: {wish.After:0.#} s"));
                await PauseAsync(wish.After, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested && _id.Length > 0)
            {
                interrupted = true;
            }

            var endMs = _traffic.NowMs;
            await _traffic.StopAsync().ConfigureAwait(false);
            var moved = (await SettledAsync().ConfigureAwait(false)).Since(counted);
            return Conclude(began, endMs, moved, interrupted);
        }
    }

    /// <summary>Whether it may, and what it would break.</summary>
    private async Task AimAsync(CancellationToken cancellation)
    {
        var all = await client.GetAsync("/admin/v1/drills", cancellation).ConfigureAwait(false);
        if (all.TryGetProperty("why_not", out var not))
            throw new CommandException(not.GetString()!);
        if (_served.Length > 0)
            return;
        var drill = all.GetProperty("drills").EnumerateArray()
            .First(d => d.GetProperty("name").GetString() == DrillWords.Of(wish.Kind));
        _served = drill.TryGetProperty("served", out var served) ? served.GetString()!
            : throw new CommandException(drill.GetProperty("needs").GetString()!);
    }

    private async Task<IReadOnlyList<RequestContent>> ContentsAsync(CancellationToken cancellation)
    {
        try
        {
            if (wish.Raw.Count > 0)
                return [.. wish.Raw.Select(file => RequestBuilder.Raw(ReadFile(file), jsonOutput: false))];
            string[] key = wish.Place.Key.Length > 0 ? [$"Authorization: Bearer {wish.Place.Key}"] : [];
            var metadata = await ModelMetadata.GetAsync(new(wish.Place.Address), _served, key, cancellation)
                .ConfigureAwait(false);
            return InputPlanner.Create(new(), metadata, _served);
        }
        catch (LoadException wrong)
        {
            throw new CommandException(wrong.Message, wrong.ExitCode);
        }
    }

    private static byte[] ReadFile(string file) => File.Exists(file) ? File.ReadAllBytes(file)
        : throw new CommandException($"--raw '{file}' does not exist.", Commands.Usage);

    private async Task<double> RateAsync(DrillFlood? flood, CancellationToken cancellation)
    {
        if (flood is null || wish.Rate is not null)
            return wish.Rate ?? UsualRate;
        say("measuring what it can do: 4 s");
        var most = await flood.MeasureAsync(cancellation).ConfigureAwait(false);
        var usual = Math.Clamp(most * DrillFlood.UsualPart, RateMin, RateMax);
        _notes.Add(Line($"It answers {most:0.#} requests a second to eight callers; a quarter of it, {usual:0.#}, ")
            + Line($"counts as usual, and the spike is {DrillFlood.Times} times that."));
        return usual;
    }

    private async Task LookBeforeAsync(CancellationToken cancellation)
    {
        say(Line($"before: {wish.Before:0.#} s"));
        await PauseAsync((SettleMs / 1000) + wish.Before, cancellation).ConfigureAwait(false);
        var samples = _traffic.Samples;
        _before = DrillMeasure.Stretch("before", "", SettleMs, _traffic.NowMs - SettleMs, samples);
        if (_before.Sent > 0 && _before.Full >= HealthyMin * _before.Sent)
            return;
        var most = samples.Where(s => s.Outcome is not DrillOutcome.Full).GroupBy(s => s.By)
            .OrderByDescending(g => g.Count()).FirstOrDefault();
        throw new CommandException(Line($"{_served} is not well before anything is broken ({_before.Full} of ")
            + Line($"{_before.Sent} full answers; mostly {most?.Key}), so that a drill would show nothing. ")
            + (wish.Raw.Count == 0 ? "Where it takes a file, give one with --raw." : "See `spillway explain`."));
    }

    private async Task BreakAsync(DrillFlood? flood, CancellationToken cancellation)
    {
        for (var (stage, stages) = (1, 1); stage <= stages; stage++)
        {
            var from = _traffic.NowMs;
            var hold = await DrillHold.StartAsync(client, wish with { Served = _served }, stage, cancellation)
                .ConfigureAwait(false);
            (stages, _id) = (hold.StepsMax, _id.Length > 0 ? _id : hold.Id);
            try
            {
                say(Line($"broken: {hold.What}: {wish.Broken:0.#} s"));
                if (flood is not null)
                    _notes.Add(await flood.SendAsync(_rate, cancellation).ConfigureAwait(false));
                else
                    await PauseAsync(wish.Broken, cancellation).ConfigureAwait(false);
            }
            finally
            {
                var to = _traffic.NowMs;
                await hold.DisposeAsync().ConfigureAwait(false);
                _broken.Add((hold.What, from, to));
                _afterMs = to;
                if (hold.Lost is { } lost)
                    _notes.Add($"The lease was lost on the way: {lost}");
            }

            say("mended");
            await ExplainAsync(from, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The newest request that noticed, while the server still remembers it.</summary>
    private async Task ExplainAsync(double fromMs, CancellationToken cancellation)
    {
        var noticed = _traffic.Samples.LastOrDefault(
            s => s.AtMs >= fromMs && s.Id.Length > 0 && DrillMeasure.Notices(s, _before));
        if (noticed.Id is not { Length: > 0 } id)
            return;
        try
        {
            var record = await client.GetAsync($"/admin/v1/requests/{Uri.EscapeDataString(id)}", cancellation)
                .ConfigureAwait(false);
            _example = new(id, [.. record.GetProperty("decisions").EnumerateArray()
                .Select(d => d.GetProperty("text").GetString() ?? "")]);
        }
        catch (CommandException)
        {
            _notes.Add($"The server no longer remembers request {id}.");
        }
    }

    /// <summary>The counters, when what waits to be written was written; or three seconds later.</summary>
    private async Task<DrillCounts> SettledAsync()
    {
        var until = _traffic.NowMs + 3000;
        while (true)
        {
            var counts = await DrillFigures.ReadAsync(client, CancellationToken.None).ConfigureAwait(false);
            if (wish.Kind is not DrillKind.Disk || counts.Waiting == 0 || _traffic.NowMs > until)
                return counts;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System).ConfigureAwait(false);
        }
    }

    private DrillEvidence Conclude(DateTimeOffset began, double endMs, DrillCounts moved, bool interrupted)
    {
        var samples = _traffic.Samples;
        _stretches.Add(_before);
        _stretches.AddRange(_broken.Select(b => DrillMeasure.Stretch("broken", b.What, b.FromMs, b.ToMs, samples)));
        _stretches.Add(DrillMeasure.Stretch("after", "", _afterMs, endMs, samples));
        var effect = DrillMeasure.Effect(samples, _broken[0].FromMs, _afterMs, _before);
        var recovery = DrillMeasure.Recovery(samples, _afterMs, endMs, _before);
        if (wish.Kind is DrillKind.Spike)
            _notes.Insert(0, FaredText());
        var promises = DrillJudge.Judge(wish.Kind, _stretches, recovery, moved);
        return new()
        {
            Id = _id, Drill = DrillWords.Of(wish.Kind), Served = _served, Began = began,
            What = _broken.Count == 1 ? _broken[0].What : DrillWords.What(wish.Kind), Rate = Math.Round(_rate, 2),
            Stretches = _stretches, EffectMs = effect, RecoveryMs = recovery, Promises = promises, Example = _example,
            Notes = _notes, Verdict = DrillJudge.Verdict(promises, interrupted),
        };
    }

    /// <summary>How the watched requests fared while it lasted, by their class.</summary>
    private string FaredText()
    {
        var watched = _stretches.Where(s => s.IsBroken).ToList();
        var (sent, full) = (watched.Sum(s => s.Sent), watched.Sum(s => s.Full));
        var word = wish.Criticality.Length > 0 ? wish.Criticality : CriticalityWords.Of(Criticality.Critical);
        return Line($"Of the {sent} {word} requests that were watched in the spike {full} got the full answer, ")
            + Line($"{watched.Sum(s => s.Degraded)} another one, {watched.Sum(s => s.Refused)} a refusal, ")
            + Line($"{watched.Sum(s => s.Lost)} none.");
    }

    private static string[] OfClass(string word) =>
        word.Length > 0 ? [$"{CriticalityWords.HeaderName}: {word}"] : [];

    private static Task PauseAsync(double seconds, CancellationToken cancellation) =>
        Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, cancellation);

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
