using System.Text;
using System.Text.Json;

namespace Spillway.Engine.Gateway;

/// <content>
/// Whether a body asks for the numbers behind an answer: probabilities of tokens, by whatever name the usual servers
/// know them, or inner states.
/// </content>
internal ref partial struct BodyScan
{
    /// <summary>A longer name, of which every letter may be written as \u and four digits, is none of these.</summary>
    private const int NumbersBytesMax = 32 * 6;

    /// <summary>A field that is passed on, of which only that much is read.</summary>
    private void Pass()
    {
        if (_reader.ValueSpan.Length > NumbersBytesMax || NumbersName() is not { } name)
        {
            _reader.Skip();
            return;
        }

        _reader.Read();
        if (!IsNone(name))
            _numbersAsked = name;
        _reader.Skip();
    }

    /// <summary>The field's name in small letters, as a server reads it that takes any case; null for another field.
    /// </summary>
    private readonly string? NumbersName()
    {
        // Of almost every field no text is made.
        var bytes = _reader.ValueSpan;
        if (!_reader.ValueIsEscaped && Ascii.IsValid(bytes) && !Has(bytes, "prob"u8) && !Has(bytes, "hidden"u8))
            return null;
        // Go's reader takes two letters beyond ASCII for s and k.
        var name = _reader.GetString()!.Replace('\u017F', 's').Replace('\u212A', 'k').ToLowerInvariant();
        return name.Contains("logprob", StringComparison.Ordinal)
            || name is "n_probs" or "return_hidden_states" ? name : null;
    }

    private static bool Has(ReadOnlySpan<byte> name, ReadOnlySpan<byte> word)
    {
        for (var i = 0; i <= name.Length - word.Length; i++)
        {
            if (Ascii.EqualsIgnoreCase(name.Slice(i, word.Length), word))
                return true;
        }

        return false;
    }

    /// <summary>The value asks for nothing. To a completion a 0 asks for the chosen tokens' own.</summary>
    private readonly bool IsNone(string name) => _reader.TokenType switch
    {
        JsonTokenType.Null or JsonTokenType.False => true,
        JsonTokenType.Number => name is "top_logprobs" or "n_probs" && _reader.TryGetInt32(out var count) && count == 0,
        _ => false,
    };
}
