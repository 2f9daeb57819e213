using System.Globalization;

namespace Spillway.App.Load.Chat;

/// <summary>One request of a plan.</summary>
/// <param name="DueNs">When it is sent, from the beginning; -1 in a closed loop.</param>
/// <param name="Prompt">Tokens of its prompt, at four bytes each.</param>
/// <param name="Answer">The most tokens of its answer.</param>
internal readonly record struct ChatPlanned(long DueNs, int Prompt, int Answer);

/// <summary>When requests are sent and how long they are: the same for the same seed.</summary>
internal static class ChatPlan
{
    private const int RequestsMax = 1_000_000;
    private const int TokensMax = 1_000_000;

    /// <summary>The requests in their order; endless in a closed loop.</summary>
    public static IEnumerable<ChatPlanned> Make(ChatLoadOptions options)
    {
        var random = new Random(options.Seed);
        if (options.Trace is { } trace)
            return FromTrace(trace, options);
        return options.Rate > 0 ? Open(options, random) : Closed(options, random);
    }

    /// <summary>A Poisson process.</summary>
    private static IEnumerable<ChatPlanned> Open(ChatLoadOptions options, Random random)
    {
        var arrivals = new Arrivals.Poisson(options.Rate, random);
        for (var at = arrivals.NextGap(); at < options.Seconds; at += arrivals.NextGap())
            yield return new((long)(at * LoadClock.PerSecond), Draw(options.Prompt, random),
                Draw(options.Answer, random));
    }

    private static IEnumerable<ChatPlanned> Closed(ChatLoadOptions options, Random random)
    {
        while (true)
            yield return new(-1, Draw(options.Prompt, random), Draw(options.Answer, random));
    }

    /// <summary>TIMESTAMP,ContextTokens,GeneratedTokens, as in AzureLLMInferenceTrace.</summary>
    private static IEnumerable<ChatPlanned> FromTrace(string path, ChatLoadOptions options)
    {
        if (!File.Exists(path))
            throw LoadException.Usage($"The trace '{path}' does not exist.");
        var (number, first) = (0, default(DateTime?));
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (TryParse(line, out var at, out var prompt, out var answer))
            {
                first ??= at;
                var due = (at - first.Value).TotalSeconds / options.TraceSpeed;
                if (due >= options.Seconds || number > RequestsMax)
                    yield break;
                yield return new((long)(due * LoadClock.PerSecond), Math.Max(prompt, 1), Math.Max(answer, 1));
            }
            else if (number > 1 && line.Length > 0)
            {
                throw LoadException.Usage($"{path}, line {number}: this is not a time and two numbers of tokens. "
                    + "Write 2023-11-16 18:15:46.68,374,44.");
            }
        }
    }

    private static bool TryParse(string line, out DateTime at, out int prompt, out int answer)
    {
        (at, prompt, answer) = (default, 0, 0);
        var cells = line.Split(',');
        return cells.Length == 3
            && DateTime.TryParse(
                cells[0], CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out at)
            && int.TryParse(cells[1], NumberStyles.None, CultureInfo.InvariantCulture, out prompt)
            && int.TryParse(cells[2], NumberStyles.None, CultureInfo.InvariantCulture, out answer)
            && prompt <= TokensMax && answer <= TokensMax;
    }

    private static int Draw((int From, int To) range, Random random) => random.Next(range.From, range.To + 1);
}
