using Spillway.Policies.Content;
using Spillway.Telemetry;

namespace Spillway.Engine.Gateway;

/// <summary>Writes what rules found into what is told of a request: names and counts, nothing of a text.</summary>
internal sealed class ContentLog
{
    private const string Logprobs = "logprobs";

    private readonly List<ContentCount> _counts = [];
    private readonly string _route;
    private readonly ChatFacts _facts;

    /// <summary>Begins with nothing.</summary>
    /// <param name="route">The served name, for messages.</param>
    /// <param name="facts">What is told.</param>
    public ContentLog(string route, ChatFacts facts)
    {
        (_route, _facts) = (route, facts);
        facts.Content = _counts;
    }

    /// <summary>A rule over the prompt found something.</summary>
    public void OfPrompt(ContentRule rule) => Add(rule, isAnswer: false);

    /// <summary>A rule over the answer found something.</summary>
    public void OfAnswer(ContentRule rule) => Add(rule, isAnswer: true);

    /// <summary>The probabilities of tokens are left out of the answer: they would tell what is masked.</summary>
    public void Withheld()
    {
        if (!_counts.Exists(c => c.Rule == Logprobs))
            _counts.Add(new(Logprobs, isAnswer: true, "withheld") { Count = 1 });
    }

    /// <summary>An attempt begins: what was found in the answer of one before it was not delivered.</summary>
    public void Forget()
    {
        _facts.IsContentRefused = false;
        _counts.RemoveAll(c => c.IsAnswer && c.Do != ContentWords.Of(ContentAction.Refuse));
    }

    /// <summary>The prompt is refused.</summary>
    public Fault RefusePrompt(ContentRule rule)
    {
        _facts.IsContentRefused = true;
        return Fault.Invalid($"The rule '{rule.Name}' of {_route} refuses what the request says ({Why(rule)}). "
            + $"Say it differently; the rules are routes.{_route}.chat.content.prompts.");
    }

    /// <summary>The answer is refused.</summary>
    public Fault RefuseAnswer(ContentRule rule)
    {
        _facts.IsContentRefused = true;
        return new(FaultKind.AnswerUnfit, $"The rule '{rule.Name}' of {_route} refuses the answer ({Why(rule)}). "
            + $"Ask differently; the rules are routes.{_route}.chat.content.answers.");
    }

    private void Add(ContentRule rule, bool isAnswer)
    {
        foreach (var known in _counts)
        {
            if (known.Rule == rule.Name && known.IsAnswer == isAnswer)
            {
                known.Count++;
                return;
            }
        }

        _counts.Add(new(rule.Name, isAnswer, ContentWords.Of(rule.Do)) { Count = 1 });
    }

    private static string Why(ContentRule rule) => rule.CharsMax > 0
        ? FormattableString.Invariant($"at most {rule.CharsMax} characters") : rule.Schema is not null
        ? "a JSON schema" : "it says what must not be said";
}

/// <summary>What is done about a match, in records and metrics. A complete table.</summary>
internal static class ContentWords
{
    /// <summary>The word.</summary>
    public static string Of(ContentAction action) => action switch
    {
        ContentAction.Refuse => "refused",
        ContentAction.Mask => "masked",
        ContentAction.Note => "noted",
    };
}
