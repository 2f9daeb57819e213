using Spillway.Policies.Budgets;
using Spillway.Policies.Guarding;
using Spillway.Policies.Rates;

namespace Spillway.Flow.Guards;

/// <summary>
/// Steps 4 (rate) and 7 (budget) of a request, and its settlement: the limits and budgets that count the requests of
/// one caller to one served name, as one pure state machine. All or nothing: either a request holds its part of each,
/// or of none. The states may stand in several sets; whoever calls holds them all for the time of the call.
/// </summary>
/// <param name="rates">Rate limits, with their names.</param>
/// <param name="budgets">Budgets, with their names.</param>
public sealed class GuardSet(IReadOnlyList<Named<RateState>> rates, IReadOnlyList<Named<BudgetAccount>> budgets)
{
    private readonly Named<RateState>[] _rates = [.. rates];
    private readonly Named<BudgetAccount>[] _budgets = [.. budgets];

    /// <summary>Rate limits.</summary>
    public IReadOnlyList<Named<RateState>> Rates => _rates;

    /// <summary>Budgets.</summary>
    public IReadOnlyList<Named<BudgetAccount>> Budgets => _budgets;

    /// <summary>Nothing counts these requests.</summary>
    public bool IsEmpty => _rates.Length == 0 && _budgets.Length == 0;

    /// <summary>
    /// Asks for everything, and takes it if all of it is there. What is missing says the answer: a refusal, or how long
    /// to wait before asking again (or, with a ticket in hand, before going on).
    /// </summary>
    public GuardAnswer Enter(in GuardAsk ask, GuardTicket ticket)
    {
        var answer = Ask(ask, ticket);
        if (answer.Says is GuardSays.Passed or GuardSays.Refused)
        {
            ticket.LeftRequests = Least(RateUnit.Requests, ask);
            ticket.LeftTokens = Least(RateUnit.Tokens, ask);
        }

        return answer;
    }

    /// <summary>
    /// The request is over: its places are free, what it cost is spent, the rest of its reservations is free again.
    /// Exactly once for each ticket; a ticket that holds nothing is no error.
    /// </summary>
    /// <param name="ticket">What it holds.</param>
    /// <param name="cost">What it cost.</param>
    /// <param name="events">Receives what happened to budgets; may be null.</param>
    /// <param name="tokens">Tokens that it used, of those that it took.</param>
    /// <param name="now">The present of rates; only for tokens.</param>
    public void Settle(
        GuardTicket ticket, Money cost, IList<GuardEvent>? events = null, long tokens = 0, Instant now = default)
    {
        if (!ReferenceEquals(ticket.Set, this))
            throw new InvalidOperationException("A ticket is settled with the set that gave it, once.");
        foreach (var rate in _rates)
        {
            rate.State.Leave(ticket.Tenant);
            rate.State.GiveBack(ticket.Asked, ticket.Asked.Tokens - tokens, now);
        }

        for (var i = 0; i < _budgets.Length; i++)
        {
            var settled = _budgets[i].State.Settle(ticket.Cells[i], ticket.Reserved, cost);
            if (events is not null && (settled.Over > Money.Zero || settled.Threshold > 0))
                events.Add(new(_budgets[i], settled.Over, settled.Threshold));
        }

        ticket.Close();
    }

    private GuardAnswer Ask(in GuardAsk ask, GuardTicket ticket)
    {
        ticket.CostAtMost = ask.Cost;
        var pace = TimeSpan.Zero;
        for (var i = 0; i < _rates.Length; i++)
        {
            var verdict = _rates[i].State.Check(ask.Rate, ask.Now);
            if (!verdict.Passed && Blocked(i, verdict, ask, ticket) is { } blocked)
                return blocked;
            pace = verdict.Wait > pace ? verdict.Wait : pace;
        }

        for (var i = 0; i < _budgets.Length; i++)
        {
            var verdict = _budgets[i].State.Check(ask.Cost, ask.Time);
            if (verdict.Says is not BudgetSays.Passed)
                return Blocked(i, verdict, ask, ticket);
            if (i == 0 || verdict.Left.Nano < ticket.BudgetLeft.Nano)
                (ticket.Named, ticket.BudgetLeft) = (_budgets[i].Name, verdict.Left);
        }

        Take(ask, ticket);
        return new(GuardSays.Passed, Wait: pace);
    }

    private void Take(in GuardAsk ask, GuardTicket ticket)
    {
        ticket.Open(this, ask.Rate, ask.Cost, _budgets.Length);
        for (var i = 0; i < _rates.Length; i++)
        {
            _rates[i].State.Take(ask.Rate, ask.Now);
            var left = _rates[i].State.Look(ask.Rate, ask.Now);
            if (i == 0 || left.Share < ticket.Left.Share)
                ticket.Left = left;
        }

        for (var i = 0; i < _budgets.Length; i++)
        {
            ticket.Cells[i] = _budgets[i].State.Reserve(ask.Cost, ask.Time);
            var gone = _budgets[i].State.Warning(ask.Time);
            if (gone > ticket.Warning)
                (ticket.Warning, ticket.WarningOf) = (gone, _budgets[i].Name);
        }
    }

    /// <summary>Of one unit, what the tightest rule leaves.</summary>
    private RateLeft Least(RateUnit unit, in GuardAsk ask)
    {
        var least = default(RateLeft);
        foreach (var rate in _rates)
        {
            var left = rate.State.Look(unit, ask.Rate, ask.Now);
            if (left.Limit > 0 && (least.Limit == 0 || left.Share < least.Share))
                least = left;
        }

        return least;
    }

    /// <summary>Null when the request may take what it needs and wait until it is there.</summary>
    private GuardAnswer? Blocked(int i, in RateVerdict verdict, in GuardAsk ask, GuardTicket ticket)
    {
        var options = _rates[i].State.Options;
        Name(i, verdict, ask, ticket);
        if (options.AtLimit is AtLimit.Queue && Most(options.QueueMs, ask, ticket) is var most && most > TimeSpan.Zero)
        {
            if (verdict.Unit is RateUnit.Concurrency)
                return new(GuardSays.Wait, Wait: most, Rate: i, LineMax: options.QueueLengthMax);
            if (verdict.Wait <= most)
                return null;
        }

        var (slowest, longest) = (i, verdict);
        for (var other = i + 1; other < _rates.Length; other++)
        {
            if (Refuses(other, ask, ticket, longest.Wait, out var longer))
                (slowest, longest) = (other, longer);
        }

        Name(slowest, longest, ask, ticket);
        return new(GuardSays.Refused, GuardRefusals.Rate(_rates[slowest], longest, ticket.Left), Rate: slowest);
    }

    /// <summary>
    /// Whether another rule would refuse it too and for longer: whoever came back after the shorter time would only
    /// hear of the longer one. A place that nobody knows the time of counts as no time.
    /// </summary>
    private bool Refuses(int i, in GuardAsk ask, GuardTicket ticket, TimeSpan than, out RateVerdict verdict)
    {
        var options = _rates[i].State.Options;
        verdict = _rates[i].State.Check(ask.Rate, ask.Now);
        var isLonger = verdict.Unit is not RateUnit.Concurrency && (than == TimeSpan.MaxValue || verdict.Wait > than);
        return !verdict.Passed && isLonger
            && !(options.AtLimit is AtLimit.Queue && verdict.Wait <= Most(options.QueueMs, ask, ticket));
    }

    private void Name(int i, in RateVerdict verdict, in GuardAsk ask, GuardTicket ticket)
    {
        (ticket.Named, ticket.Short) = (_rates[i].Name, verdict.Unit);
        ticket.Left = _rates[i].State.Look(ask.Rate, ask.Now);
    }

    private GuardAnswer Blocked(int i, in BudgetVerdict verdict, in GuardAsk ask, GuardTicket ticket)
    {
        var options = _budgets[i].State.Options;
        (ticket.Named, ticket.BudgetLeft) = (_budgets[i].Name, verdict.Left);
        if (verdict.Says is BudgetSays.NotDrawn)
            return new(GuardSays.Draw, Wait: ask.Patience, Budget: i);
        var most = Most(options.QueueMs, ask, ticket);
        if (options.AtLimit is not AtLimit.Queue || most <= TimeSpan.Zero || ask.Cost > options.LimitMoney)
            return new(GuardSays.Refused, GuardRefusals.Budget(_budgets[i], verdict, ask.Cost), Budget: i);
        return new(GuardSays.Wait, Wait: verdict.RetryAfter < most ? verdict.RetryAfter : most, Budget: i,
            LineMax: options.QueueLengthMax);
    }

    private static TimeSpan Most(double queueMs, in GuardAsk ask, GuardTicket ticket)
    {
        var most = TimeSpan.FromMilliseconds(queueMs) - ticket.Waited;
        most = most < ask.Patience ? most : ask.Patience;
        return most > TimeSpan.Zero ? most : TimeSpan.Zero;
    }
}

/// <summary>A state under the name that the configuration gave its rule, and of what scope it is.</summary>
/// <param name="Name">The rule's.</param>
/// <param name="Scope">"tenant=acme", or "" for the one of all.</param>
/// <param name="State">The state.</param>
public sealed record Named<T>(string Name, string Scope, T State);

/// <summary>What a request asks of its limits and budgets.</summary>
/// <param name="Rate">For the rate limits.</param>
/// <param name="Cost">The most that it can cost.</param>
/// <param name="Now">The present of rates.</param>
/// <param name="Time">The present of budgets.</param>
/// <param name="Patience">How long it may still wait for its turn; zero or less: not at all.</param>
public readonly record struct GuardAsk(RateAsk Rate, Money Cost, Instant Now, BudgetTime Time, TimeSpan Patience);

/// <summary>What the guards say.</summary>
public enum GuardSays
{
    /// <summary>The request holds its ticket, and goes on after the wait.</summary>
    Passed,

    /// <summary>It is refused.</summary>
    Refused,

    /// <summary>It asks again when somebody leaves or gives money back, or after the wait.</summary>
    Wait,

    /// <summary>It asks again when the next slice is durable.</summary>
    Draw,
}

/// <summary>What the guards say to one request.</summary>
/// <param name="Says">What.</param>
/// <param name="Fault">Why it is refused.</param>
/// <param name="Wait">How long to wait at most.</param>
/// <param name="Rate">Index of the rate limit that is short; -1 for none.</param>
/// <param name="Budget">Index of the budget that is short; -1 for none.</param>
/// <param name="LineMax">How many may wait there.</param>
public readonly record struct GuardAnswer(
    GuardSays Says, Fault? Fault = null, TimeSpan Wait = default, int Rate = -1, int Budget = -1, int LineMax = 0);

/// <summary>What happened to a budget when a request settled.</summary>
/// <param name="Budget">Which.</param>
/// <param name="Over">Spent beyond the reservation.</param>
/// <param name="Threshold">Soft threshold that was passed; 0 for none.</param>
public readonly record struct GuardEvent(Named<BudgetAccount> Budget, Money Over, double Threshold);
