namespace Spillway.Config.Triton;

/// <summary>
/// Reads the text form of a protocol buffer (config.pbtxt) into a tree, without knowing any schema. Bounded in depth
/// and number of values; the caller bounds the text's length.
/// </summary>
internal sealed class ProtoText
{
    /// <summary>Deepest nesting. A model's configuration needs six.</summary>
    public const int DepthMax = 32;

    /// <summary>Most values of one text.</summary>
    public const int ValuesMax = 50_000;

    private readonly ProtoLexer _lexer;
    private ProtoToken _token;
    private int _values;

    private ProtoText(string file, string text)
    {
        _lexer = new(file, text);
        _token = _lexer.Next();
    }

    /// <summary>
    /// Reads a whole text; null after an error, of which there is one: where the text stops making sense.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="shown">Name of the file in errors.</param>
    /// <param name="key">Key path of the whole file.</param>
    /// <param name="errors">Takes the error.</param>
    public static ProtoMessage? Read(string text, string shown, string key, ErrorList errors)
    {
        try
        {
            return new ProtoText(shown, text).Message(new(shown, 1, 1), closing: null, depth: 0);
        }
        catch (ProtoSyntaxException e)
        {
            errors.Add(e.At, key, e.Value, e.Message, e.Remedy);
            return null;
        }
    }

    private ProtoMessage Message(Mark at, char? closing, int depth)
    {
        if (depth > DepthMax)
            throw new ProtoSyntaxException(at, "", $"The nesting is deeper than {DepthMax}.",
                "No field lies that deep: check the brackets.");
        var fields = new List<ProtoField>();
        while (true)
        {
            if (closing is { } end && _token.Is(end))
            {
                Take();
                return new(at, fields);
            }

            if (_token.Kind == ProtoTokenKind.End)
            {
                return closing is null ? new(at, fields) : throw new ProtoSyntaxException(at, "",
                    $"The bracket that opens here is never closed with {closing}.", $"Add {closing}.");
            }

            fields.Add(Field(depth));
        }
    }

    private ProtoField Field(int depth)
    {
        if (_token.Is('['))
            throw new ProtoSyntaxException(_token.Mark, "[", "Extensions and Any have no meaning here.",
                "Remove the field; a list begins behind a field's name and a colon.");
        if (_token.Kind != ProtoTokenKind.Word)
        {
            throw new ProtoSyntaxException(_token.Mark, _token.Text, "A field's name is expected here.",
                "Check the brackets, commas and quotes before this place.");
        }

        var name = Take();
        var colon = _token.Is(':');
        if (colon)
            Take();
        var value = Value(name, colon, depth);
        if (_token.Is(',') || _token.Is(';'))
            Take();
        return new(name.Mark, name.Text, value);
    }

    private ProtoValue Value(ProtoToken name, bool colon, int depth)
    {
        if (_token.Is('{') || _token.Is('<'))
            return Nested(depth);
        if (_token.Is('['))
            return List(name, colon, depth);
        if (!colon)
        {
            throw new ProtoSyntaxException(_token.Mark, _token.Text,
                $"A colon is missing after {ErrorList.Clean(name.Text)}.",
                $"Write {ErrorList.Clean(name.Text)}: and the value, or {{ }} around the fields of a message.");
        }

        return Scalar(name);
    }

    private ProtoMessage Nested(int depth)
    {
        Count();
        var open = Take();
        return Message(open.Mark, open.Text == "{" ? '}' : '>', depth + 1);
    }

    private ProtoList List(ProtoToken name, bool colon, int depth)
    {
        var open = Take();
        var items = new List<ProtoValue>();
        while (!_token.Is(']'))
        {
            if (_token.Kind == ProtoTokenKind.End)
                throw new ProtoSyntaxException(open.Mark, "", "The list that opens here is never closed with ].",
                    "Add ].");
            if (_token.Is('['))
                throw new ProtoSyntaxException(_token.Mark, "[", "A list inside a list has no meaning.",
                    "Write one list; a trailing comma is not needed.");
            items.Add(_token.Is('{') || _token.Is('<') ? Nested(depth) : Value(name, colon, depth));
            if (_token.Is(','))
            {
                Take();
                if (_token.Is(']'))
                    throw new ProtoSyntaxException(_token.Mark, "]", "A value is missing after the comma.",
                        "Remove the comma before ].");
            }
            else if (!_token.Is(']') && _token.Kind != ProtoTokenKind.End)
            {
                throw new ProtoSyntaxException(_token.Mark, _token.Text, "A comma is missing in the list.",
                    "Write a comma between two values and ] at the end.");
            }
        }

        Take();
        return new(open.Mark, items);
    }

    private ProtoScalar Scalar(ProtoToken name)
    {
        Count();
        var at = _token.Mark;
        var minus = _token.Is('-');
        if (minus)
            Take();
        if (minus && _token.Kind == ProtoTokenKind.Word && IsBoundless(_token.Text))
            return new(at, ProtoForm.Word, "-" + Take().Text);
        ProtoForm? form = _token.Kind switch
        {
            ProtoTokenKind.Number => ProtoForm.Number,
            ProtoTokenKind.Word => minus ? null : ProtoForm.Word,
            ProtoTokenKind.Text => minus ? null : ProtoForm.Text,
            ProtoTokenKind.End or ProtoTokenKind.Symbol => null,
        };
        if (form is null)
        {
            throw new ProtoSyntaxException(_token.Mark, _token.Text,
                $"A value is missing after {ErrorList.Clean(name.Text)}.",
                "Write a number, a word, text in quotes, [ ] or { }.");
        }

        return new(at, form.Value, (minus ? "-" : "") + Take().Text);
    }

    private static bool IsBoundless(string word) =>
        word.ToLowerInvariant() is "inf" or "infinity" or "nan";

    private void Count()
    {
        if (++_values > ValuesMax)
            throw new ProtoSyntaxException(_token.Mark, "", $"The text holds more than {ValuesMax} values.",
                "Configuration is small: is this the right file?");
    }

    private ProtoToken Take()
    {
        var taken = _token;
        _token = _lexer.Next();
        return taken;
    }
}
