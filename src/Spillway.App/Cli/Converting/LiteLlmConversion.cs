using System.Globalization;
using YamlDotNet.RepresentationModel;

namespace Spillway.App.Cli.Converting;

/// <summary>
/// What a LiteLLM proxy's configuration becomes. Deployments under one name that differ in their address only are
/// targets of one upstream; others are steps of the route, one behind the other. This file is long because each
/// key that has a counterpart is read in it.
/// </summary>
internal sealed class LiteLlmConversion
{
    private const string Variable = "os.environ/";
    private const int NameMax = 64;

    private readonly LiteLlmFile _file;
    private readonly Converted _into = new();
    private readonly Dictionary<string, (int Rpm, int Tpm, int All)> _limited = [];
    private readonly YamlMappingNode? _settings;
    private readonly YamlMappingNode? _router;
    private readonly HashSet<string> _names;

    private LiteLlmConversion(LiteLlmFile file)
    {
        _file = file;
        _settings = LiteLlmFile.Section(file.Root, "litellm_settings");
        _router = LiteLlmFile.Section(file.Root, "router_settings");
        // No upstream may have a route's name.
        _names =
        [
            .. LiteLlmFile.List(file.Root, "model_list").Select(d => Plain($"{LiteLlmFile.Find(d, "model_name")}")),
            .. Aliased(_router), .. Aliased(_settings),
        ];
    }

    /// <summary>Converts a file.</summary>
    public static Converted Convert(LiteLlmFile file)
    {
        var conversion = new LiteLlmConversion(file);
        conversion.Run();
        return conversion._into;
    }

    private void Run()
    {
        var deployments = LiteLlmFile.List(_file.Root, "model_list")
            .OrderBy(d => _file.Number(LiteLlmFile.Section(d, "litellm_params"), "order") ?? double.MaxValue);
        foreach (var deployment in deployments)
            Deployment(deployment);
        foreach (var (route, (rpm, tpm, all)) in _limited)
            WholeLimits(_into.Routes[route], route, rpm == all, tpm == all);
        var prices = _into.Upstreams.Values.Count(u => u.PerMillionInput is not null || u.PerMillionOutput is not null);
        if (prices > 0 && prices < _into.Upstreams.Count)
            Note(0, "model_list", "some deployments have a price and some have none; with prices here every model must "
                + "have one, so the section prices is a comment to complete");
        Settings();
        Aliases();
        Fallbacks();
        if (_file.Text(LiteLlmFile.Section(_file.Root, "general_settings"), "master_key").Length > 0)
        {
            _into.HasKeys = true;
            Note(LiteLlmFile.Find(LiteLlmFile.Section(_file.Root, "general_settings"), "master_key"),
                "general_settings.master_key", "keys are required here too; make them with spillway keys create");
        }

        foreach (var (path, line) in _file.Rest())
            Note(line, path, LiteLlmReasons.Of(path));
        _into.Notes.Sort(static (a, b) => LineOf(a).CompareTo(LineOf(b)));
    }

    private static int LineOf(string note) =>
        int.Parse(note.AsSpan(0, note.IndexOf(':')), CultureInfo.InvariantCulture);

    private void Deployment(YamlNode node)
    {
        var asked = _file.Text(node, "model_name");
        var parameters = LiteLlmFile.Section(node, "litellm_params");
        var (provider, model) = LiteLlmProviders.Split(_file.Text(parameters, "model"));
        if (asked.Length == 0 || model.Length == 0 || asked.Contains('*', StringComparison.Ordinal))
        {
            Give(node, "model_list", asked.Contains('*', StringComparison.Ordinal)
                ? $"'{asked}' stands for many models; a route here has one name" : "it names no model");
            return;
        }

        var url = LiteLlmProviders.IsKnown(provider)
            ? LiteLlmProviders.UrlOf(provider, Address(parameters), model) : "";
        if (url.Length == 0)
        {
            Give(node, "model_list", LiteLlmProviders.IsKnown(provider) ? $"'{asked}' has no api_base"
                : $"the provider '{provider}' of '{asked}' is none that answers in OpenAI's protocol with a key");
            return;
        }

        var route = NameOf(asked, node);
        if (Upstream(node, route, provider, model, url) is not { } upstream)
        {
            Give(node, "model_list", $"'{asked}' has as many deployments as a route can have: "
                + $"{LiteLlmReasons.StepsMax} steps, {LiteLlmReasons.TargetsMax} targets each; this one was left out");
            return;
        }

        if (!_into.Routes.TryGetValue(route, out var into))
            _into.Routes.Add(route, into = new());
        if (!into.Steps.Contains(upstream))
            into.Steps.Add(upstream);
        Limits(parameters, route, into);
    }

    /// <summary>The address that is given. One in a variable is not read here, and what stands in its place leads
    /// nowhere.</summary>
    private string Address(YamlMappingNode? parameters)
    {
        var given = _file.Text(parameters, "api_base");
        if (!given.StartsWith(Variable, StringComparison.Ordinal))
            return given;
        var variable = given[Variable.Length..];
        var host = new string([.. variable.Where(char.IsAsciiLetterOrDigit).Select(char.ToLowerInvariant)]);
        Note(LiteLlmFile.Find(parameters, "api_base"), "api_base", "addresses are not read from variables: put that of "
            + $"{variable} in the place of {host}.invalid, which leads nowhere");
        return $"https://{host}.invalid";
    }

    private string Version(YamlMappingNode parameters)
    {
        var given = _file.Text(parameters, "api_version");
        if (!given.StartsWith(Variable, StringComparison.Ordinal))
            return given;
        Note(LiteLlmFile.Find(parameters, "api_version"), "api_version",
            $"apiVersion is not read from variables: put what {given[Variable.Length..]} says there");
        return "";
    }

    private double Weight(YamlMappingNode parameters)
    {
        var given = _file.Number(parameters, "weight") ?? 1;
        var weight = Math.Clamp(given, LiteLlmReasons.WeightMin, LiteLlmReasons.WeightMax);
        if (weight != given)
            Note(LiteLlmFile.Find(parameters, "weight"), "weight", string.Create(CultureInfo.InvariantCulture,
                $"a weight is {LiteLlmReasons.WeightMin} to {LiteLlmReasons.WeightMax}, so {given} became {weight}; ")
                + "remove the target if it is to get no requests");
        return weight;
    }

    /// <summary>The upstream that a deployment belongs to; its address becomes one of its targets. Null where the
    /// route has no room for it.</summary>
    private string? Upstream(YamlNode node, string route, string provider, string model, string url)
    {
        var parameters = LiteLlmFile.Section(node, "litellm_params")!;
        var (kind, version) = (provider == "azure" ? "azure" : "openai", Version(parameters));
        var key = Key(parameters, provider, route);
        var weight = Weight(parameters);
        var steps = _into.Routes.TryGetValue(route, out var there) ? there.Steps : [];
        foreach (var known in steps)
        {
            var other = _into.Upstreams[known];
            if ((other.Kind, other.Model, other.ApiVersion) == (kind, model, version)
                && Joins(parameters, other, key, url, weight))
                return known;
        }

        if (steps.Count >= LiteLlmReasons.StepsMax)
            return null;
        var name = Free(route);
        var upstream = new ConvertedUpstream
        {
            Kind = kind, Model = model, ApiVersion = version, Targets = [(url, weight)],
            Keys = key.Length > 0 ? [key] : [],
        };
        if (_into.Routes.ContainsKey(route))
            Note(node, "model_list", $"'{route}' has deployments of different models or keys, which LiteLLM takes by "
                + "turns; here this one is asked when those before it fail");
        Times(parameters, upstream);
        Prices(node, parameters, upstream);
        _into.Upstreams.Add(name, upstream);
        return name;
    }

    /// <summary>Whether a deployment is another target, or another key, of an upstream that is there.</summary>
    private bool Joins(YamlMappingNode parameters, ConvertedUpstream other, string key, string url, double weight)
    {
        if (other.Keys.FirstOrDefault("") == key && other.Targets.Count < LiteLlmReasons.TargetsMax)
        {
            other.Targets.Add((url, weight));
            Times(parameters, other);
            return true;
        }

        if (other.Targets is not [{ Url: var only }] || only != url || key.Length == 0 || other.Keys.Count == 0)
            return false;
        other.Keys.Add(key);
        Note(parameters, "api_key", "a further key of the same address is used here when the one before it is refused, "
            + "and not by turns");
        return true;
    }

    private string Free(string route)
    {
        for (var i = 1; ; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{route}-{i}");
            if (!_into.Upstreams.ContainsKey(name) && !_names.Contains(name))
                return name;
        }
    }

    /// <summary>The variable of a key. One that stands in the file itself is not copied.</summary>
    private string Key(YamlMappingNode parameters, string provider, string route)
    {
        var key = _file.Text(parameters, "api_key");
        if (key.StartsWith(Variable, StringComparison.Ordinal))
            return key[Variable.Length..];
        if (key.Length == 0 || key.Equals("none", StringComparison.OrdinalIgnoreCase))
            return key.Length == 0 ? LiteLlmProviders.KeyOf(provider) : "";
        var variable = new string([.. route.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_')])
            + "_KEY";
        Note(LiteLlmFile.Find(parameters, "api_key"), "api_key",
            $"the key stands in the file itself and was not copied; put it into the variable {variable}");
        return variable;
    }

    private void Times(YamlMappingNode parameters, ConvertedUpstream upstream)
    {
        if (_file.Number(parameters, "timeout") is { } total)
            upstream.TotalMs = 1000 * total;
        if (_file.Number(parameters, "stream_timeout") is { } first)
            upstream.FirstDeltaMs = 1000 * first;
    }

    private void Prices(YamlNode node, YamlMappingNode parameters, ConvertedUpstream upstream)
    {
        var info = LiteLlmFile.Section(node, "model_info");
        var input = _file.Number(parameters, "input_cost_per_token") ?? _file.Number(info, "input_cost_per_token");
        var output = _file.Number(parameters, "output_cost_per_token") ?? _file.Number(info, "output_cost_per_token");
        (upstream.PerMillionInput, upstream.PerMillionOutput) = (Million(input), Million(output));
        _file.Text(info, "id");
    }

    private static double? Million(double? price) => price is { } each ? Math.Round(each * 1e6, 9) : null;

    private void Limits(YamlMappingNode? parameters, string route, ConvertedRoute into)
    {
        var (rpm, tpm) = (_file.Number(parameters, "rpm"), _file.Number(parameters, "tpm"));
        var (rpms, tpms, all) = _limited.GetValueOrDefault(route);
        _limited[route] = (rpms + (rpm is null ? 0 : 1), tpms + (tpm is null ? 0 : 1), all + 1);
        into.RequestsPerMinute = rpm is null ? into.RequestsPerMinute : (into.RequestsPerMinute ?? 0) + rpm;
        into.TokensPerMinute = tpm is null ? into.TokensPerMinute : (into.TokensPerMinute ?? 0) + tpm;
    }

    /// <summary>A limit of some deployments only is none of the route, and one that lets nothing through is none
    /// here.</summary>
    private void WholeLimits(ConvertedRoute into, string route, bool hasRpm, bool hasTpm)
    {
        if ((into.RequestsPerMinute is not null && !hasRpm) || (into.TokensPerMinute is not null && !hasTpm))
            Note(0, "model_list", $"only some deployments of '{route}' have rpm or tpm; a limit here is the route's");
        into.RequestsPerMinute = hasRpm ? PerMinute(into.RequestsPerMinute, route, "rpm") : null;
        into.TokensPerMinute = hasTpm ? PerMinute(into.TokensPerMinute, route, "tpm") : null;
    }

    private double? PerMinute(double? limit, string route, string name)
    {
        if (limit >= LiteLlmReasons.PerMinuteMin)
            return limit;
        Note(0, "model_list", $"'{route}' has {name}: 0, which lets nothing through and is no limit here; leave the "
            + "route out, or switch it off: spillway switch off --route");
        return null;
    }

    private void Settings()
    {
        var retries = _file.Number(_router, "num_retries") ?? _file.Number(_settings, "num_retries");
        _into.AttemptsMax = retries is { } count ? (int)Math.Clamp(count + 1, 1, 10) : null;
        _into.CoolMs = 1000 * (_file.Number(_router, "cooldown_time") ?? _file.Number(_settings, "cooldown_time"));
        var total = _file.Number(_router, "timeout") ?? _file.Number(_settings, "request_timeout");
        var first = _file.Number(_router, "stream_timeout");
        foreach (var upstream in _into.Upstreams.Values)
        {
            upstream.TotalMs ??= 1000 * total;
            upstream.FirstDeltaMs ??= 1000 * first;
        }

        if (_file.Text(_router, "routing_strategy") is { Length: > 0 } strategy && strategy != "simple-shuffle")
            Note(LiteLlmFile.Find(_router, "routing_strategy"), "router_settings.routing_strategy",
                $"'{strategy}' has no counterpart: targets are taken by their load and what was learned of their "
                + "speed");
    }

    private void Aliases()
    {
        foreach (var section in new[] { _router, _settings })
        {
            if (LiteLlmFile.Section(section, "model_group_alias") is not { } aliases)
                continue;
            foreach (var (alias, target) in aliases.Children)
            {
                if (target is not YamlScalarNode { Value: { } of }
                    || !_into.Routes.TryGetValue(Plain(of), out var route)
                    || !_into.Routes.TryAdd(NameOf($"{alias}", alias), route))
                    continue;
                _file.Take(target);
            }
        }
    }

    private void Fallbacks()
    {
        foreach (var section in new[] { _router, _settings })
        {
            foreach (var entry in LiteLlmFile.List(section, "fallbacks").OfType<YamlMappingNode>()
                .SelectMany(m => m.Children))
                Fallback(Plain($"{entry.Key}"), entry.Value);
            foreach (var name in LiteLlmFile.List(section, "default_fallbacks").OfType<YamlScalarNode>())
            {
                foreach (var route in _into.Routes.Keys.ToList())
                    Add(route, name);
            }
        }
    }

    private void Fallback(string route, YamlNode others)
    {
        foreach (var other in others is YamlSequenceNode list ? list.Children.OfType<YamlScalarNode>() : [])
        {
            foreach (var from in route == "*" ? [.. _into.Routes.Keys] : (List<string>)[route])
                Add(from, other);
        }
    }

    /// <summary>The steps of one route behind those of another one.</summary>
    private void Add(string route, YamlScalarNode other)
    {
        if (!_into.Routes.TryGetValue(route, out var into)
            || !_into.Routes.TryGetValue(Plain(other.Value ?? ""), out var from))
            return;
        _file.Take(other);
        foreach (var step in from.Steps.Where(s => !into.Steps.Contains(s)).ToList())
        {
            if (into.Steps.Count < LiteLlmReasons.StepsMax)
                into.Steps.Add(step);
            else
                Note(other, "fallbacks",
                    $"'{route}' has {LiteLlmReasons.StepsMax} steps already; '{step}' was left out");
        }
    }

    /// <summary>A name that a route may have.</summary>
    private string NameOf(string asked, YamlNode at)
    {
        var plain = Plain(asked);
        if (plain != asked)
            Note(at, "model_name", $"'{asked}' is no name of a route; clients ask for '{plain}'");
        return plain;
    }

    private static string Plain(string name)
    {
        var plain = new string([.. name.Take(NameMax - 4).Select(
            c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-')]);
        return plain.Length > 0 ? plain : "model";
    }

    /// <summary>A deployment that has no counterpart.</summary>
    private void Give(YamlNode node, string path, string why)
    {
        _file.Take(node);
        Note(node, path, why);
    }

    private void Note(YamlNode? node, string path, string why) => Note(LiteLlmFile.LineOf(node), path, why);

    private void Note(long line, string path, string why) =>
        _into.Notes.Add(string.Create(CultureInfo.InvariantCulture, $"{line}: {path}: {why}."));

    private static IEnumerable<string> Aliased(YamlNode? section) =>
        LiteLlmFile.Section(section, "model_group_alias")?.Children.Keys.Select(k => Plain($"{k}")) ?? [];
}
