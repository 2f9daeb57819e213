using Spillway.Config;
using Spillway.Engine.Routes;
using Spillway.Flow;
using Spillway.Policies.Chains;
using Spillway.Policies.Content;
using Spillway.Policies.Pricing;
using Spillway.Runtimes;
using Spillway.Telemetry;
using Spillway.Transforms.Tokens;

namespace Spillway.Engine.Gateway;

/// <summary>
/// A served name over language models: its steps, what it promises, its door. Thread-safe; immutable but for its trust
/// in its tokenizer.
/// </summary>
internal sealed class ChatRoute
{
    private readonly Dated<TokenPrice>?[] _prices;
    private Tokenizer? _tokenizer;

    /// <summary>Makes one.</summary>
    /// <param name="memory">Its chain and its counters.</param>
    /// <param name="upstreams">By name.</param>
    /// <param name="prices">What tokens cost at an upstream; null where nothing has a price.</param>
    /// <param name="before">The one whose place it takes, which counts the same; null for none.</param>
    public ChatRoute(
        RouteMemory memory, IReadOnlyDictionary<string, GatewayUpstream> upstreams,
        Func<GatewayUpstream, Dated<TokenPrice>?> prices, ChatRoute? before = null)
    {
        Memory = memory;
        Steps = [.. memory.Options.Chain.Steps.Where(s => s.Kind is ChainStepKind.Model)
            .Select(s => upstreams[s.Model])];
        _prices = [.. Steps.Select(prices)];
        Counts = before is not null && EffectiveJson.Same(before.Options, Options) ? before.Counts : new(
            TimeSpan.FromMilliseconds(memory.Options.Chat.FirstTokenMs),
            TimeSpan.FromMilliseconds(memory.Options.Chat.TimePerTokenMs),
            [.. Counted(memory.Options.Chat.Content.Prompts, isAnswer: false),
                .. Counted(memory.Options.Chat.Content.Answers, isAnswer: true)]);
        Prompts = ContentRules.Of(memory.Options.Chat.Content.Prompts);
        Answers = ContentRules.Of(memory.Options.Chat.Content.Answers);
        var model = new ModelRef(memory.Name, RoutePlan.Version);
        var options = new ModelOptions { Name = memory.Name, Runtime = "gateway", Owner = memory.Options.Owner };
        var traits = new RuntimeTraits
        {
            Platform = "openai", Devices = [], Simulated = Steps.All(s => s.IsSimulated),
        };
        Door = Door.Chat(
            new Route(model, Steps[0].Name, RouteState.Ready, "", 0) { IsChain = true, CountsSteps = true }, options,
            traits);
        Doors = [.. Steps.Select(s => Door.Chat(
            new Route(new(s.Name, RoutePlan.Version), s.Name, RouteState.Ready, "", 0), options, traits))];
    }

    /// <summary>The served name.</summary>
    public string Name => Memory.Name;

    /// <summary>Its chain and its counters.</summary>
    public RouteMemory Memory { get; }

    /// <summary>Where each step leads.</summary>
    public IReadOnlyList<GatewayUpstream> Steps { get; }

    /// <summary>What each step is counted under by limits and budgets that say something of models.</summary>
    public IReadOnlyList<Door> Doors { get; }

    /// <summary>What is counted of it.</summary>
    public ChatInstruments Counts { get; }

    /// <summary>Rules over what is asked; null for none.</summary>
    public ContentRules? Prompts { get; }

    /// <summary>Rules over what is answered; null for none.</summary>
    public ContentRules? Answers { get; }

    /// <summary>What requests through it are recorded under.</summary>
    public Door Door { get; }

    /// <summary>The vocabulary of its steps' models; null where none is declared, or an upstream's own account showed
    /// that it is another model's.</summary>
    public Tokenizer? Tokenizer
    {
        get => Volatile.Read(ref _tokenizer);
        init => _tokenizer = value;
    }

    /// <summary>Its vocabulary is not used any more. True for whoever says so first.</summary>
    public bool Doubt() => Interlocked.Exchange(ref _tokenizer, null) is not null;

    /// <summary>The tokens of a prompt.</summary>
    public PromptTokens Count(AskedBody asked)
    {
        var most = asked.PromptTokensAtMost(Options);
        return Tokenizer is { } tokenizer
            ? PromptScan.Count(asked, most, tokenizer, Options.TokenizerBytesMax) : new(most, null);
    }

    /// <summary>As declared.</summary>
    public ChatOptions Options => Memory.Options.Chat;

    private static IEnumerable<ContentCount> Counted(IReadOnlyList<ContentRuleOptions> rules, bool isAnswer) =>
        rules.Select(r => new ContentCount(r.Name, isAnswer, ContentWords.Of(r.Do)));

    /// <summary>What tokens cost at a step; null where nothing has a price.</summary>
    public Dated<TokenPrice>? PriceOf(int step) => _prices[step];

    /// <summary>
    /// The upper bound of the dearest step from one on: any of them may be the one that answers; null without prices.
    /// </summary>
    /// <param name="from">The first step that may be asked.</param>
    /// <param name="input">The most tokens of the prompt.</param>
    /// <param name="output">The most tokens of all answers.</param>
    /// <param name="now">For the day's price.</param>
    public Money? CostAtMost(int from, long input, long output, DateTimeOffset now)
    {
        Money? most = null;
        for (var i = from; i < Steps.Count; i++)
        {
            if (_prices[i]?.At(now).AtMost(input, output) is { } cost && (most is null || cost > most.Value))
                most = cost;
        }

        return most;
    }
}
