using System.Globalization;
using System.Text;
using System.Text.Json;
using Spillway.Config;

namespace Spillway.Engine.Gateway;

/// <summary>
/// A request's body as its caller sent it, and where the few fields stand in it that the gateway must know. The rest is
/// never read: it goes to the upstream as it came. Immutable; the bytes are the caller's buffer.
/// </summary>
internal sealed record AskedBody
{
    /// <summary>A chat template's own tokens for each message: role and delimiters.</summary>
    private const int TokensPerMessage = 16;

    /// <summary>A chat template's own tokens beside those: a system text of its own, the opening of the
    /// answer.</summary>
    private const int TokensOfTemplate = 256;

    /// <summary>What is asked.</summary>
    public required WireCall Call { get; init; }

    /// <summary>The whole body.</summary>
    public required ReadOnlyMemory<byte> Bytes { get; init; }

    /// <summary>The served name.</summary>
    public required string Model { get; init; }

    /// <summary>Where its value stands, quotes included.</summary>
    public required Place ModelAt { get; init; }

    /// <summary>Where the last brace stands.</summary>
    public required int EndAt { get; init; }

    /// <summary>Whether the answer is to be a stream.</summary>
    public bool Stream { get; init; }

    /// <summary>Whether the caller wants the usage at the stream's end.</summary>
    public bool WantsUsage { get; init; }

    /// <summary>Where the value of stream_options stands; empty when it is not there.</summary>
    public Place OptionsAt { get; init; }

    /// <summary>Where the value of include_usage stands in it; empty when it is not there.</summary>
    public Place IncludeAt { get; init; }

    /// <summary>The caller's cap of one answer's tokens; null for none.</summary>
    public long? TokensMax { get; init; }

    /// <summary>Where max_tokens stands; empty when it is not there.</summary>
    public CapPlace MaxTokensAt { get; init; }

    /// <summary>Where max_completion_tokens stands; empty when it is not there.</summary>
    public CapPlace CompletionTokensAt { get; init; }

    /// <summary>How many answers are made: n, or best_of.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Messages.</summary>
    public int Messages { get; init; }

    /// <summary>Pictures, sounds and files among them.</summary>
    public int Attachments { get; init; }

    /// <summary>Bytes of those that are in the body itself, in base64: they are no text.</summary>
    public int AttachmentBytes { get; init; }

    /// <summary>Bytes of declared tools, which a template may write out longer than they came.</summary>
    public int ToolBytes { get; init; }

    /// <summary>A field that asks for the numbers behind the answer; null for none.</summary>
    public string? NumbersAsked { get; init; }

    /// <summary>A place in the body.</summary>
    /// <param name="At">The first byte.</param>
    /// <param name="Length">How many; 0 for none.</param>
    internal readonly record struct Place(int At, int Length);

    /// <summary>A cap in the body.</summary>
    /// <param name="Name">The field's name, quotes included.</param>
    /// <param name="Value">Its value.</param>
    /// <param name="IsNull">Whether that is null.</param>
    internal readonly record struct CapPlace(Place Name, Place Value, bool IsNull)
    {
        /// <summary>Whether the field is there.</summary>
        public bool IsThere => Name.Length > 0;
    }

    /// <summary>
    /// The most tokens that the prompt can be. A token of a byte-level vocabulary stands for one byte at least, and
    /// JSON writes no text shorter than its UTF-8; what a template adds is allowed for by message.
    /// </summary>
    public long PromptTokensAtMost(ChatOptions options) =>
        Bytes.Length - AttachmentBytes + ToolBytes + TokensOfTemplate + ((long)Messages * TokensPerMessage)
        + ((long)Attachments * options.AttachmentTokens);

    /// <summary>The most tokens that all answers can be.</summary>
    public long AnswerTokensAtMost(ChatOptions options) =>
        WireCalls.Writes(Call) ? (TokensMax ?? options.MaxTokens) * Choices : 0;

    /// <summary>What a route allows; null when it is within that.</summary>
    public Fault? Check(string route, ChatOptions options)
    {
        if (TokensMax > options.MaxTokens)
        {
            return Fault.Invalid($"The request asks for up to {TokensMax} tokens; {route} gives at most "
                + $"{options.MaxTokens}. Ask for fewer, or raise routes.{route}.chat.maxTokens.");
        }

        return Choices > options.ChoicesMax
            ? Fault.Invalid($"The request asks for {Choices} answers; {route} gives at most {options.ChoicesMax}. Ask "
                + $"for fewer, or raise routes.{route}.chat.choicesMax.")
            : null;
    }

    /// <summary>
    /// The body for an upstream: the model's name in the route's place, usage asked for, the cap in the field where the
    /// upstream looks for it, put in where there is none. Everything else is copied byte for byte.
    /// </summary>
    /// <param name="model">What the upstream calls it.</param>
    /// <param name="options">The route's.</param>
    /// <param name="field">Where the upstream takes a cap.</param>
    public byte[] For(string model, ChatOptions options, TokensField field)
    {
        Span<(int At, int Length, byte[] Text)> edits = new (int, int, byte[])[4];
        var count = 0;
        edits[count++] =
            (ModelAt.At, ModelAt.Length, JsonSerializer.SerializeToUtf8Bytes(model, WireJson.Default.String));
        if (Stream)
        {
            if (OptionsAt.Length == 0)
                edits[count++] = (EndAt, 0, ",\"stream_options\":{\"include_usage\":true}"u8.ToArray());
            else if (IncludeAt.Length > 0)
                edits[count++] = (IncludeAt.At, IncludeAt.Length, "true"u8.ToArray());
            else
                edits[count++] = (OptionsAt.At, OptionsAt.Length, Include());
        }

        if (WireCalls.Writes(Call))
            Cap(options, field is TokensField.MaxTokens || Call is WireCall.Completion, edits, ref count);
        return Splice(edits[..count]);
    }

    /// <summary>
    /// The upstream's own field holds a number. Where the caller used the other one it gets the upstream's name: there
    /// are servers that know one of the two only, and such that refuse a request with both.
    /// </summary>
    private void Cap(ChatOptions options, bool isShort, Span<(int At, int Length, byte[] Text)> edits, ref int count)
    {
        var name = isShort ? "\"max_tokens\"" : "\"max_completion_tokens\"";
        var cap = (TokensMax ?? options.MaxTokens).ToString(CultureInfo.InvariantCulture);
        var (own, other) = isShort ? (MaxTokensAt, CompletionTokensAt) : (CompletionTokensAt, MaxTokensAt);
        var at = own.IsThere ? own : other;
        if (!at.IsThere)
        {
            edits[count++] = (EndAt, 0, Encoding.UTF8.GetBytes($",{name}:{cap}"));
            return;
        }

        if (!own.IsThere)
            edits[count++] = (at.Name.At, at.Name.Length, Encoding.UTF8.GetBytes(name));
        if (at.IsNull)
            edits[count++] = (at.Value.At, at.Value.Length, Encoding.UTF8.GetBytes(cap));
    }

    /// <summary>The caller's options with one member more.</summary>
    private byte[] Include()
    {
        var options = Bytes.Span.Slice(OptionsAt.At, OptionsAt.Length);
        if (options[0] != (byte)'{')
            return "{\"include_usage\":true}"u8.ToArray();
        var inside = options[1..^1];
        var isEmpty = inside.IndexOfAnyExcept(" \t\r\n"u8) < 0;
        return [.. "{\"include_usage\":true"u8, .. isEmpty ? [] : ","u8, .. inside, (byte)'}'];
    }

    private byte[] Splice(Span<(int At, int Length, byte[] Text)> edits)
    {
        // Those at one place stay in their order: the sort is stable for so few by insertion.
        for (var i = 1; i < edits.Length; i++)
        {
            for (var j = i; j > 0 && edits[j - 1].At > edits[j].At; j--)
                (edits[j - 1], edits[j]) = (edits[j], edits[j - 1]);
        }

        var length = Bytes.Length;
        foreach (var edit in edits)
            length += edit.Text.Length - edit.Length;
        var (result, from, to) = (new byte[length], 0, 0);
        foreach (var (at, gone, text) in edits)
        {
            Bytes.Span[from..at].CopyTo(result.AsSpan(to));
            to += at - from;
            text.CopyTo(result, to);
            to += text.Length;
            from = at + gone;
        }

        Bytes.Span[from..].CopyTo(result.AsSpan(to));
        return result;
    }
}
