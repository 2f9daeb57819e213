using System.Globalization;

namespace Spillway.Config;

/// <summary>
/// Reads the standard OTEL_ variables. What cannot be used becomes a warning that names the variable and what holds
/// instead; values are not repeated where they may be secret.
/// </summary>
/// <param name="environment">Variables of the process.</param>
internal sealed class OtlpVariables(IReadOnlyDictionary<string, string> environment)
{
    private const string Prefix = "OTEL_EXPORTER_OTLP_";
    private const int PairsMax = 128;
    private const int ShownMax = 100;

    private static readonly string[] s_unsupported =
    [
        $"{Prefix}CERTIFICATE", $"{Prefix}CLIENT_KEY", $"{Prefix}CLIENT_CERTIFICATE",
        $"{Prefix}TRACES_CERTIFICATE", $"{Prefix}METRICS_CERTIFICATE",
    ];

    private readonly List<string> _warnings = [];

    /// <summary>A variable without the blanks around it; empty when it is not set.</summary>
    public string Text(string name) => environment.TryGetValue(name, out var value) ? value.Trim() : "";

    /// <summary>The signal's own variable where it is set, else the common one.</summary>
    public string Signal(string signal, string what)
    {
        var own = $"{Prefix}{signal}_{what}";
        return Text(own).Length > 0 ? own : Prefix + what;
    }

    /// <summary>A number in a range, or the default with a warning.</summary>
    public double Number(string name, double otherwise, double min, double max)
    {
        var text = Text(name);
        if (text.Length == 0)
            return otherwise;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && value >= min && value <= max)
            return value;
        Warn(name, text, string.Create(CultureInfo.InvariantCulture,
            $"a number from {min} to {max} is wanted; {otherwise} holds"));
        return otherwise;
    }

    /// <summary>A whole number in a range, or the default with a warning.</summary>
    public int Whole(string name, int otherwise, int min, int max) => (int)Number(name, otherwise, min, max);

    /// <summary>An address, or null with a warning.</summary>
    public Uri? Address(string name)
    {
        if (TryAddress(Text(name), out var address))
            return address;
        Warn(name, Text(name), "an http or https address is wanted, as http://127.0.0.1:4318; nothing is sent there");
        return null;
    }

    /// <summary>Whether a text is the address of a receiver.</summary>
    public static bool TryAddress(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Uri? address) =>
        Uri.TryCreate(text, UriKind.Absolute, out address) && address.Scheme is "http" or "https"
            && address.Host.Length > 0 && address.UserInfo.Length == 0;

    /// <summary>"key=value,key=value", percent-encoded; what is no pair is a warning without its value.</summary>
    public List<KeyValuePair<string, string>> Pairs(string name)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        var number = 0;
        foreach (var part in Text(name).Split(',', StringSplitOptions.TrimEntries))
        {
            if (part.Length == 0)
                continue;
            number++;
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0 || pairs.Count == PairsMax || part.Any(char.IsControl))
                _warnings.Add($"{name}: pair {number} is left out: key=value is wanted, at most {PairsMax} of them.");
            else
                pairs.Add(new(part[..at].Trim(), Uri.UnescapeDataString(part[(at + 1)..].Trim())));
        }

        return pairs;
    }

    /// <summary>Says so when another protocol than ours is asked for.</summary>
    public void CheckProtocol(string signal)
    {
        var name = Signal(signal, "PROTOCOL");
        if (Text(name) is not ("" or "http/protobuf"))
            Warn(name, Text(name), "only http/protobuf is spoken, and used; a receiver has it on port 4318 as a rule");
        var wanted = Text($"{Prefix}METRICS_TEMPORALITY_PREFERENCE");
        if (signal == "METRICS" && wanted.ToUpperInvariant() is not ("" or "CUMULATIVE"))
            Warn($"{Prefix}METRICS_TEMPORALITY_PREFERENCE", wanted, "only cumulative sums are sent");
    }

    /// <summary>Whether bodies are to be compressed.</summary>
    public bool IsGzip(string signal)
    {
        var name = Signal(signal, "COMPRESSION");
        if (Text(name) is not ("" or "none" or "gzip"))
            Warn(name, Text(name), "gzip and none are known; bodies are not compressed");
        return Text(name) == "gzip";
    }

    /// <summary>A sentence about a variable that cannot be used.</summary>
    public void Warn(string name, string value, string remedy) =>
        _warnings.Add($"{name} is '{(value.Length > ShownMax ? value[..ShownMax] + "…" : value)}': {remedy}.");

    /// <summary>Every warning, each once.</summary>
    public IReadOnlyList<string> Finish()
    {
        foreach (var name in s_unsupported.Where(name => Text(name).Length > 0))
            _warnings.Add($"{name} is not supported; the system's certificates are used.");
        return [.. _warnings.Distinct()];
    }
}
