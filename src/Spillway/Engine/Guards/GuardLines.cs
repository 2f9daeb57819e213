using Spillway.Flow.Guards;
using Spillway.Policies.Budgets;

namespace Spillway.Engine.Guards;

/// <summary>
/// Who waits for a limit or a budget, and who is next. A line is that of one state and is guarded by its lock; whoever
/// is woken asks again, and passes its turn on when it cannot take it.
/// </summary>
internal static class GuardLines
{
    /// <summary>
    /// How long a request waits for a slice that is being written. Writes take milliseconds; a disk that takes this
    /// long is in trouble.
    /// </summary>
    private static readonly TimeSpan s_drawPatience = TimeSpan.FromSeconds(5);

    /// <summary>Under the locks: what a request waits for after an answer; null when it does not.</summary>
    public static GuardWait? Register(ResolvedGuards guards, ref GuardAnswer answer) => answer.Says switch
    {
        GuardSays.Wait => Stand(guards, ref answer),
        GuardSays.Draw => AwaitSlice(guards.Budgets[answer.Budget], ref answer),
        GuardSays.Passed when answer.Wait > TimeSpan.Zero => new(guards.Rates[0], answer.Wait, isDraw: false),
        GuardSays.Passed or GuardSays.Refused => null,
    };

    /// <summary>Under the locks: which budgets the writer should look at, a bit each.</summary>
    public static ulong Draws(ResolvedGuards guards)
    {
        var draws = 0UL;
        for (var i = 0; i < guards.Budgets.Length; i++)
            draws |= guards.Budgets[i].WantsDraw ? 1UL << (i & 63) : 0;
        return draws;
    }

    /// <summary>Under the locks: takes a place in the line of what is short, or is told that it is full.</summary>
    private static GuardWait? Stand(ResolvedGuards guards, ref GuardAnswer answer)
    {
        Held held = answer.Rate >= 0 ? guards.Rates[answer.Rate] : guards.Budgets[answer.Budget];
        if (held.Line.Count >= answer.LineMax)
        {
            var name = answer.Rate >= 0 ? guards.Set.Rates[answer.Rate].Name : guards.Set.Budgets[answer.Budget].Name;
            answer = new(GuardSays.Refused, GuardRefusals.LineFull(name, answer.LineMax), Rate: answer.Rate,
                Budget: answer.Budget);
            return null;
        }

        var wait = new GuardWait(held, answer.Wait, isDraw: false);
        held.Line.AddLast(wait);
        return wait;
    }

    /// <summary>
    /// Under the locks: waits for the writer, unless it is in trouble and that was declared to refuse. Where it was
    /// declared to serve, the writer's next try gives what is needed, whether it reaches the disk or not.
    /// </summary>
    private static GuardWait? AwaitSlice(HeldBudget budget, ref GuardAnswer answer)
    {
        var refuses = budget.Trouble is not null
            && budget.Account.State.Options.OnStoreTrouble is StoreTrouble.Refuse;
        if (refuses || answer.Wait <= TimeSpan.Zero)
        {
            answer = new(GuardSays.Refused, GuardRefusals.NotSaved(
                budget.Account.Name, budget.Trouble ?? "the disk is slow"), Budget: answer.Budget);
            return null;
        }

        var wait = new GuardWait(budget, answer.Wait < s_drawPatience ? answer.Wait : s_drawPatience, isDraw: true);
        budget.Drawing.Add(wait);
        return wait;
    }

    /// <summary>Under the locks: who is next where something became free. Each of them asks again.</summary>
    public static void Wake(ResolvedGuards guards, ref GuardWait? first)
    {
        foreach (var rate in guards.Rates)
            Wake(rate, ref first);
        foreach (var budget in guards.Budgets)
            Wake(budget, ref first);
    }

    private static void Wake(Held held, ref GuardWait? first)
    {
        if (held.Line.Count == 0 || held.NextInLine() is not { } next)
            return;
        // One is the rule; more are woken here, which only schedules them.
        if (first is null)
            first = next;
        else
            next.Wake();
    }

    /// <summary>It waits no more. Where it leaves with its turn in hand, the next one gets it.</summary>
    public static void GiveUp(GuardWait wait, bool passOn)
    {
        GuardWait? next = null;
        lock (wait.At.Lock)
        {
            var stood = wait.IsDraw ? ((HeldBudget)wait.At).Drawing.Remove(wait) : wait.At.Line.Remove(wait);
            if (!stood && passOn && !wait.IsDraw)
                next = wait.At.NextInLine();
        }

        next?.Wake();
    }

    /// <summary>The next in a line gets a turn that another one could not take.</summary>
    public static void PassOn(Held at)
    {
        GuardWait? next;
        lock (at.Lock)
            next = at.NextInLine();
        next?.Wake();
    }
}
