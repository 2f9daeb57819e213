using Spillway.Config;
using Spillway.Planner.Language;
using Spillway.Planner.Workloads;

namespace Spillway.Planner.Plans;

/// <summary>
/// Reads a plan with its price files and traces: strict, all errors at once, each with file, line, value and remedy.
/// </summary>
public sealed class PlanReader
{
    /// <summary>A trace may end this part of the time earlier without a word: its last gap.</summary>
    private const double TraceEnd = 0.02;

    private readonly ErrorList _errors = new();
    private readonly ErrorList _notes = new();
    private readonly Func<string, PlanFile> _open;
    private readonly Dictionary<string, MachineOptions> _machines = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PlatformOptions> _platforms = new(StringComparer.Ordinal);
    private readonly Dictionary<string, RecordedTrace> _traces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Accelerator> _devices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LanguageShape> _models = new(StringComparer.Ordinal);
    private readonly List<string> _sources = [];
    private string _currency = "";

    private PlanReader(Func<string, PlanFile> open) => _open = open;

    /// <summary>Reads it.</summary>
    /// <param name="name">The plan's file, for errors.</param>
    /// <param name="text">Its text.</param>
    /// <param name="open">Opens a file that it names, relative to it.</param>
    public static PlanResult Read(string name, string text, Func<string, PlanFile> open)
    {
        var reader = new PlanReader(open);
        var plan = reader.Read(name, text);
        return new()
        {
            Plan = reader._errors.Count == 0 ? plan : null, Errors = reader._errors.ToArray(),
            Notes = reader._notes.ToArray(),
        };
    }

    private Plan? Read(string name, string text)
    {
        var binder = new OptionBinder(_errors);
        if (Bind<PlanOptions>(binder, name, text) is not { } options)
            return null;
        options = new VariantFiles(_open, _errors).Resolve(options, binder);
        for (var i = 0; i < options.Prices.Count; i++)
            Prices(options.Prices[i], binder, $"prices[{i}]");
        for (var i = 0; i < options.Hardware.Count; i++)
            Hardware(options.Hardware[i], binder, $"hardware[{i}]");
        for (var i = 0; i < options.Workloads.Count; i++)
            Trace(options.Workloads[i], options.DurationSeconds, binder, $"workloads[{i}].trace");
        var plan = new Plan
        {
            Options = options, Devices = _devices, Models = _models, Currency = _currency, PriceSources = _sources,
                Machines = _machines,
            Platforms = _platforms, Traces = _traces, Candidates = CandidateSearch.Expand(options),
        };
        new PlanChecks(plan, binder).All();
        return plan;
    }

    private T? Bind<T>(OptionBinder binder, string name, string text)
        where T : class
    {
        if (YamlReader.ReadText(text, name, "", _errors) is not { } node)
            return null;
        return (T)binder.Section(typeof(T), node, "", new(name, 1, 1));
    }

    private string? Open(string path, OptionBinder binder, string key)
    {
        var file = _open(path);
        if (file.Text is null)
            binder.Report(key, path, $"The file cannot be read: {file.Problem}", "Check its path, which is relative to "
                + "the plan.");
        return file.Text;
    }

    private void Prices(string path, OptionBinder plan, string key)
    {
        if (Open(path, plan, key) is not { } text)
            return;
        var binder = new OptionBinder(_errors);
        if (Bind<PriceFileOptions>(binder, path, text) is not { } file)
            return;
        if (file.Currency.Length > 0 && _currency.Length > 0 && file.Currency != _currency)
        {
            binder.Report("currency", file.Currency, $"Another price file is in {_currency}; amounts of two currencies "
                + "cannot be added.", "Convert one of the files, and say in its source at which rate and day.");
        }

        _currency = _currency.Length > 0 ? _currency : file.Currency;
        Add(file, binder);
    }

    private void Add(PriceFileOptions file, OptionBinder binder)
    {
        if (file.Date.Length > 0 && !DateOnly.TryParseExact(file.Date, "yyyy-MM-dd", out _))
            binder.Report("date", file.Date, "This is not a date.", "Write it as 2026-08-31.");
        _sources.Add($"{file.Source}, {file.Date}");
        foreach (var (name, machine) in file.Machines)
        {
            if (!_machines.TryAdd(name, machine))
                binder.Report($"machines.{name}", "", "Another price file has a machine of that name.",
                    "Give one of them another name.");
        }

        foreach (var (name, platform) in file.Platforms)
        {
            if (!_platforms.TryAdd(name, platform))
                binder.Report($"platforms.{name}", "", "Another price file has a platform of that name.",
                    "Give one of them another name.");
        }
    }

    private void Hardware(string path, OptionBinder plan, string key)
    {
        if (Open(path, plan, key) is not { } text)
            return;
        var binder = new OptionBinder(_errors);
        if (Bind<LanguageCatalogue>(binder, path, text) is not { } file)
            return;
        for (var i = 0; i < file.Accelerators.Count; i++)
        {
            if (!_devices.TryAdd(file.Accelerators[i].Name, file.Accelerators[i]))
                binder.Report($"accelerators[{i}].name", file.Accelerators[i].Name, "Another device has that name.",
                    "Give one of them another name.");
        }

        for (var i = 0; i < file.Models.Count; i++)
        {
            if (!_models.TryAdd(file.Models[i].Name, file.Models[i]))
                binder.Report($"models[{i}].name", file.Models[i].Name, "Another model has that name.",
                    "Give one of them another name.");
        }
    }

    private void Trace(WorkloadOptions workload, double duration, OptionBinder binder, string key)
    {
        if (workload.Arrivals is not ArrivalKind.Trace || workload.Trace.Length == 0
            || Open(workload.Trace, binder, key) is not { } text)
            return;
        if (TraceText.Read(workload.Trace, text, workload.Route, _errors, _notes) is not { } trace)
            return;
        _traces.TryAdd(workload.Name, trace);
        var seconds = trace.Span.TotalSeconds / workload.Speed;
        var span = OptionText.Number(Math.Round(seconds, 3));
        var lengths = $"The trace lasts {span} s, the plan {OptionText.Number(duration)} s: ";
        if (seconds > duration)
            _notes.Add(binder.Place(key), key, span, lengths + "the rest of it is not played.",
                "Make durationSeconds longer to play all of it.");
        else if (seconds < duration * (1 - TraceEnd))
            _notes.Add(binder.Place(key), key, span, lengths + "nothing of it comes in the time "
                + "after it, which lowers every mean.",
                "Make durationSeconds as long as the trace.");
    }
}
