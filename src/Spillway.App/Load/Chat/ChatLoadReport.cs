using System.Globalization;
using System.Text.Json;

namespace Spillway.App.Load.Chat;

/// <summary>What a chat load came to. Adds up samples under one lock.</summary>
internal sealed class ChatLoadReport
{
    private readonly Lock _lock = new();
    private readonly LatencyHistogram _first = new();
    private readonly LatencyHistogram _perToken = new();
    private readonly LatencyHistogram _gap = new();
    private readonly LatencyHistogram _total = new();
    private readonly SortedDictionary<string, long> _outcomes = new(StringComparer.Ordinal);
    private long _good;
    private long _tokens;
    private long _prompts;

    /// <summary>Requests that were answered whole.</summary>
    public long Ok => _outcomes.GetValueOrDefault("ok");

    /// <summary>Adds one.</summary>
    public void Add(in ChatSample sample, ChatLoadOptions options)
    {
        lock (_lock)
        {
            _outcomes[sample.Outcome] = _outcomes.GetValueOrDefault(sample.Outcome) + 1;
            if (sample.FirstNs >= 0)
                _first.Record(sample.FirstNs);
            _tokens += sample.Tokens;
            _prompts += sample.PromptTokens;
            if (sample.Outcome != "ok")
                return;
            _total.Record(sample.TotalNs);
            _gap.Record(sample.GapNs);
            if (sample.PerTokenNs >= 0)
                _perToken.Record(sample.PerTokenNs);
            var isGood = (options.FirstTokenNs == 0 || sample.FirstNs <= options.FirstTokenNs)
                && (options.PerTokenNs == 0 || sample.PerTokenNs <= options.PerTokenNs);
            _good += isGood ? 1 : 0;
        }
    }

    /// <summary>As text.</summary>
    public void Write(TextWriter output, ChatLoadOptions options, double seconds)
    {
        var sent = _outcomes.Values.Sum();
        output.WriteLine(Text($"{options.Model} at {options.Address}, {seconds:0.0} s"));
        output.WriteLine(Text(
            $"  requests      {sent} sent, {string.Join(", ", _outcomes.Select(o => $"{o.Value} {o.Key}"))}"));
        output.WriteLine(Text($"  tokens        {_prompts} in, {_tokens} out, {_tokens / seconds:0.0} out a second"));
        output.WriteLine("                     p50        p90        p99        max   (ms)");
        Line(output, "first token", _first);
        Line(output, "per token", _perToken);
        Line(output, "longest gap", _gap);
        Line(output, "whole answer", _total);
        output.WriteLine(Text($"  goodput       {_good / seconds:0.00} answers a second ({Promise(options)})"));
    }

    /// <summary>As one JSON object.</summary>
    public void WriteJson(Utf8JsonWriter json, ChatLoadOptions options, double seconds)
    {
        json.WriteStartObject();
        json.WriteString("model", options.Model);
        json.WriteNumber("seconds", seconds);
        json.WriteStartObject("outcomes");
        foreach (var (name, count) in _outcomes)
            json.WriteNumber(name, count);
        json.WriteEndObject();
        json.WriteNumber("input_tokens", _prompts);
        json.WriteNumber("output_tokens", _tokens);
        json.WriteNumber("output_tokens_per_second", _tokens / seconds);
        json.WriteNumber("goodput_per_second", _good / seconds);
        Json(json, "first_token_ms", _first);
        Json(json, "per_token_ms", _perToken);
        Json(json, "gap_max_ms", _gap);
        Json(json, "total_ms", _total);
        json.WriteEndObject();
    }

    private static string Promise(ChatLoadOptions options) => (options.FirstTokenNs, options.PerTokenNs) switch
    {
        (0, 0) => "no promise: every whole answer",
        (var first, 0) => Text($"first token within {Ms(first)} ms"),
        (0, var pace) => Text($"each token within {Ms(pace)} ms"),
        var (first, pace) => Text($"first token within {Ms(first)} ms, each further one within {Ms(pace)} ms"),
    };

    private static void Line(TextWriter output, string name, LatencyHistogram times) =>
        output.WriteLine(times.Count == 0
            ? Text($"  {name,-13} none")
            : Text($"  {name,-13} {Ms(times.Quantile(0.5)),10:0.00} {Ms(times.Quantile(0.9)),10:0.00} ")
                + Text($"{Ms(times.Quantile(0.99)),10:0.00} {Ms(times.Max),10:0.00}"));

    private static void Json(Utf8JsonWriter json, string name, LatencyHistogram times)
    {
        json.WriteStartObject(name);
        json.WriteNumber("count", times.Count);
        if (times.Count > 0)
        {
            json.WriteNumber("p50", Ms(times.Quantile(0.5)));
            json.WriteNumber("p90", Ms(times.Quantile(0.9)));
            json.WriteNumber("p99", Ms(times.Quantile(0.99)));
            json.WriteNumber("max", Ms(times.Max));
        }

        json.WriteEndObject();
    }

    private static double Ms(long ns) => ns / (double)LoadClock.PerMillisecond;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
