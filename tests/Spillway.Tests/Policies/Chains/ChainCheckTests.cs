using Spillway.Policies;
using Spillway.Policies.Chains;

namespace Spillway.Tests.Policies.Chains;

public sealed class ChainCheckTests
{
    private static readonly ChainStepOptions s_text = new() { Kind = ChainStepKind.Message, Message = "later" };
    private static readonly ChainStepOptions s_cached = new() { Kind = ChainStepKind.Cached };

    [Fact]
    public void Sound_chain_has_no_findings()
    {
        var steps = new[]
        {
            Model("full") with
            {
                TimeoutMs = 200, WhenPredictedWaitMs = 80, LeaveBelowMs = 30, On = ["overload", "shed"],
            },
            Model("half") with { TimeoutMs = 100, NeedsMs = 20 }, s_cached, s_text,
        };
        Assert.Empty(Check(1000, steps));
    }

    [Fact]
    public void Unknown_target_names_those_that_are_known() => Only(
        Check(0, Model("ful"), s_text),
        "routes.r.chain.steps[0].model: 'ful' is no model and no route here. Name one of: a, b, full, half, r.");

    [Fact]
    public void Steps_behind_a_message_are_never_reached() => Only(
        Check(0, Model("full"), s_text, Model("half")),
        "routes.r.chain.steps[2]: 'half' is never reached: step 1 is a message, which always answers. Put it before "
        + "the message, or leave it out.");

    [Theory]
    [InlineData("", "", true)]
    [InlineData("failure", "", false)]
    [InlineData("failure", "failure", true)]
    [InlineData("", "failure, limits", false)]
    [InlineData("", "off", false)]
    [InlineData("", "budget", false)]
    public void Steps_behind_a_route_with_a_message_are_reached_by_what_ends_that_route(
        string inside, string outside, bool isFound)
    {
        var routes = new Dictionary<string, ChainOptions>
        {
            ["a"] = new() { Steps = [Model("full") with { On = Words(inside) }, s_cached, s_text] },
            ["r"] = new() { Steps = [Model("a") with { On = Words(outside) }, Model("half")] },
        };
        Assert.Equal(
            isFound ? ["routes.r.chain.steps[1]: 'half' is never reached: step 0 is the route a, which has a message, "
                + "which always answers. Put it before that route, or leave it out."] : [],
            Checker().Check(routes).Select(f => f.ToString()));
        var early = new ChainOptions
        {
            Steps = [Model("a") with { On = Words(outside), WhenPredictedWaitMs = 50 }, Model("half")],
        };
        Assert.Empty(Checker().Check(new Dictionary<string, ChainOptions> { ["a"] = routes["a"], ["r"] = early }));
    }

    [Fact]
    public void Same_model_twice_is_for_retries() => Only(
        Check(0, Model("full"), Model("full"), s_text),
        "routes.r.chain.steps[1].model: 'full' is tried by step 0 already. Leave it out; trying the same again is what "
        + "retries are for.");

    [Fact]
    public void Loops_are_named_with_their_way_once()
    {
        var routes = new Dictionary<string, ChainOptions>
        {
            ["a"] = new() { Steps = [Model("full"), Model("b")] },
            ["b"] = new() { Steps = [Model("half"), Model("r")] },
            ["r"] = new() { Steps = [Model("a")] },
        };
        Only(
            Checker().Check(routes),
            "routes.r.chain.steps[0].model: 'a' goes round in a circle: a → b → r → a. Name a model, or a route that "
            + "does not lead back here.");
        Only(
            Check(0, Model("r")),
            "routes.r.chain.steps[0].model: 'r' goes round in a circle: r → r. Name a model, or a route that does not "
            + "lead back here.");
    }

    [Theory]
    [InlineData("steps[0].timeoutMs", "leaves no time for the steps behind it", 1000, 0, 0, 0)]
    [InlineData("steps[0].needsMs", "is more than the 100 ms", 100, 101, 0, 0)]
    [InlineData("steps[0].whenPredictedWaitMs", "is never exceeded in time", 100, 0, 100, 0)]
    [InlineData("steps[0].leaveBelowMs", "is not below whenPredictedWaitMs 50", 100, 0, 50, 50)]
    [InlineData("steps[0].leaveBelowMs", "means nothing without", 100, 0, 0, 50)]
    public void Times_that_contradict_each_other_are_found(
        string key, string problem, double timeout, double needs, double enter, double leave)
    {
        var step = Model("full") with
        {
            TimeoutMs = timeout, NeedsMs = needs, WhenPredictedWaitMs = enter > 0 ? enter : null,
            LeaveBelowMs = leave > 0 ? leave : null,
        };
        var found = Assert.Single(Check(1000, step, s_text));
        Assert.EndsWith(key, found.Key, StringComparison.Ordinal);
        Assert.Contains(problem, found.Problem, StringComparison.Ordinal);
        Assert.NotEmpty(found.Remedy);
    }

    [Fact]
    public void Later_steps_have_what_the_earlier_ones_leave()
    {
        var found = Check(1000, Model("full") with { TimeoutMs = 900 }, Model("half") with { NeedsMs = 150 }, s_text);
        Assert.Equal("is more than the 100 ms that the step can have", Assert.Single(found).Problem);
    }

    [Fact]
    public void Options_that_a_step_does_not_use_are_found()
    {
        string[] keys =
        [
            .. Check(
                0, s_cached, Model("full") with { On = ["overlord", "invalid_input"] },
                s_cached with { On = ["overload"] }, s_text with { Message = "", Model = "half" })
                .Select(f => f.Key[15..]),
        ];
        Assert.Equal(
            ["steps[0]", "steps[1].on", "steps[1].on", "steps[2]", "steps[3].message", "steps[3].model"], keys);
        Assert.Equal(
            ["steps[0].on", "steps[0].whenPredictedWaitMs"],
            Check(0, Model("full") with { On = ["overload"], WhenPredictedWaitMs = 5 }).Select(f => f.Key[15..]));
        Only(Check(0), "routes.r.chain.steps: '0 steps' is no chain: it has 1 to 8 steps. Give it a first step.");
    }

    [Fact]
    public void Pattern_that_cannot_be_used_is_said()
    {
        var found = Assert.Single(Check(
            0, Model("full") with { Checks = [new(), new() { Pattern = "(?=a)" }] }, s_text));
        Assert.Equal(("routes.r.chain.steps[0].checks[1].pattern", "(?=a)"), (found.Key, found.Value));
        Assert.StartsWith("cannot be used: ", found.Problem, StringComparison.Ordinal);
    }

    private static void Only(IReadOnlyList<Finding> found, string text) =>
        Assert.Equal(text, Assert.Single(found).ToString());

    private static IReadOnlyList<Finding> Check(double totalMs, params ChainStepOptions[] steps) => Checker().Check(
        new Dictionary<string, ChainOptions> { ["r"] = new() { Steps = steps } },
        new Dictionary<string, double> { ["r"] = totalMs });

    private static ChainCheck Checker() => new(new HashSet<string> { "full", "half", "a", "b", "r" });

    private static string[] Words(string text) => text.Length == 0 ? [] : text.Split(", ");

    private static ChainStepOptions Model(string name) => new() { Model = name };
}
