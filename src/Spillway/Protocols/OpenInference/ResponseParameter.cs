namespace Spillway.Protocols.OpenInference;

/// <summary>One entry of an answer's "parameters": a name with a string, a whole number or a boolean.</summary>
internal readonly record struct ResponseParameter
{
    private ResponseParameter(string name, string? text, long number, bool isBoolean) =>
        (Name, Text, Number, IsBoolean) = (name, text, number, isBoolean);

    /// <summary>The name.</summary>
    public string Name { get; }

    /// <summary>The value when it is a string; else null.</summary>
    public string? Text { get; }

    /// <summary>The value when it is a number, and 0 or 1 for a boolean.</summary>
    public long Number { get; }

    /// <summary>True when <see cref="Number"/> stands for false or true.</summary>
    public bool IsBoolean { get; }

    /// <summary>A string.</summary>
    public static ResponseParameter Of(string name, string value) => new(name, value, number: 0, isBoolean: false);

    /// <summary>A whole number.</summary>
    public static ResponseParameter Of(string name, long value) => new(name, text: null, value, isBoolean: false);

    /// <summary>A boolean.</summary>
    public static ResponseParameter Of(string name, bool value) =>
        new(name, text: null, value ? 1 : 0, isBoolean: true);
}
