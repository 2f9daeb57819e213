using System.Globalization;
using Spillway.Policies.Pricing;
using Spillway.Runtimes.Simulated;

namespace Spillway.Config;

/// <summary>
/// Rules of the sections prices and ledger that concern more than the form of one value: dates that leave no gap and
/// do not overlap, amounts that can be counted, a price for every model. There is no default for a price.
/// </summary>
/// <param name="root">Knows where the keys of spillway.yaml stand.</param>
/// <param name="today">The day of the start, UTC: a price must hold on it. Null: nobody knows the day.</param>
internal sealed class PriceChecks(OptionBinder root, DateOnly? today)
{
    private OptionBinder? _file;

    /// <summary>Knows where the prices stand.</summary>
    private OptionBinder Bound => _file ?? root;

    /// <summary>The options with a price file read into them; everything that is wrong is reported.</summary>
    /// <param name="options">As they were bound.</param>
    /// <param name="folder">What prices.file is relative to.</param>
    /// <param name="errors">Takes the errors of the file.</param>
    public SpillwayOptions Read(SpillwayOptions options, string folder, ErrorList errors)
    {
        if (options.Prices is not { File.Length: > 0 } prices || root.Failed("prices"))
            return options;
        if (prices.Currency.Length > 0 || prices.Devices.Count > 0 || prices.Models.Count > 0)
        {
            root.Report("prices.file", prices.File, "Prices stand in the file and in this section.",
                "Keep them in one place: move currency, devices and models into the file, or remove the key file.");
            return options;
        }

        var full = prices.File.Contains('\0', StringComparison.Ordinal) ? "" : Path.GetFullPath(prices.File, folder);
        if (!File.Exists(full))
        {
            root.Report("prices.file", prices.File, $"There is no file {ErrorList.Clean(full, 1024)}.",
                "Create it, or change the path; it is relative to spillway.yaml.");
            return options;
        }

        return YamlReader.ReadFile(full, prices.File, "prices", errors) is { } node
            ? options with { Prices = FromFile(prices, node, errors) }
            : options;
    }

    private PricesOptions FromFile(PricesOptions prices, ConfigNode node, ErrorList errors)
    {
        _file = new(errors);
        var at = node.Mark.Line > 0 ? node.Mark : new(prices.File, 1, 1);
        var own = (PricesOptions)Bound.Section(typeof(PricesOptions), node, "prices", at);
        foreach (var stray in (string[])["file", "alerts"])
        {
            if ((node as ConfigMap)?.Find(stray) is not null)
                Bound.Report($"prices.{stray}", "", "The key belongs into spillway.yaml, under prices.",
                    "Move it there.");
        }

        return own with { File = prices.File, Alerts = prices.Alerts };
    }

    /// <summary>Reports everything that prices and ledger break.</summary>
    /// <param name="options">After <see cref="Read"/>.</param>
    /// <param name="models">Every model that is configured.</param>
    public void All(SpillwayOptions options, IReadOnlyList<ModelOptions> models)
    {
        if (options.Prices is not { } prices)
        {
            if (options.Ledger is not null && !root.Failed("prices"))
                root.Report("ledger", "", "The ledger keeps bills, and nothing has a price.",
                    "Add the section prices.");
            return;
        }

        if (!Bound.Failed("prices.currency") && !root.Failed("prices.file")
            && !(prices.Currency.Length == 3 && prices.Currency.All(char.IsAsciiLetterUpper)))
        {
            Bound.Report("prices.currency", prices.Currency, "This is no currency.",
                "Write three capital letters: EUR, USD. Every amount is in it.");
        }

        foreach (var (name, entries) in prices.Devices)
            Series($"prices.devices.{name}", [.. entries.Select(e => e.From)], Device(entries));
        foreach (var (name, entries) in prices.Models)
        {
            Series($"prices.models.{name}", [.. entries.Select(e => e.From)], Model(entries));
            OwnHardware($"prices.models.{name}", entries);
        }

        Names(options, prices, models);
        Covered(prices, models);
        ChatsCovered(options, prices);
        Alerts(options, prices, models);
    }

    /// <summary>
    /// What is allowed and deserves a word: answers of an upstream that would cost nothing. An upstream may be one's
    /// own machine that another server prices, so it is no error.
    /// </summary>
    public IReadOnlyList<ConfigError> Notes(SpillwayOptions options, string source)
    {
        if (options.Prices is not { } prices)
            return [];
        var at = root.Place("prices");
        return
        [
            .. options.Upstreams
                .Where(u => !ChatChecks.IsChat(u.Value) && !prices.Models.ContainsKey(u.Key))
                .Select(u => new ConfigError(
                    at.File.Length > 0 ? at.File : source, "prices", at.Line, at.Column, "",
                    $"No price covers the upstream {u.Key}: its answers cost 0 in every bill.",
                    $"Add prices.models.{u.Key} with perRequest, perRow or perHour (of the time that its calls take); "
                    + "0 says that it costs nothing.")),
        ];
    }

    private void ChatsCovered(SpillwayOptions options, PricesOptions prices)
    {
        foreach (var name in Chats(options).Where(name => !prices.Models.ContainsKey(name) && !Bound.Failed("prices")
            && options.Upstreams[name].Simulated is null or { PerMillionInput: 0, PerMillionOutput: 0 }))
        {
            Bound.Report("prices", "", $"No price covers the upstream {name}, and there is no default.",
                $"Add prices.models.{name} with perMillionInput and perMillionOutput; 0 says that it costs nothing.");
        }
    }

    private static List<(int, string, double)> Device(IReadOnlyList<DevicePriceOptions> entries) =>
        [.. entries.Select((e, i) => (i, "perHour", e.PerHour))];

    private static List<(int, string, double)> Model(IReadOnlyList<ModelPriceOptions> entries) =>
        [.. entries.SelectMany((e, i) => ((int, string, double)[])
            [(i, "perHour", e.PerHour ?? 0), (i, "perRun", e.PerRun), (i, "perRow", e.PerRow),
                (i, "perRequest", e.PerRequest), (i, "perMillionInput", e.PerMillionInput),
                (i, "perMillionCached", e.PerMillionCached ?? 0), (i, "perMillionOutput", e.PerMillionOutput),
                (i, "perMillionReasoning", e.PerMillionReasoning ?? 0)])];

    private void Series(string key, IReadOnlyList<string> days, List<(int Entry, string Key, double Amount)> amounts)
    {
        if (Bound.Failed(key))
            return;
        if (days.Count == 0)
            Bound.Report(key, "", "The list is empty, so nothing has a price.",
                "Add { from: …, … }, or remove the key.");
        DateOnly? before = null;
        for (var i = 0; i < days.Count; i++)
        {
            var at = $"{key}[{i.ToString(CultureInfo.InvariantCulture)}].from";
            if (!Amounts.TryDay(days[i], out var day))
            {
                Bound.Report(at, days[i], "This is no day.", "Write year, month and day: 2026-01-31.");
                return;
            }

            if (before is { } earlier && day <= earlier)
                Bound.Report(at, days[i], Overlap(day, earlier), "Order the entries by date, one for each day on which "
                    + "the price changes; each holds until the next begins.");
            else if (before is null && today is { } now && day > now)
                Bound.Report(at, days[i], $"No price holds today, {Text(now)}: the first begins later.",
                    "Add an entry from today or earlier on.");
            before = day;
        }

        foreach (var (entry, name, amount) in amounts)
        {
            if (!Amounts.TryParse(amount, out _))
                Bound.Report($"{key}[{entry.ToString(CultureInfo.InvariantCulture)}].{name}",
                    OptionText.Number(amount), "It has more than nine decimals; amounts are counted in billionths.",
                    "Round it to nine decimals, or price a larger unit of work.");
        }
    }

    private static string Overlap(DateOnly day, DateOnly earlier) => day == earlier
        ? $"Two prices begin on {Text(day)}."
        : $"It begins before the entry above it, which begins on {Text(earlier)}.";

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private void OwnHardware(string key, IReadOnlyList<ModelPriceOptions> entries)
    {
        var own = entries.Count(e => e.PerHour is not null);
        if (own > 0 && own < entries.Count)
            Bound.Report(key, "", "Some entries have perHour and some do not, so that the hardware would change hands.",
                "Give perHour in every entry (0 where it costs nothing), or in none.");
    }

    private void Names(SpillwayOptions options, PricesOptions prices, IReadOnlyList<ModelOptions> models)
    {
        // A model of a repository may come later.
        if (options.Repository is not null || root.Failed("models"))
            return;
        var known = models.Select(m => m.Name).Concat(options.Upstreams.Keys).ToList();
        foreach (var name in prices.Models.Keys.Except(known))
        {
            Bound.Report($"prices.models.{name}", name, "There is no model of that name.",
                $"Known: {string.Join(", ", known)}. Prices are by the model's name, not by its served names.",
                Suggestion.Nearest(name, known));
        }
    }

    private static IEnumerable<string> Chats(SpillwayOptions options) =>
        options.Upstreams.Where(u => ChatChecks.IsChat(u.Value)).Select(u => u.Key);

    private void Covered(PricesOptions prices, IReadOnlyList<ModelOptions> models)
    {
        if (prices.Devices.Count > 0 || Bound.Failed("prices"))
            return;
        foreach (var model in models.Where(m => !prices.Models.ContainsKey(m.Name)
            && m.RuntimeOptions is not SimulatedOptions { PriceNanoPerRun: > 0 }
            && m.RuntimeOptions is not SimulatedOptions { PriceNanoPerRow: > 0 }))
        {
            Bound.Report("prices", "", $"No price covers the model {model.Name}, and there is no default.",
                $"Add prices.devices.cpu, or prices.models.{model.Name}; a price of 0 says that it costs nothing.");
        }
    }

    private void Alerts(SpillwayOptions options, PricesOptions prices, IReadOnlyList<ModelOptions> models)
    {
        foreach (var (name, alert) in prices.Alerts)
        {
            var key = $"prices.alerts.{name}";
            if (options.Ledger is null)
                root.Report(key, "", "Thresholds count what the ledger keeps, and there is none.",
                    "Add the section ledger.");
            if (alert is { PerHour: 0, PerDay: 0 } && !root.Failed(key))
                root.Report(key, "", "The threshold never tells.", "Give perHour, perDay, or both.");
            foreach (var (what, limit) in ((string, double)[])[("perHour", alert.PerHour), ("perDay", alert.PerDay)])
            {
                if (!Amounts.TryParse(limit, out _))
                    root.Report($"{key}.{what}", OptionText.Number(limit), "It has more than nine decimals.",
                        "Round it.");
            }

            if (options.Repository is not null)
                continue;
            Known($"{key}.model", alert.Model, "model", [.. models.Select(m => m.Name), .. Chats(options)]);
            Known($"{key}.owner", alert.Owner, "owner",
                [.. models.SelectMany(m => m.Serve.Values.Select(s => s.Owner).Append(m.Owner))
                    .Where(o => o.Length > 0)]);
        }
    }

    private void Known(string key, string value, string what, IReadOnlyList<string> known)
    {
        if (value.Length > 0 && !known.Contains(value))
            root.Report(key, value, $"There is no {what} of that name, so the threshold would never tell.",
                $"Known: {string.Join(", ", known.Distinct().Take(20))}.", Suggestion.Nearest(value, known));
    }
}
