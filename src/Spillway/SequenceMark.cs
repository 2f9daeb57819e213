namespace Spillway;

/// <summary>Which sequence a request belongs to, and whether it begins or ends it.</summary>
/// <param name="Key">The caller's correlation id.</param>
/// <param name="Start">True on the first request: the model's state is made anew.</param>
/// <param name="End">True on the last: afterwards the state is forgotten.</param>
public readonly record struct SequenceMark(SequenceKey Key, bool Start, bool End);

/// <summary>A correlation id: a number or a text, as the caller chose; 17 and "17" are different sequences.</summary>
public readonly record struct SequenceKey
{
    /// <summary>The longest text, in bytes of UTF-8, as in Triton.</summary>
    public const int TextBytesMax = 128;

    /// <summary>A number; 0 means none.</summary>
    public SequenceKey(ulong number) => Number = number;

    /// <summary>
    /// A text of at most <see cref="TextBytesMax"/> bytes, which the caller checked; empty means none.
    /// </summary>
    public SequenceKey(string text) => Text = text.Length > 0 ? text : null;

    /// <summary>The number; 0 for a text.</summary>
    public ulong Number { get; }

    /// <summary>The text; null for a number.</summary>
    public string? Text { get; }

    /// <summary>Whose sequence it is: two tenants may both have a 7. Null where callers are not told apart.</summary>
    internal string? Tenant { get; init; }

    /// <summary>True for the number 0 and the empty text: no sequence at all.</summary>
    public bool IsNone => Number == 0 && Text is null;

    /// <summary>As error texts name it.</summary>
    public override string ToString() =>
        Text ?? Number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
