using System.Globalization;
using System.Text.Json;

namespace Spillway.App.Cli;

/// <summary>What `spillway explain` prints of an answer of a language model: tokens, and prefill and decode
/// apart.</summary>
internal static class ChatView
{
    /// <summary>Writes it; nothing for tensors.</summary>
    /// <param name="record">As the admin protocol gives it.</param>
    /// <param name="pair">Writes a name and its value.</param>
    /// <param name="title">Writes a heading.</param>
    public static void Write(
        JsonElement record, Action<string, string> pair, Action<string> title)
    {
        if (!record.TryGetProperty("chat", out var chat) || chat.ValueKind is not JsonValueKind.Object)
            return;
        title("language model");
        pair("target", Text(chat, "target"));
        pair("model", Text(chat, "response_model"));
        pair("ended", Text(chat, "finish_reason"));
        pair("tokens", $"{Text(chat, "input_tokens")} in ({Text(chat, "cached_tokens")} cached), "
            + $"{Text(chat, "output_tokens")} out ({Text(chat, "reasoning_tokens")} reasoning); "
            + Text(chat, "tokens_from") switch
            {
                "upstream" => "the upstream's numbers",
                "tokenizer" => "counted here with the route's tokenizer",
                _ => "counted here",
            });
        pair("connect", Ms(chat, "connect_ms"));
        pair("prefill", Ms(chat, "prefill_ms"));
        pair("decode", Ms(chat, "decode_ms"));
        pair("first", With(Ms(chat, "first_token_ms"), " to the first token"));
        pair("pace", With(Ms(chat, "time_per_token_ms"),
            With(Ms(chat, "gap_max_ms"), " at most between two pieces", " each token, ")));
        if (chat.TryGetProperty("upstream_decode_ms", out _))
            pair("its own",
                $"{Ms(chat, "upstream_prefill_ms")} prefill, {Ms(chat, "upstream_decode_ms")} decode, as the "
                + "upstream says");
    }

    private static string With(string value, string behind, string before = "") =>
        value.Length > 0 ? before + value + behind : "";

    private static string Ms(JsonElement chat, string name) =>
        chat.TryGetProperty(name, out var value) && value.TryGetDecimal(out var ms)
            ? ms.ToString("0.0##", CultureInfo.InvariantCulture) + " ms" : "";

    private static string Text(JsonElement chat, string name) =>
        chat.TryGetProperty(name, out var value) ? value.ToString() : "";
}
