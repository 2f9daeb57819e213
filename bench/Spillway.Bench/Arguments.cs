using System.Globalization;

namespace Spillway.Bench;

/// <summary>What a benchmark cannot go on with: a wrong argument, a model that does not load.</summary>
internal sealed class BenchException(string message) : Exception(message);

/// <summary>The command line: a command, an operand, options with a value each, switches.</summary>
internal sealed class Arguments(string[] args)
{
    /// <summary>The first word; empty when there is none.</summary>
    public string Command => args.Length > 0 ? args[0] : "";

    /// <summary>The second word.</summary>
    public string Operand(string usage) =>
        args.Length > 1 && !args[1].StartsWith('-') ? args[1] : throw new BenchException($"usage: {usage}");

    /// <summary>Whether a switch is there.</summary>
    public bool Has(string name) => args.Contains(name);

    /// <summary>The value of an option; without a default it must be there.</summary>
    public string Text(string name, string? otherwise)
    {
        var at = Array.IndexOf(args, name);
        if (at >= 0 && at + 1 < args.Length)
            return args[at + 1];
        return otherwise ?? throw new BenchException($"{name} is missing.");
    }

    /// <summary>A whole number.</summary>
    public int Number(string name, int? otherwise) =>
        int.Parse(Text(name, otherwise?.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

    /// <summary>A time in seconds.</summary>
    public TimeSpan Seconds(string name, double otherwise) => TimeSpan.FromSeconds(
        double.Parse(Text(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture));
}
