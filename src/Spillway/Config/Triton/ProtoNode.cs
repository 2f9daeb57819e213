namespace Spillway.Config.Triton;

/// <summary>What a written value looked like.</summary>
internal enum ProtoForm
{
    /// <summary>A bare word: an enum's member, true, inf.</summary>
    Word,

    /// <summary>A number without quotes; whole ones hold decimal digits and a sign only.</summary>
    Number,

    /// <summary>Text in quotes.</summary>
    Text,
}

/// <summary>
/// A value of a message in text form or in JSON. Both forms give this one tree, so that everything after it is shared.
/// </summary>
/// <param name="Mark">Where it begins.</param>
internal abstract record ProtoValue(Mark Mark);

/// <summary>A single value.</summary>
/// <param name="Mark">Where.</param>
/// <param name="Form">How it was written.</param>
/// <param name="Text">Without quotes and escapes; a whole number in decimal.</param>
internal sealed record ProtoScalar(Mark Mark, ProtoForm Form, string Text) : ProtoValue(Mark);

/// <summary>Several values of one field.</summary>
internal sealed record ProtoList(Mark Mark, IReadOnlyList<ProtoValue> Items) : ProtoValue(Mark);

/// <summary>A message: fields in the order of writing. A map is a list of messages with key and value.</summary>
internal sealed record ProtoMessage(Mark Mark, IReadOnlyList<ProtoField> Fields) : ProtoValue(Mark)
{
    /// <summary>The first field of that name, or null.</summary>
    public ProtoField? Find(string name) => Fields.FirstOrDefault(f => f.Name == name);

    /// <summary>The single value of that field, or null.</summary>
    public ProtoScalar? Scalar(string name) => Find(name)?.Value as ProtoScalar;

    /// <summary>The message in that field, or null.</summary>
    public ProtoMessage? Message(string name) => Find(name)?.Value as ProtoMessage;

    /// <summary>The values of a repeated field; none when it is absent.</summary>
    public IReadOnlyList<ProtoValue> Items(string name) => (Find(name)?.Value as ProtoList)?.Items ?? [];

    /// <summary>The messages of a repeated field; none when it is absent.</summary>
    public IEnumerable<ProtoMessage> Messages(string name) => Items(name).OfType<ProtoMessage>();

    /// <summary>A scalar's text; empty when it is absent.</summary>
    public string Text(string name) => Scalar(name)?.Text ?? "";
}

/// <summary>One field as written.</summary>
/// <param name="Mark">Where its name stands.</param>
/// <param name="Name">As written; after <see cref="ProtoSchema"/>'s check in snake_case.</param>
/// <param name="Value">Its value.</param>
internal sealed record ProtoField(Mark Mark, string Name, ProtoValue Value)
{
    /// <summary>Where an error about it points: at a single value, else at the name.</summary>
    public Mark Place => Value is ProtoScalar ? Value.Mark : Mark;
}

/// <summary>Text that is no message; the reader turns it into one error.</summary>
internal sealed class ProtoSyntaxException(Mark at, string value, string problem, string remedy) : Exception(problem)
{
    /// <summary>Where.</summary>
    public Mark At => at;

    /// <summary>What stands there.</summary>
    public string Value => value;

    /// <summary>What to do.</summary>
    public string Remedy => remedy;
}
