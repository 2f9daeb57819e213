using Spillway.Flow.Guards;

namespace Spillway.Planner.Routes;

/// <summary>A request, or one step of it, at the gate of a simulated route: what it asks and what it holds.</summary>
/// <param name="asks">The request.</param>
/// <param name="came">When it came.</param>
/// <param name="step">The step whose model is asked; -1 for the request itself.</param>
internal sealed class GateVisit(RouteAsk asks, Instant came, int step)
{
    /// <summary>The request.</summary>
    public RouteAsk Asks => asks;

    /// <summary>The step whose model is asked; -1 for the request itself.</summary>
    public int Step => step;

    /// <summary>The most that it can cost, which is what is reserved.</summary>
    public Money CostAtMost { get; set; }

    /// <summary>When it must have passed; null for no bound of its own.</summary>
    public Instant? Until { get; init; } = asks.Timeout is { } timeout ? came + timeout : null;

    /// <summary>What it holds.</summary>
    public GuardTicket Ticket { get; } = new();

    /// <summary>It has waited as long as it may, and takes what it is told now.</summary>
    public bool IsOut { get; set; }

    /// <summary>Since when it waits.</summary>
    public Instant WaitsSince { get; set; }

    /// <summary>In whose line it waits or waited last; null before that.</summary>
    public GateRule? Line { get; set; }

    /// <summary>Unlike that of any wait of it before.</summary>
    public int Wait { get; set; }

    /// <summary>Is told once: null when it may go on, else why not.</summary>
    public Action<Fault?> Decided { get; set; } = static _ => { };
}

/// <summary>A limit or a budget, and who waits for it, the first first.</summary>
/// <param name="name">The rule's.</param>
internal sealed class GateRule(string name)
{
    /// <summary>The rule's name.</summary>
    public string Name => name;

    /// <summary>Who waits for somebody to leave or to give money back.</summary>
    public LinkedList<GateVisit> Line { get; } = [];
}

/// <summary>What a step's answer costs.</summary>
/// <param name="In">A million tokens read.</param>
/// <param name="Out">A million tokens written.</param>
internal readonly record struct StepPrice(decimal In, decimal Out)
{
    private const decimal NanoPerToken = 1_000_000_000m / 1_000_000m;

    /// <summary>An answer's price.</summary>
    public Money Of(long read, long written) => new((long)Math.Round(((In * read) + (Out * written)) * NanoPerToken));
}
