using Spillway.Engine.Guards;
using Spillway.Engine.Routes;
using Spillway.Telemetry;

namespace Spillway.Engine.Gateway;

/// <summary>How a request went through the gateway, into its record.</summary>
internal static class ChatExplanation
{
    /// <summary>Its bill, line by line; also of a stream that broke off, for what was delivered.</summary>
    public static Bill Charge(ref RequestRecord record, ChatFacts chat)
    {
        record.Chat = chat;
        var bill = chat.Bill;
        Line(ref record, "input", bill.Input);
        Line(ref record, "cached", bill.Cached);
        Line(ref record, "output", bill.Output);
        Line(ref record, "reasoning", bill.Reasoning);
        Line(ref record, "request", bill.Request);
        return new() { Tokens = bill.Tokens, Request = bill.Request };
    }

    /// <summary>Every decision over it, in the order of its life.</summary>
    public static void Write(ref RequestRecord record, Work work, ChatFacts chat, in Delivery delivery)
    {
        if (work.Trail is not { } trail)
        {
            if (delivery.Fault is null)
            {
                // Somebody asked the same under the same Idempotency-Key.
                record.Decide(DecisionKind.CacheHit);
                record.Decide(DecisionKind.Answered, delivery.Status, delivery.BytesOut);
                return;
            }

            if (chat.IsContentRefused)
                Content(ref record, chat, isAnswer: false);
            else if (!GuardExplanation.Refused(ref record, work, delivery.Fault?.Kind))
            {
                record.Decide(delivery.Fault?.Kind switch
                {
                    FaultKind.ShuttingDown => DecisionKind.RefusedShuttingDown,
                    FaultKind.ServerFull => DecisionKind.RefusedServerFull,
                    _ => DecisionKind.RefusedInvalid,
                }, delivery.BytesHeld, delivery.BytesHeldMax, delivery.BytesIn);
            }

            return;
        }

        (record.Rows, record.Elements) = (work.Claim.Rows, 0);
        if (chat.Upstream.Length > 0)
            record.Deployment = chat.Upstream;
        record.Steps = chat.Steps;
        record.Decide(DecisionKind.GatePassed);
        if (work.Request.Timeout is { } time)
            record.Decide(trail.OwnDeadline ? DecisionKind.DeadlineOfRoute : DecisionKind.DeadlineExplicit, time.Ticks);
        GuardExplanation.Passed(ref record, work);
        Content(ref record, chat, isAnswer: false);
        if (chat.CapInjected > 0)
            record.Decide(DecisionKind.TokensCapped, chat.CapInjected);
        Steps(ref record, trail);
        Content(ref record, chat, isAnswer: true);
        if (trail.Wasted > Money.Zero)
            record.Decide(DecisionKind.Wasted, trail.Wasted.Nano, work.Claim.Rows);
        End(ref record, trail.Step, chat, delivery);
    }

    private static void Steps(ref RequestRecord record, RouteTrail trail)
    {
        record.Notes = trail.Notes;
        if (trail.Notes.Count > 0)
            record.Decide(DecisionKind.UpstreamAsked, trail.Notes.Count);
        foreach (var (step, why) in trail.Left)
            record.Decide(DecisionKind.StepLeft, step, (long)why);
    }

    /// <summary>What rules over content did.</summary>
    private static void Content(ref RequestRecord record, ChatFacts chat, bool isAnswer)
    {
        for (var i = 0; i < chat.Content.Count; i++)
        {
            if (chat.Content[i].IsAnswer == isAnswer)
                record.Decide(DecisionKind.ContentJudged, i, chat.Content[i].Count);
        }
    }

    private static void End(ref RequestRecord record, int step, ChatFacts chat, in Delivery delivery)
    {
        if (delivery.Fault is null)
            record.Decide(DecisionKind.StepTaken, step, record.Steps.Count);
        if (delivery.Fault is not null && !chat.IsPartial)
            return;
        if (chat.IsPartial)
            record.Decide(DecisionKind.StreamBroken, chat.Used.Output);
        record.Decide(
            DecisionKind.TokensUsed, chat.Used.Input, chat.Used.Output,
            chat.IsReported ? 1 : chat.IsTokenized ? 2 : 0);
        record.Decide(DecisionKind.TokensSettled, record.Charged.Total.Nano);
        if (delivery.Fault is null)
            record.Decide(DecisionKind.Answered, delivery.Status, delivery.BytesOut);
    }

    private static void Line(ref RequestRecord record, string label, Money amount)
    {
        if (amount != Money.Zero)
            record.Charge(label, amount);
    }
}
