using Spillway.Config;

namespace Spillway.Tests.Config;

/// <summary>What a configuration that was read again changes, and what waits for a restart.</summary>
public sealed class ReloadPlanTests
{
    private const string Chat = "  llm: { kind: openai, targets: { t: { url: 'http://a/v1' } } }\n";
    private const string Tensors = "  gpu: { targets: { t: { url: 'http://b' } } }\n";
    private const string Routes = "  chat: { chain: { steps: [{ model: llm }] } }\n"
        + "  ocr: { chain: { steps: [{ model: gpu }, { model: echo }] } }\n";

    private static Snapshot Snapshot(string upstreams, string routes, string root = "", string model = "")
    {
        using var folder = new ConfigFolder().Write("echo/model.yaml", ConfigFolder.Echo + model)
            .Write("spillway.yaml", $"models: [echo]\nupstreams:\n{upstreams}routes:\n{routes}{root}");
        var loaded = ConfigLoader.Load(
            folder.PathOf("spillway.yaml"), ConfigFolder.Runtimes, new Dictionary<string, string>());
        Assert.True(loaded.Valid, ConfigErrorText.Format(loaded.Errors));
        return Spillway.Config.Snapshot.From(loaded, number: 1, DateTimeOffset.UnixEpoch);
    }

    private static ReloadPlan Plan(Snapshot running, Snapshot read, bool keepsBudgets = true)
    {
        Assert.Empty(ReloadPlan.Obstacles(running, read));
        return ReloadPlan.Of(running, read, keepsBudgets, DateTimeOffset.UnixEpoch);
    }

    [Fact]
    public void The_same_again_changes_nothing_but_its_number()
    {
        var running = Snapshot(Chat + Tensors, Routes);
        var plan = Plan(running, Snapshot(Chat + Tensors, Routes));
        Assert.Empty(plan.Changed);
        Assert.Empty(plan.NeedsRestart);
        Assert.Equal((2, running.Digest), (plan.Next.Number, plan.Next.Digest));
    }

    [Fact]
    public void What_may_change_is_in_force_as_it_was_read_and_the_digest_is_that_of_a_fresh_start()
    {
        const string more = "  more: { kind: simulated }\n";
        var read = Snapshot(
            more + Chat.Replace("//a", "//c", StringComparison.Ordinal) + Tensors,
            "  two: { chain: { steps: [{ model: more }] } }\n" + Routes,
            "limits: { weights: { a: 2 }, rates: { r: { requestsPerSecond: 5 } } }\n");

        var plan = Plan(Snapshot(Chat + Tensors, Routes), read);

        Assert.Equal(
            ["limits.rates.r", "limits.weights.a", "routes.two", "upstreams.llm.targets.t.url", "upstreams.more"],
            plan.Changed.Order());
        Assert.Empty(plan.NeedsRestart);
        Assert.Equal(read.Digest, plan.Next.Digest);
    }

    [Fact]
    public void Models_and_routes_of_tensors_stay_and_are_named()
    {
        var running = Snapshot(Chat + Tensors, Routes);
        var read = Snapshot(
            Chat + Tensors.Replace("//b", "//d", StringComparison.Ordinal)
                + "  new: { targets: { t: { url: 'http://e' } } }\n",
            Routes.Replace("{ model: gpu }, ", "", StringComparison.Ordinal), "server: { port: 9 }\n",
            model: "\nowner: somebody\n");

        var plan = Plan(running, read);

        Assert.Empty(plan.Changed);
        Assert.Equal(
            [
                "models.echo.owner", "routes.ocr.chain.steps[0].model", "routes.ocr.chain.steps[1]", "server.port",
                "upstreams.gpu.targets.t.url", "upstreams.new",
            ],
            plan.NeedsRestart.Order());
        Assert.Equal(running.Digest, plan.Next.Digest);
    }

    [Fact]
    public void The_first_budget_needs_a_restart()
    {
        var read = Snapshot(Chat + Tensors, Routes, "budgets: { all: { limit: 5 } }\n");
        var plan = Plan(Snapshot(Chat + Tensors, Routes), read, keepsBudgets: false);
        Assert.Equal(["budgets.all"], plan.NeedsRestart);
        Assert.Empty(plan.Next.Budgets);
    }

    [Fact]
    public void A_name_that_becomes_something_else_is_an_obstacle()
    {
        var running = Snapshot(Chat + Tensors, Routes);
        var errors = ReloadPlan.Obstacles(running, Snapshot(
            Chat.Replace("llm", "gpu", StringComparison.Ordinal)
                + Tensors.Replace("gpu", "llm", StringComparison.Ordinal),
            "  chat: { chain: { steps: [{ model: gpu }] } }\n  ocr: { chain: { steps: [{ model: llm }] } }\n"));
        Assert.Equal(["upstreams.gpu.kind", "upstreams.llm.kind"], errors.Select(e => e.Key).Order());
    }
}
