using Spillway.Telemetry;

namespace Spillway.Tests.Telemetry;

public class DecisionTextTests
{
    [Theory]
    [InlineData(nameof(DecisionKind.GatePassed), 0, 0, 0, "Gate passed: the server is open and model line-ocr is ready.")]
    [InlineData(nameof(DecisionKind.RefusedShuttingDown), 0, 0, 0, "Refused: the server is shutting down and takes no new work.")]
    [InlineData(nameof(DecisionKind.RefusedNotReady), 0, 0, 0, "Refused: model line-ocr is not ready.")]
    [InlineData(nameof(DecisionKind.RefusedServerFull), 5e-4, 6e-4, 7e-4, "Refused: the server holds 5 of 6 request bytes, and this request brings 7.")]
    [InlineData(nameof(DecisionKind.RefusedInvalid), 0, 0, 0, "Refused: the request is not what the protocol or the model asks for.")]
    [InlineData(nameof(DecisionKind.Routed), 0, 0, 0, "Routed: line-ocr is served by deployment line-ocr-5, version 1.")]
    [InlineData(nameof(DecisionKind.CacheBypassed), 0, 0, 0, "Cache bypassed: none is configured for this model.")]
    [InlineData(nameof(DecisionKind.DeadlineExplicit), 250, 0, 0, "Deadline 250 ms: the caller asked for it.")]
    [InlineData(nameof(DecisionKind.DeadlineCut), 900_000, 600_000, 0, "Deadline 600000 ms: the caller asked for 900000 ms, cut to the longest allowed.")]
    [InlineData(nameof(DecisionKind.DeadlineDerived), 300, 60, 0.5, "Deadline 300 ms: 5 times the learned 60.0 ms at this size.")]
    [InlineData(nameof(DecisionKind.DeadlineFloor), 250, 12, 0.25, "Deadline 250 ms: the floor, longer than 2.5 times the learned 12.0 ms.")]
    [InlineData(nameof(DecisionKind.DeadlineFloor), 250, 0, 0.25, "Deadline 250 ms: the floor, because no time has been learned yet.")]
    [InlineData(nameof(DecisionKind.DeadlineFixed), 0.5, 0, 0, "Deadline 0.5 ms: fixed by the model's configuration.")]
    [InlineData(nameof(DecisionKind.Placed), 3e-4, 256e-4, 0,
        "Placed: queue held 3 of 256; predicted wait 4.1 ms + run 12.0 ms inside the deadline of 250 ms.")]
    [InlineData(nameof(DecisionKind.RefusedQueueFull), 256e-4, 256e-4, 0, "Refused: the queue held 256 of 256.")]
    [InlineData(nameof(DecisionKind.RefusedPredictedLate), 412, 12, 231, "Refused: predicted wait 412 ms + run 12.0 ms cannot meet the deadline in 231 ms.")]
    [InlineData(nameof(DecisionKind.RunInline), 0.11, 1, 0, "Dispatched inline: idle and learned time 0.11 ms is under 1 ms.")]
    [InlineData(nameof(DecisionKind.RunStarted), 12, 1, 0, "Started at once on an idle runner: learned time 12.0 ms is not under 1 ms, so not inline.")]
    [InlineData(nameof(DecisionKind.RunStarted), 0, 1, 0, "Started at once on an idle runner: no time has been learned yet, so not inline.")]
    [InlineData(nameof(DecisionKind.Queued), 2e-4, 1e-4, 0, "Queued: 1 run active, 2 requests ahead.")]
    [InlineData(nameof(DecisionKind.DroppedLate), 240, 12, 9.5, "Dropped after 240 ms in the queue: a run of 12.0 ms cannot meet the deadline in 9.5 ms.")]
    [InlineData(nameof(DecisionKind.ExpiredInQueue), 250, 0, 0, "Expired: the deadline passed after 250 ms in the queue.")]
    [InlineData(nameof(DecisionKind.ExpiredInRun), 20, 1e-4, 0,
        "Expired: the deadline passed after 20.0 ms of the run; the run was stopped, nobody else was in it.")]
    [InlineData(nameof(DecisionKind.CancelledInQueue), 0.015, 0, 0, "Cancelled: the client left after 0.0150 ms in the queue.")]
    [InlineData(nameof(DecisionKind.CancelledInRun), 20, 0, 0, "Cancelled: the client left after 20.0 ms of the run; the run went on for the others in it.")]
    [InlineData(nameof(DecisionKind.Batched), 0, 0, 0, "Batch of 3 requests, 3 rows, cut because the queue was empty (idle).")]
    [InlineData(nameof(DecisionKind.Padded), 300e-4, 336e-4, 82e-4,
        "Padded from length 300 to 336; 8.2 % of the batch was padding.")]
    [InlineData(nameof(DecisionKind.Padded), 336e-4, 336e-4, 0,
        "Not padded: length 336; 0 % of the batch was padding.")]
    [InlineData(nameof(DecisionKind.InSequence), 1e-4, 0, 0, "Began its sequence on a new state.")]
    [InlineData(nameof(DecisionKind.InSequence), 0, 12, 0,
        "Continued its sequence on the kept state, after 12.0 ms behind the requests before it.")]
    [InlineData(nameof(DecisionKind.RefusedSequence), 0, 0, 0,
        "Refused: its sequence did not admit it; the error says why.")]
    [InlineData(nameof(DecisionKind.Executed), 29.7, 30, 0, "Executed on runner 0 (cpu) in 29.7 ms; predicted 30.0 ms.")]
    [InlineData(nameof(DecisionKind.Executed), 29.7, 0, 0, "Executed on runner 0 (cpu) in 29.7 ms.")]
    [InlineData(nameof(DecisionKind.RunFailed), 29.7, 0, 0, "Run failed on runner 0 (cpu) after 29.7 ms.")]
    [InlineData(nameof(DecisionKind.Settled), 0.15, 1e-4, 0, "Settled: 0.000001500 for 1 row.")]
    [InlineData(nameof(DecisionKind.Answered), 200e-4, 188e-4, 0, "Answered: status 200, 188 bytes.")]
    public void A_decision_is_a_sentence_with_its_reason(string kind, double a, double b, double c, string sentence)
    {
        var record = Records.Answered();
        var decision = new Decision(Enum.Parse<DecisionKind>(kind), Ticks(a), Ticks(b), Ticks(c));
        Assert.Equal(sentence, DecisionText.Render(decision, record));
    }

    [Fact]
    public void A_place_without_a_prediction_says_so()
    {
        var record = Records.Answered() with { PredictedRun = TimeSpan.Zero };
        Assert.Equal(
            "Placed: queue held 0 of 256; no time has been learned yet, so nothing was predicted.",
            DecisionText.Render(new(DecisionKind.Placed, 0, 256), record));
    }

    [Fact]
    public void Every_kind_has_a_name_of_its_own_and_a_sentence()
    {
        var kinds = Enum.GetValues<DecisionKind>();
        Assert.Equal(kinds.Length, kinds.Select(DecisionText.Name).Distinct().Count());
        var record = new RequestRecord();
        Assert.All(kinds, kind =>
        {
            Assert.Equal(kind.ToString(), DecisionText.Name(kind).Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
            Assert.EndsWith(".", DecisionText.Render(new(kind), record));
        });
    }

    [Fact]
    public void Every_cut_has_a_label_and_words_of_its_own()
    {
        var cuts = Enum.GetValues<CutReason>();
        Assert.Equal(cuts.Length, cuts.Select(cut => cut.Label()).Distinct().Count());
        Assert.Equal(cuts.Length, cuts.Select(cut => cut.Words()).Distinct().Count());
    }

    /// <summary>The numbers above are milliseconds; a plain count n is written as n e-4, which is n ticks.</summary>
    private static long Ticks(double ms) => (long)Math.Round(ms * TimeSpan.TicksPerMillisecond);
}
