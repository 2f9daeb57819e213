using Spillway.Policies.Content;
using Spillway.Policies.Pricing;
using Spillway.Telemetry;
using Spillway.Transforms.Tokens;

namespace Spillway.Engine.Gateway;

/// <summary>
/// What one request's attempts share: what was asked, where the answer goes, and what is known of it so far. One owner.
/// </summary>
/// <param name="work">Its stages and its record.</param>
/// <param name="asked">What was asked.</param>
/// <param name="sink">Where the answer goes.</param>
/// <param name="clock">The clock.</param>
internal sealed class ExchangeState(Work work, AskedBody asked, IAnswerSink sink, Clock clock)
{
    /// <summary>A text's bytes of one token, where nobody counted: of English in the usual vocabularies.</summary>
    private const int BytesPerToken = 4;

    /// <summary>Pieces that are longer than this in the mean hold more than a token each.</summary>
    private const int PieceBytesMax = 8;

    /// <summary>Of an answer so much is kept to be counted.</summary>
    private const int TextCharsMax = 64 * 1024;

    private AnswerGuard? _guard;
    private TokenUsage? _reported;
    private bool _isWholeAccount;
    private (long Input, long Output) _most = (long.MaxValue, long.MaxValue);
    private (Tokenizer By, long Prompt)? _counted;
    private long _pieces;
    private long _bytes;
    private Instant _sent;
    private Instant _first;
    private Instant _last;

    /// <summary>What was asked.</summary>
    public AskedBody Asked { get; set; } = asked;

    /// <summary>The rules over its answer; null for none.</summary>
    public ContentRules? Rules { get; set; }

    /// <summary>What rules found; null where there are none.</summary>
    public ContentLog? Log { get; set; }

    /// <summary>What tokens cost at the upstream that is asked; null where nothing has a price.</summary>
    public TokenPrice? Price { get; set; }

    /// <summary>Where the answer goes.</summary>
    public IAnswerSink Sink => sink;

    /// <summary>The clock.</summary>
    public Clock Clock => clock;

    /// <summary>What is told of it.</summary>
    public ChatFacts Facts => work.Chat!;

    /// <summary>What the model wrote, while a vocabulary may have to count it; null else.</summary>
    public AnswerText? Text { get; private set; }

    /// <summary>The upstream's account of the prompt, where it is more than a vocabulary says is possible; else
    /// null.</summary>
    public (long Told, long Most)? Contradiction =>
        _counted is not null && _reported is { } told && told.Input > _most.Input ? (told.Input, _most.Input) : null;

    /// <summary>Whether content came, that of an attempt that was given up apart.</summary>
    public bool HasContent => _pieces > 0;

    /// <summary>What the attempt that was sent last used; null where nothing came of an answer.</summary>
    public TokenUsage? Spent => _pieces > 0 || _reported is not null ? Used : null;

    /// <summary>What was reserved for it: what is counted here never exceeds that.</summary>
    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="output">Tokens of all answers.</param>
    /// <param name="tokenizer">What counted the prompt; null for its bytes.</param>
    public void Reserve(PromptTokens prompt, long output, Tokenizer? tokenizer)
    {
        _most = (prompt.AtMost, output);
        _counted = tokenizer is not null && prompt.Counted is { } counted ? (tokenizer, counted) : null;
        // The pieces of several answers come mixed, so their texts cannot be told apart here.
        Text = _counted is not null && Asked.Choices == 1 && WireCalls.Writes(Asked.Call) ? new(TextCharsMax) : null;
    }

    /// <summary>Everything since the last mark was that stage.</summary>
    public void Mark(Stage stage) => work.Timeline.Mark(stage, clock.EndOf(stage));

    /// <summary>An attempt is sent now: what was known of one before it is forgotten.</summary>
    public void Sent()
    {
        (_guard, _reported, _isWholeAccount, _pieces, _bytes) = (null, null, false, 0, 0);
        Text?.Clear();
        (Facts.Prefill, Facts.FirstToken, Facts.FinishReason, Facts.Connect) = (null, null, "", TimeSpan.Zero);
        Log?.Forget();
        _sent = clock.Now;
    }

    /// <summary>What holds an answer to its rules; null where there are none.</summary>
    public AnswerGuard? Guard(bool isStream) => _guard =
        Rules is not null && WireCalls.Writes(Asked.Call) ? new(Rules, Log!, isStream) : null;

    /// <summary>The answer's names.</summary>
    public void Name(in AnswerPart part) => (Facts.ResponseId, Facts.ResponseModel) = (part.Id, part.Model);

    /// <summary>Content and usage of one part of the answer.</summary>
    /// <param name="part">The part.</param>
    /// <param name="isEnded">Whether no choice goes on behind it, so that an account of tokens is the whole
    /// one.</param>
    public void Count(in AnswerPart part, bool isEnded)
    {
        Believe(part, isEnded);
        if (part.FinishReason.Length > 0)
            Facts.FinishReason = part.FinishReason;
        if (part.PromptMs > 0 || part.PredictedMs > 0)
        {
            (Facts.UpstreamPrefill, Facts.UpstreamDecode) = (
                TimeSpan.FromMilliseconds(part.PromptMs), TimeSpan.FromMilliseconds(part.PredictedMs));
        }

        if (part.ContentBytes == 0)
            return;
        var now = work.Timeline.Last;
        if (_pieces++ == 0)
        {
            (_first, _last) = (now, now);
            var prefill = now - _sent - Facts.Connect;
            Facts.Prefill = prefill > TimeSpan.Zero ? prefill : TimeSpan.Zero;
        }

        if (now - _last is var gap && gap > Facts.GapMax)
            Facts.GapMax = gap;
        (_bytes, _last) = (_bytes + part.ContentBytes, now);
        if (_guard is not { Changes: true })
            Given();
    }

    private void Believe(in AnswerPart part, bool isEnded)
    {
        _isWholeAccount &= isEnded;
        // Half an account would bill the other half as nothing.
        if (part.Usage is { } usage && (part.TellsOutput || !WireCalls.Writes(Asked.Call)))
            (_reported, _isWholeAccount) = (usage, isEnded);
    }

    /// <summary>The caller gets content: under rules later than it came.</summary>
    public void Given()
    {
        if (HasContent)
            Facts.FirstToken ??= work.Timeline.Last - work.Timeline.Started;
    }

    /// <summary>
    /// The attempts are over: what the request used. The upstream's numbers where it gave them, a zero included; else
    /// what was seen, counted with the route's vocabulary where it has one; without, a token for each piece of content,
    /// or for each four bytes where pieces are so long that they hold several, and the prompt's bytes by four, its
    /// attachments apart. No more than was reserved. Of an answer that broke off: what was delivered.
    /// </summary>
    /// <param name="fault">How it ended.</param>
    public void Close(Fault? fault)
    {
        var isWhole = fault is null;
        Facts.Pieces = _pieces;
        Facts.Decode = _last - _first;
        Facts.IsPartial = !isWhole && sink.HasBegun;
        if (isWhole || Facts.IsPartial)
            Facts.Used = isWhole || (_isWholeAccount && GivenShare >= 1) ? Used : Delivered;
        Facts.IsReported = _reported is { } told && (isWhole || Facts.Used.Output == told.Output);
        Facts.IsTokenized = !Facts.IsReported && _counted is not null;
    }

    /// <summary>Everything that is counted has come: what it costs may be told before the answer's last byte.</summary>
    public void PriceNow() => Facts.Cost = Price?.Price(Used).Total;

    private TokenUsage Used => _reported ?? new(Math.Min(Prompt, _most.Input), Math.Min(Answer, _most.Output));

    /// <summary>
    /// An account from the middle of an answer is of its beginning, so the larger number counts; where rules hold a
    /// part back it tells more than the caller has. The prompt does not grow.
    /// </summary>
    private TokenUsage Delivered
    {
        get
        {
            var told = _reported ?? default;
            var output = Math.Min((long)Math.Ceiling(Answer * GivenShare), _most.Output);
            output = GivenShare >= 1 ? Math.Max(output, told.Output) : output;
            return new(told.Input > 0 ? told.Input : Math.Min(Prompt, _most.Input), output)
            {
                Cached = told.Cached, Reasoning = Math.Min(told.Reasoning, output),
            };
        }
    }

    private double GivenShare => _guard is { Changes: true } guard ? guard.GivenShare : 1;

    private long Answer => _counted is { By: var tokenizer } && Text is { } text
        ? tokenizer.CountOf(text.Text).Tokens + ((text.BytesBeyond + BytesPerToken - 1) / BytesPerToken)
        : _bytes <= _pieces * PieceBytesMax ? _pieces : (_bytes + BytesPerToken - 1) / BytesPerToken;

    private long Prompt => _counted is { Prompt: var counted } ? counted
        : (Asked.Bytes.Length - Asked.AttachmentBytes + BytesPerToken - 1) / BytesPerToken;
}
