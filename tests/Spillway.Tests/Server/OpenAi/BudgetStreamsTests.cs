using Spillway.Runtimes.Simulated.Chat;

namespace Spillway.Tests.Server.OpenAi;

/// <summary>Money for a few answers, and ten times as many streams that want it at once.</summary>
public sealed class BudgetStreamsTests
{
    private const int Afforded = 50;
    private const int Askers = 500;

    /// <summary>An answer has six tokens, of a unit's millionth each; prompts cost nothing.</summary>
    private const string Money = """
        prices:
          currency: USD
          models: { u0: [{ from: 2020-01-01, perMillionOutput: 1 }] }
        budgets:
          all: { limit: 0.0003, window: month }
        """;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task At_no_moment_is_more_spent_and_reserved_than_there_is_seed(int seed)
    {
        var random = new Random(seed);
        await using var chat = await ChatServer.StartAsync(
            upstream: "retry: { attemptsMax: 1 }\nbreaker: { failurePercent: 100, failuresInRowMax: 1000 }",
            root: Money, chat: ChatServer.Fast with
            {
                TokensPerSecond = 500, FaultRate = 0.2, Misbehaviour = Misbehaviour.TruncatedChunk, Seed = seed,
            });
        var desk = chat.Server.Serving.Guards.Desk!;
        using var over = new CancellationTokenSource();
        var worst = 0L;
        // Another thread looks on all the time: what it sees is one moment's account.
        var watch = Task.Run(() =>
        {
            while (!over.IsCancellationRequested)
            {
                // There is none before somebody spends of it.
                foreach (var budget in desk.Budgets())
                    worst = Math.Max(worst, (budget.State.Spent + budget.State.Reserved).Nano);
            }
        });
        var plans = Enumerable.Range(0, Askers).Select(_ => random.Next(5) == 0 ? random.Next(1, 40) : 0).ToList();

        var answered = 0;
        await Parallel.ForEachAsync(plans, new ParallelOptions { MaxDegreeOfParallelism = 250 }, async (leaves, _) =>
        {
            using var leaving = new CancellationTokenSource();
            if (leaves > 0)
                leaving.CancelAfter(leaves);
            try
            {
                var reply = await chat.Server.SendAsync(
                    ChatServer.Request("/v1/chat/completions",
                        ChatServer.Body("\"stream\":true,\"max_tokens\":6"), []), leaving.Token);
                if (reply.Status == 200 && reply.Text.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal))
                    Interlocked.Increment(ref answered);
            }
            catch (Exception gone) when (gone is OperationCanceledException or HttpRequestException or IOException)
            {
                // As planned, or the server's word that it broke off.
            }
        });
        await chat.AssertNothingHeldAsync();
        await over.CancelAsync();
        await watch;

        Assert.InRange(worst, 1, 300_000);
        Assert.InRange(answered, 1, Afforded);
        var last = desk.Budgets().Single().State;
        Assert.Equal(default, last.Reserved);
        Assert.InRange(last.Spent.Nano, answered * 6000L, 300_000);
    }
}
