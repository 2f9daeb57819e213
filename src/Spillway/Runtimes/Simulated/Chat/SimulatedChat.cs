using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Spillway.Runtimes.Simulated.Chat;

/// <summary>
/// A language model's server that is none: answers OpenAI's protocol with words of its own at a declared speed, and
/// misbehaves on request. Every answer says that it is simulated (system_fingerprint and X-Simulated). Makes the whole
/// answer with its times at once; whoever has the connection paces it. Thread-safe.
/// </summary>
public sealed class SimulatedChat
{
    private const int AnswerTokensMax = 100_000;

    private static readonly string[] s_words =
    [
        "This", " answer", " is", " simulated", ":", " no", " model", " ran", ",", " and", " each", " word", " comes",
        " at", " the", " declared", " pace", ".", " Zwölf", " Boxkämpfer", " jagen", " Viktor", " quer", " über",
        " den", " großen", " Sylter", " Deich", ".",
    ];

    private readonly SimulatedChatOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly Lock _lock = new();
    private long _number;

    /// <summary>Makes one.</summary>
    /// <param name="options">Validated.</param>
    /// <param name="time">For the field created.</param>
    public SimulatedChat(SimulatedChatOptions options, TimeProvider time) =>
        (_options, _time, _random) = (options, time, new(options.Seed));

    /// <summary>The models that it says it has: its own, and one of each misbehaviour's name.</summary>
    public static IReadOnlyList<string> Models { get; } =
        ["simulated", .. Enum.GetValues<Misbehaviour>().Where(m => m is not Misbehaviour.None).Select(NameOf)];

    /// <summary>The answer to one request.</summary>
    /// <param name="path">Such as /v1/chat/completions.</param>
    /// <param name="body">Its body.</param>
    /// <param name="model">Which model answers, whatever the body says; null for the body's.</param>
    public SimulatedReply Answer(string path, ReadOnlySpan<byte> body, string? model = null)
    {
        if (path.EndsWith("/models", StringComparison.Ordinal))
            return Json(SimulatedBodies.Models(Models));
        SimulatedAsk ask;
        try
        {
            var reader = new Utf8JsonReader(body);
            ask = SimulatedAsk.Read(JsonElement.ParseValue(ref reader));
            ask = model is null ? ask : ask with { Model = model };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Refuse(400, "invalid_request_error", $"The body is not a request of this protocol: {e.Message}");
        }

        var how = Draw(ask.Model);
        if (Refused(how) is { } refusal)
            return refusal;
        if (path.EndsWith("/embeddings", StringComparison.Ordinal))
            return Json(SimulatedBodies.Embeddings(ask));
        if (path.EndsWith("/moderations", StringComparison.Ordinal))
            return Json(SimulatedBodies.Moderations(ask));
        var isChat = path.EndsWith("/chat/completions", StringComparison.Ordinal);
        if (!isChat && !path.EndsWith("/completions", StringComparison.Ordinal))
            return Refuse(404, "invalid_request_error", $"There is no {path} here.");
        return Complete(ask, how, isChat);
    }

    /// <summary>The name of the model that always misbehaves so: throttleAfter is "throttle-after".</summary>
    public static string NameOf(Misbehaviour how) => JsonNamingPolicy.KebabCaseLower.ConvertName(how.ToString());

    private Misbehaviour Draw(string model)
    {
        foreach (var how in Enum.GetValues<Misbehaviour>())
        {
            if (how is not Misbehaviour.None && NameOf(how) == model)
                return how;
        }

        lock (_lock)
            return _options.FaultRate > 0 && _random.NextDouble() < _options.FaultRate
                ? _options.Misbehaviour : Misbehaviour.None;
    }

    private static SimulatedReply? Refused(Misbehaviour how) => how switch
    {
        Misbehaviour.Error => Refuse(500, "server_error", "The simulated server failed, as it was asked to."),
        Misbehaviour.Throttle => Refuse(429, "rate_limit_exceeded", "Too much, as it was asked to say."),
        Misbehaviour.ThrottleAfter => Refuse(429, "rate_limit_exceeded", "Too much, as it was asked to say.") with
        {
            Headers = [("Retry-After", "1"), ("retry-after-ms", "50")],
        },
        Misbehaviour.Unauthorized => Refuse(401, "invalid_request_error", "The key is not taken."),
        Misbehaviour.HangHeaders => new() { HangsBeforeHead = true },
        Misbehaviour.HangRefusal => Halved(Refuse(500, "server_error", "The simulated server failed and hangs.")),
        Misbehaviour.Garbage => new()
        {
            ContentType = "text/html",
            Pieces = [new(TimeSpan.Zero, "<html><body>502 Bad Gateway</body></html>"u8.ToArray())],
        },
        Misbehaviour.None or Misbehaviour.HangFirst or Misbehaviour.HangMiddle or Misbehaviour.ErrorInAnswer
            or Misbehaviour.HalfCharacter or Misbehaviour.TruncatedChunk or Misbehaviour.CleanEnd
            or Misbehaviour.NoUsage or Misbehaviour.Empty or Misbehaviour.Slow => null,
    };

    /// <summary>The first half of an answer, and nothing more.</summary>
    private static SimulatedReply Halved(SimulatedReply whole) => whole with
    {
        Pieces = [.. whole.Pieces.Select(p => p with { Bytes = p.Bytes[..(p.Bytes.Length / 2)] })],
        End = SimulatedEnd.Hangs,
    };

    private SimulatedReply Complete(SimulatedAsk ask, Misbehaviour how, bool isChat)
    {
        var answer = new SimulatedAnswer
        {
            Ask = ask, IsChat = isChat, HasUsage = how is not Misbehaviour.NoUsage,
            Id = (isChat ? "chatcmpl-sim" : "cmpl-sim")
                + Interlocked.Increment(ref _number).ToString(CultureInfo.InvariantCulture),
            Created = _time.GetUtcNow().ToUnixTimeSeconds(),
            Words = Words(ask),
            FinishReason = ask.ToolName.Length > 0 ? "tool_calls" : ask.TokensMax is { } most
                && most < _options.AnswerTokens ? "length" : "stop",
        };
        var pace = TimeSpan.FromSeconds(how is Misbehaviour.Slow ? 1 : 1 / _options.TokensPerSecond);
        var first = TimeSpan.FromMilliseconds(_options.FirstTokenMs)
            + TimeSpan.FromSeconds(ask.PromptTokens / _options.PromptTokensPerSecond);
        return ask.Stream ? Stream(answer, how, first, pace) : Whole(answer, how, first + (pace * answer.Words.Count));
    }

    private static SimulatedReply Whole(SimulatedAnswer answer, Misbehaviour how, TimeSpan after)
    {
        var body = how switch
        {
            Misbehaviour.ErrorInAnswer => SimulatedBodies.Error("server_error", "An error inside a 200."),
            Misbehaviour.Empty => "{\"id\":\"x\",\"object\":\"chat.completion\",\"choices\":[]}"u8.ToArray(),
            Misbehaviour.HangFirst => [],
            _ => answer.Whole(),
        };
        var cut = how is Misbehaviour.HalfCharacter or Misbehaviour.TruncatedChunk or Misbehaviour.CleanEnd
            or Misbehaviour.HangMiddle;
        return Json(cut ? body[..(body.Length / 2)] : body, after) with
        {
            Headers = [Label],
            End = how is Misbehaviour.HangFirst or Misbehaviour.HangMiddle ? SimulatedEnd.Hangs
                : cut && how is not Misbehaviour.CleanEnd ? SimulatedEnd.Breaks : SimulatedEnd.Whole,
        };
    }

    private SimulatedReply Stream(SimulatedAnswer answer, Misbehaviour how, TimeSpan first, TimeSpan pace)
    {
        List<SimulatedPiece> pieces = [];
        var end = SimulatedEnd.Whole;
        var breaks = how is Misbehaviour.HangMiddle or Misbehaviour.ErrorInAnswer or Misbehaviour.HalfCharacter
            or Misbehaviour.TruncatedChunk or Misbehaviour.CleanEnd;
        if (how is Misbehaviour.HangFirst)
            end = SimulatedEnd.Hangs;
        else if (how is Misbehaviour.Empty)
            pieces.Add(new(first, "data: [DONE]\n\n"u8.ToArray()));
        else
        {
            var count = breaks ? Math.Min(_options.TokensBeforeFault, answer.Words.Count) : answer.Words.Count;
            if (!breaks || count > 0 || how is not Misbehaviour.ErrorInAnswer)
                pieces.Add(new(first, answer.Begin()));
            for (var i = 0; i < count; i++)
                pieces.Add(new(i == 0 ? TimeSpan.Zero : pace, answer.Word(i)));
            if (breaks)
                end = Break(pieces, answer, how, pace);
            else
                pieces.Add(new(pace, answer.End()));
        }

        return new() { ContentType = "text/event-stream", Headers = [Label], Pieces = pieces, End = end };
    }

    private static SimulatedEnd Break(
        List<SimulatedPiece> pieces, SimulatedAnswer answer, Misbehaviour how, TimeSpan pace)
    {
        if (how is Misbehaviour.ErrorInAnswer)
        {
            pieces.Add(new(pace, Encoding.UTF8.GetBytes("data: "
                + Encoding.UTF8.GetString(SimulatedBodies.Error("server_error", "An error inside the stream."))
                    + "\n\n")));
        }

        var next = answer.Piece(" ö");
        if (how is Misbehaviour.HalfCharacter)
            pieces.Add(new(pace, next.AsMemory(0, next.AsSpan().IndexOf("ö"u8) + 1)));
        if (how is Misbehaviour.TruncatedChunk)
            pieces.Add(new(pace, next.AsMemory(0, next.Length / 2)));
        return how switch
        {
            Misbehaviour.HangMiddle => SimulatedEnd.Hangs,
            Misbehaviour.HalfCharacter or Misbehaviour.TruncatedChunk => SimulatedEnd.Breaks,
            _ => SimulatedEnd.Whole,
        };
    }

    /// <summary>Tells on every answer that nothing real ran.</summary>
    private static (string Name, string Value) Label => ("X-Simulated", "true");

    private List<string> Words(SimulatedAsk ask)
    {
        if (ask.ToolName.Length > 0)
            return ["{\"simulated\"", ":", "true", "}"];
        var count = Math.Min(Math.Min(ask.TokensMax ?? int.MaxValue, _options.AnswerTokens), AnswerTokensMax);
        return [.. Enumerable.Range(0, count).Select(i => s_words[i % s_words.Length])];
    }

    private static SimulatedReply Json(byte[] body, TimeSpan after = default) =>
        new() { Pieces = [new(after, body)], Headers = [Label] };

    private static SimulatedReply Refuse(int status, string type, string message) =>
        Json(SimulatedBodies.Error(type, message)) with { Status = status };
}
