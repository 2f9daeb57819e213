namespace Spillway.Telemetry;

/// <summary>
/// What is counted for one route over language models. Thread-safe; recording is 0 B. Bounds of the gen_ai histograms
/// are those that OpenTelemetry's conventions advise.
/// </summary>
internal sealed class ChatInstruments
{
    private static readonly string[] s_operations = ["chat", "text_completion", "embeddings", "moderations"];

    private static readonly double[] s_durations =
        [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

    private static readonly double[] s_firstTokens =
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private static readonly double[] s_perToken =
        [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];

    private static readonly double[] s_tokens =
        [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864];

    private readonly TimeSpan _firstTokenMost;
    private readonly TimeSpan _perTokenMost;
    private readonly Histogram[] _durations = Times(s_durations);
    private readonly Histogram[] _firstTokens = Times(s_firstTokens);
    private readonly Histogram[] _perToken = Times(s_perToken);
    private readonly Histogram[] _inputs = Counts();
    private readonly Histogram[] _outputs = Counts();
    private readonly Histogram _gap = Histogram.OfTimes();
    private readonly Histogram _overhead = Histogram.OfTimes();
    private readonly Counter _kept = new();
    private readonly Counter _missed = new();
    private readonly Counter _failed = new();
    private readonly Counter _broken = new();
    private readonly Counter _counted = new();
    private readonly Counter _contradicted = new();
    private readonly (ContentCount Rule, Counter Count)[] _rules;

    /// <summary>Makes those of one route.</summary>
    /// <param name="firstTokenMost">The promised time to the first token; zero for none.</param>
    /// <param name="perTokenMost">The promised time of each further token; zero for none.</param>
    /// <param name="rules">Its rules over content; null for none.</param>
    public ChatInstruments(
        TimeSpan firstTokenMost, TimeSpan perTokenMost, IReadOnlyList<ContentCount>? rules = null)
    {
        (_firstTokenMost, _perTokenMost) = (firstTokenMost, perTokenMost);
        _rules = [.. (rules ?? []).Select(r => (r, new Counter()))];
    }

    /// <summary>Counts one request at its end.</summary>
    /// <param name="chat">What is told of it.</param>
    /// <param name="timeline">Complete.</param>
    /// <param name="waited">Its wait for its turn at the gate.</param>
    /// <param name="isAnswered">Whether its caller has the whole answer.</param>
    public void Record(ChatFacts chat, in Timeline timeline, TimeSpan waited, bool isAnswered)
    {
        var at = Array.IndexOf(s_operations, chat.Operation);
        _durations[at].Record(timeline.Total);
        _overhead.Record(Own(timeline, waited + chat.Untaken));
        CountOddities(chat);
        (!isAnswered ? _failed : Keeps(chat) ? _kept : _missed).Add();
        if (!isAnswered && !chat.IsPartial)
            return;
        // A kept answer that was given again: nobody was asked, and nothing was used.
        if (chat.Upstream.Length == 0)
            return;
        if (!chat.IsReported)
            _counted.Add();
        _inputs[at].Record(chat.Used.Input);
        _outputs[at].Record(chat.Used.Output);
        if (chat.Stream)
            RecordPace(chat, at);
    }

    /// <summary>The series of the route.</summary>
    public IEnumerable<Series> Of(string route)
    {
        for (var i = 0; i < s_operations.Length; i++)
        {
            var operation = s_operations[i];
            yield return new(Instruments.ChatDuration, _durations[i], [operation, route]);
            yield return new(Instruments.ChatTokens, _inputs[i], [operation, route, "input"]);
            yield return new(Instruments.ChatTokens, _outputs[i], [operation, route, "output"]);
            if (i > 1)
                continue;
            yield return new(Instruments.ChatFirstToken, _firstTokens[i], [operation, route]);
            yield return new(Instruments.ChatPerToken, _perToken[i], [operation, route]);
        }

        yield return new(Instruments.ChatGap, _gap, [route]);
        yield return new(Instruments.ChatOverhead, _overhead, [route]);
        yield return new(Instruments.ChatGoodput, _kept, [route, "kept"]);
        yield return new(Instruments.ChatGoodput, _missed, [route, "missed"]);
        yield return new(Instruments.ChatGoodput, _failed, [route, "failed"]);
        yield return new(Instruments.ChatBroken, _broken, [route]);
        yield return new(Instruments.ChatCounted, _counted, [route]);
        yield return new(Instruments.ChatContradicted, _contradicted, [route]);
        foreach (var (rule, count) in _rules)
            yield return new(Instruments.ChatContent, count, [route, rule.Rule, rule.Where, rule.Do]);
    }

    /// <summary>Chats under vLLM's names: the same numbers once more.</summary>
    public IEnumerable<Series> OfVllm(string route) =>
    [
        new(Instruments.VllmDuration, _durations[0], [route]),
        new(Instruments.VllmFirstToken, _firstTokens[0], [route]),
        new(Instruments.VllmPerToken, _perToken[0], [route]),
        new(Instruments.VllmPrompt, _inputs[0], [route]),
        new(Instruments.VllmGeneration, _outputs[0], [route]),
    ];

    /// <summary>Everything but receiving, which is the caller's, and waiting: for a turn, a target, an upstream, the
    /// caller.</summary>
    private static TimeSpan Own(in Timeline timeline, TimeSpan waited)
    {
        var own = timeline[Stage.Parse] + timeline[Stage.Gate] + timeline[Stage.Output] + timeline[Stage.Write]
            - waited;
        return own > TimeSpan.Zero ? own : TimeSpan.Zero;
    }

    private void RecordPace(ChatFacts chat, int operation)
    {
        if (chat.FirstToken is not { } first)
            return;
        _firstTokens[operation].Record(first);
        _gap.Record(chat.GapMax);
        if (chat.TimePerToken is { } pace)
            _perToken[operation].Record(pace);
    }

    private void CountOddities(ChatFacts chat)
    {
        if (chat.IsPartial)
            _broken.Add();
        if (chat.IsContradicted)
            _contradicted.Add();
        foreach (var found in chat.Content)
        {
            foreach (var (rule, count) in _rules)
            {
                if (rule.Rule == found.Rule && rule.IsAnswer == found.IsAnswer)
                    count.Add(found.Count);
            }
        }
    }

    private bool Keeps(ChatFacts chat) =>
        // An embedding has no first token, and neither has an answer that was kept.
        (_firstTokenMost == TimeSpan.Zero || chat.FirstToken is null || chat.FirstToken <= _firstTokenMost)
        && (_perTokenMost == TimeSpan.Zero || chat.TimePerToken is null || chat.TimePerToken <= _perTokenMost);

    private static Histogram[] Times(double[] bounds) =>
        [.. s_operations.Select(_ => new Histogram(bounds, TimeSpan.TicksPerSecond))];

    private static Histogram[] Counts() => [.. s_operations.Select(_ => new Histogram(s_tokens, 1))];
}
