using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Spillway.App.Load.Chat;

/// <summary>How one request fared; times in ns from the instant it was due.</summary>
/// <param name="Outcome">"ok", a status, or what broke.</param>
/// <param name="FirstNs">To the first content; -1 when none came.</param>
/// <param name="TotalNs">To the end.</param>
/// <param name="Tokens">Tokens of the answer: the server's number, or else the pieces.</param>
/// <param name="PromptTokens">Tokens of the prompt, as the server says.</param>
/// <param name="GapNs">The longest wait between two pieces.</param>
internal readonly record struct ChatSample(
    string Outcome, long FirstNs, long TotalNs, long Tokens, long PromptTokens, long GapNs)
{
    /// <summary>Mean time of each token after the first; -1 where there is none.</summary>
    public long PerTokenNs => Outcome == "ok" && FirstNs >= 0 && Tokens > 1 ? (TotalNs - FirstNs) / (Tokens - 1) : -1;
}

/// <summary>Asks for one streamed chat and reads it to its end. Thread-safe.</summary>
internal sealed class ChatAsker : IDisposable
{
    /// <summary>The outcome of an answer in which something else stands than this protocol has.</summary>
    internal const string OddEvent = "odd event";

    private const string Words = "lorem ipsum dolor sit amet ";

    private readonly HttpClient _http;
    private readonly ChatLoadOptions _options;
    private readonly LoadClock _clock;

    public ChatAsker(ChatLoadOptions options, LoadClock clock)
    {
        (_options, _clock) = (options, clock);
        _http = new(new SocketsHttpHandler
        {
            UseProxy = false, UseCookies = false, MaxConnectionsPerServer = int.MaxValue, AllowAutoRedirect = false,
        })
        {
            BaseAddress = new(options.Address.ToString().TrimEnd('/') + "/"), Timeout = Timeout.InfiniteTimeSpan,
        };
        if (options.Key.Length > 0)
            _http.DefaultRequestHeaders.Authorization = new("Bearer", options.Key);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Asks.</summary>
    /// <param name="planned">How long it is.</param>
    /// <param name="dueNs">When it was due.</param>
    /// <param name="stop">Ends it.</param>
    public async Task<ChatSample> AskAsync(ChatPlanned planned, long dueNs, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(_options.TimeoutSeconds), _clock.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        var reading = new Reading(dueNs);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions")
            {
                Content = new ByteArrayContent(Body(planned)),
            };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var response = await _http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode)
                return reading.End($"{(int)response.StatusCode}", _clock.Now);
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(either.Token), Encoding.UTF8);
            while (await lines.ReadLineAsync(either.Token) is { } line)
            {
                if (line.StartsWith("data:", StringComparison.Ordinal)
                    && reading.Take(line[5..].Trim(), _clock.Now) is { } end)
                    return reading.End(end, _clock.Now);
            }

            return reading.End("no [DONE]", _clock.Now);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return reading.End("timeout", _clock.Now);
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException)
        {
            return reading.End(reading.HasBegun ? "broke off" : "no connection", _clock.Now);
        }
    }

    private byte[] Body(ChatPlanned planned)
    {
        // About four bytes are a token of English; the server's own number is what is reported.
        var text = new StringBuilder(planned.Prompt * 4);
        while (text.Length < planned.Prompt * 4)
            text.Append(Words);
        var model = JsonEncodedText.Encode(_options.Model);
        return Encoding.UTF8.GetBytes($$"""
            {"model":"{{model}}","stream":true,"stream_options":{"include_usage":true},"max_tokens":{{planned.Answer}},
            "messages":[{"role":"user","content":"{{text.ToString(0, planned.Prompt * 4)}}"}]}
            """);
    }

    /// <summary>What came so far.</summary>
    private sealed class Reading(long dueNs)
    {
        private long _first = -1;
        private long _last;
        private long _gap;
        private long _pieces;
        private long _tokens;
        private long _prompt;

        public bool HasBegun => _first >= 0;

        /// <summary>The end that an event says, or null.</summary>
        public string? Take(string data, long now)
        {
            if (data == "[DONE]")
                return "ok";
            if (Parse(data) is not { ValueKind: JsonValueKind.Object } json)
                return OddEvent;
            if (Of(json, "error") is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) })
                return "error event";
            var usage = Of(json, "usage");
            _tokens = Count(usage, "completion_tokens") ?? _tokens;
            _prompt = Count(usage, "prompt_tokens") ?? _prompt;
            var choices = Of(json, "choices");
            if (choices.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null or JsonValueKind.Undefined))
                return OddEvent;
            if (choices.ValueKind is not JsonValueKind.Array || !choices.EnumerateArray().Any(HasContent))
                return null;
            if (_pieces++ == 0)
                _first = now - dueNs;
            else
                _gap = Math.Max(_gap, now - _last);
            _last = now;
            return null;
        }

        public ChatSample End(string outcome, long now) => new(
            outcome, _first, now - dueNs, _tokens > 0 ? _tokens : _pieces, _prompt, _gap);

        private static JsonElement? Parse(string data)
        {
            try
            {
                return JsonElement.Parse(data);
            }
            catch (JsonException)
            {
                return null;
            }
        }

        private static bool HasContent(JsonElement choice) =>
            Of(choice, "delta") is { ValueKind: JsonValueKind.Object } delta && delta.EnumerateObject().Any(p =>
                p.Name != "role" && p.Value.ValueKind is not JsonValueKind.Null
                && p.Value.GetRawText() is not ("\"\"" or "[]"));

        private static long? Count(JsonElement usage, string name) =>
            Of(usage, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var count)
                ? count : null;

        /// <summary>A member of an object; nothing of anything else.</summary>
        private static JsonElement Of(JsonElement json, string name) =>
            json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value : default;
    }
}
