namespace Spillway.Telemetry;

/// <summary>Those of routes over language models. The gen_ai names are OpenTelemetry's, of May 2026.</summary>
internal static partial class Instruments
{
    public static readonly InstrumentSpec ChatDuration = GenAi(
        "gen_ai_server_request_duration_seconds", "gen_ai.server.request.duration", "seconds",
        "Time of a request to a language model, to the last byte handed to the connection.");

    public static readonly InstrumentSpec ChatFirstToken = GenAi(
        "gen_ai_server_time_to_first_token_seconds", "gen_ai.server.time_to_first_token", "seconds",
        "Time from a request's first instant to the first content of its stream.");

    public static readonly InstrumentSpec ChatPerToken = GenAi(
        "gen_ai_server_time_per_output_token_seconds", "gen_ai.server.time_per_output_token", "seconds",
        "Mean time of each token of a stream after its first.");

    public static readonly InstrumentSpec ChatTokens = GenAi(
        "gen_ai_client_token_usage_tokens", "gen_ai.client.token.usage", "tokens",
        "Tokens of answered requests, as they are billed, by type: input or output.", "gen_ai_token_type");

    public static readonly InstrumentSpec ChatGap = new(
        "spillway_chat_gap_max_seconds", InstrumentKind.Histogram, "seconds",
        "The longest wait between two pieces of a stream, as its upstream sent them.", "model");

    public static readonly InstrumentSpec ChatOverhead = new(
        "spillway_chat_overhead_seconds", InstrumentKind.Histogram, "seconds",
        "Own time of a request, putting its body together and writing included: without the upstream's, the "
        + "caller's, and waits in a line.", "model");

    public static readonly InstrumentSpec ChatGoodput = new(
        "spillway_chat_promises_total", InstrumentKind.Counter, "requests",
        "Requests by whether they kept what the route promises (chat.firstTokenMs, chat.timePerTokenMs): kept, missed, "
        + "or failed.", "model", "result");

    public static readonly InstrumentSpec ChatBroken = new(
        "spillway_chat_streams_broken_total", InstrumentKind.Counter, "requests",
        "Streams that broke off when their callers had a part of them, callers that left included.", "model");

    public static readonly InstrumentSpec ChatCounted = new(
        "spillway_chat_usage_counted_total", InstrumentKind.Counter, "requests",
        "Requests whose tokens were counted here, because the upstream did not say.", "model");

    public static readonly InstrumentSpec ChatContradicted = new(
        "spillway_chat_tokenizer_contradicted_total", InstrumentKind.Counter, "times",
        "An upstream counted more tokens of a prompt than the route's tokenizer says are possible, so that it is not "
        + "used any more.", "model");

    public static readonly InstrumentSpec ChatContent = new(
        "spillway_chat_content_total", InstrumentKind.Counter, "matches",
        "What rules over content found, by rule, by where (prompt or answer) and by what was done: refused, masked, "
        + "noted.", "model", "rule", "where", "done");

    // vLLM's names for some of them, for dashboards that know those; server.vllmMetricNames.
    public static readonly InstrumentSpec VllmDuration = Vllm(
        "vllm:e2e_request_latency_seconds", "seconds", "Time of a chat, to the last byte handed to the connection.");

    public static readonly InstrumentSpec VllmFirstToken = Vllm(
        "vllm:time_to_first_token_seconds", "seconds", "Time from a chat's first instant to its first content.");

    public static readonly InstrumentSpec VllmPerToken = Vllm(
        "vllm:request_time_per_output_token_seconds", "seconds", "Mean time of each token of a chat after its first.");

    public static readonly InstrumentSpec VllmPrompt = Vllm(
        "vllm:request_prompt_tokens", "tokens", "Tokens of a chat's prompt.");

    public static readonly InstrumentSpec VllmGeneration = Vllm(
        "vllm:request_generation_tokens", "tokens", "Tokens of a chat's answer.");

    /// <summary>All of them, in their order.</summary>
    private static IReadOnlyList<InstrumentSpec> OfChats() =>
    [
        ChatDuration, ChatFirstToken, ChatPerToken, ChatTokens, ChatGap, ChatOverhead, ChatGoodput, ChatBroken,
        ChatCounted, ChatContradicted, ChatContent, VllmDuration, VllmFirstToken, VllmPerToken, VllmPrompt,
        VllmGeneration,
    ];

    private static InstrumentSpec Vllm(string name, string unit, string help) =>
        new(name, InstrumentKind.Histogram, unit, help, "model_name");

    private static InstrumentSpec GenAi(string name, string otlp, string unit, string help, params string[] more) =>
        new(name, InstrumentKind.Histogram, unit, help, ["gen_ai_operation_name", "gen_ai_request_model", .. more])
        {
            OtlpName = otlp,
        };
}
