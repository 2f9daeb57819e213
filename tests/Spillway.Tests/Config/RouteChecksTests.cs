using Spillway.Config;

namespace Spillway.Tests.Config;

/// <summary>What cannot work in routes and upstreams is an error at its line, with what to do.</summary>
public sealed class RouteChecksTests
{
    [Theory]
    [InlineData("r: { chain: { steps: [] } }", "routes.r.chain.steps", "0 steps", "no chain")]
    [InlineData("r: { chain: { steps: [{ model: ech }] } }", "routes.r.chain.steps[0].model", "ech", "no model",
        "echo")]
    [InlineData("r: { chain: { steps: [{ kind: model }] } }", "routes.r.chain.steps[0].model", "", "names no model")]
    [InlineData("r: { chain: { steps: [{ model: r }] } }", "routes.r.chain.steps[0].model", "r", "circle: r → r")]
    [InlineData("r: { chain: { steps: [{ model: echo }, { model: r }] } }", "routes.r.chain.steps[1].model", "r",
        "circle: r → r")]
    [InlineData("r: { chain: { steps: [{ model: s }, { model: gpu }] } }, "
        + "s: { chain: { steps: [{ model: echo }, { kind: message, message: x }] } }",
        "routes.r.chain.steps[1]", "gpu", "never reached: step 0 is the route s, which has a message")]
    [InlineData("r: { chain: { steps: [{ model: a }] } }, a: { chain: { steps: [{ model: b }] } }, "
        + "b: { chain: { steps: [{ model: c }] } }, c: { chain: { steps: [{ model: d }] } }, "
        + "d: { chain: { steps: [{ model: echo }] } }",
        "routes.r.chain.steps[0].model", "a", "4 are the most")]
    [InlineData("r: { chain: { steps: [{ model: s }] } }, s: { chain: { steps: [{ model: r }] } }",
        "routes.s.chain.steps[0].model", "r", "circle: r → s → r")]
    [InlineData("r: { chain: { steps: [{ model: echo }, { model: echo }] } }", "routes.r.chain.steps[1].model", "echo",
        "tried by step 0 already")]
    [InlineData("r: { chain: { steps: [{ model: echo, on: [overlod] }, { model: gpu }] } }",
        "routes.r.chain.steps[0].on", "overlod", "no fault or state")]
    [InlineData("r: { chain: { steps: [{ model: echo, on: [invalid_input] }, { model: gpu }] } }",
        "routes.r.chain.steps[0].on", "invalid_input", "no fault or state")]
    [InlineData("r: { chain: { steps: [{ model: echo, on: [failure] }] } }", "routes.r.chain.steps[0].on", "failure",
        "leads nowhere")]
    [InlineData("r: { chain: { steps: [{ model: echo, whenPredictedWaitMs: 5 }] } }",
        "routes.r.chain.steps[0].whenPredictedWaitMs", "5", "leads nowhere")]
    [InlineData("r: { chain: { steps: [{ kind: message, message: x }, { model: echo }] } }", "routes.r.chain.steps[1]",
        "echo", "never reached")]
    [InlineData("r: { chain: { steps: [{ model: echo, leaveBelowMs: 5 }, { model: gpu }] } }",
        "routes.r.chain.steps[0].leaveBelowMs", "5", "means nothing")]
    [InlineData("r: { chain: { steps: [{ model: echo, whenPredictedWaitMs: 5, leaveBelowMs: 5 }, { model: gpu }] } }",
        "routes.r.chain.steps[0].leaveBelowMs", "5", "is not below whenPredictedWaitMs 5")]
    [InlineData("r: { chain: { steps: [{ model: echo, whenPredictedWaitMs: 50, timeoutMs: 50 }, { model: gpu }] } }",
        "routes.r.chain.steps[0].whenPredictedWaitMs", "50", "never exceeded in time")]
    [InlineData("r: { deadlineMs: 100, chain: { steps: [{ model: echo, timeoutMs: 100 }, { model: gpu }] } }",
        "routes.r.chain.steps[0].timeoutMs", "100", "leaves no time for the steps behind it")]
    [InlineData("r: { deadlineMs: 100, chain: { steps: [{ model: echo, timeoutMs: 60 }, "
        + "{ model: gpu, needsMs: 50 }] } }",
        "routes.r.chain.steps[1].needsMs", "50", "more than the 40 ms")]
    [InlineData("r: { chain: { steps: [{ model: echo, checks: [{ pattern: '(?=a)' }] }, { model: gpu }] } }",
        "routes.r.chain.steps[0].checks[0].pattern", "(?=a)", "cannot be used")]
    [InlineData("r: { chain: { steps: [{ model: echo }, { kind: cached }] } }", "routes.r.chain.steps", "cached",
        "never answer")]
    [InlineData("r: { chain: { steps: [{ model: echo }, { kind: cached }] }, cache: { enabled: true } }",
        "routes.r.chain.steps", "cached", "never answer")]
    [InlineData("r: { chain: { steps: [{ model: echo }] }, "
        + "cache: { enabled: true, bytesMax: 65536, entryBytesMax: 65537 } }",
        "routes.r.cache.entryBytesMax", "65537", "larger than the whole cache")]
    [InlineData("r: { chain: { steps: [{ model: echo }] }, cache: { enabled: true, bytesMax: 1000000000000 } }",
        "routes.r.cache.bytesMax", "1000000000000", "bytes of memory in all")]
    [InlineData("r: { chain: { steps: [{ model: echo }, { kind: message }] } }", "routes.r.chain.steps[1].message", "",
        "empty message")]
    [InlineData("r: { chain: { steps: [{ model: echo }, { kind: message, message: x, model: gpu }] } }",
        "routes.r.chain.steps[1].model", "gpu", "not used by a message step")]
    [InlineData("r: { chain: { steps: [{ model: echo }, { kind: message, message: x, checks: [{}] }] } }",
        "routes.r.chain.steps[1]", "message", "which a message step does not use")]
    [InlineData("r: { chain: { steps: [{ kind: cached }, { model: echo }] }, "
        + "cache: { enabled: true, staleIfErrorMs: 5 } }",
        "routes.r.chain.steps[0]", "cached", "before any model is asked")]
    [InlineData("echo: { chain: { steps: [{ model: gpu }] } }", "routes.echo", "echo", "has that name already")]
    [InlineData("gpu: { chain: { steps: [{ model: echo }] } }", "routes.gpu", "gpu", "has that name already")]
    [InlineData("\"a b\": { chain: { steps: [{ model: echo }] } }", "routes.a b", "a b", "no name")]
    public void What_cannot_work_in_a_route_is_an_error_at_its_line(
        string routes, string key, string value, string says, string suggestion = "")
    {
        using var folder = Folder($"routes: {{ {routes} }}\n", "t: { url: http://127.0.0.1:1 }");
        Is(folder, key, 6, value, says, suggestion);
    }

    [Theory]
    [InlineData("targets: {}", "upstreams.gpu.targets", "", "")]
    [InlineData("targets: { t: {} }", "upstreams.gpu.targets.t.url", "", "missing")]
    [InlineData("targets: { t: { url: 10.0.0.7:8000 } }", "upstreams.gpu.targets.t.url", "10.0.0.7:8000", "no")]
    [InlineData("targets: { t: { url: ftp://a } }", "upstreams.gpu.targets.t.url", "ftp://a", "http or https")]
    [InlineData("targets: { t: { url: 'http://user:pass@a' } }", "upstreams.gpu.targets.t.url", null, "user name")]
    [InlineData("targets: { t: { url: 'http://a?x=1' } }", "upstreams.gpu.targets.t.url", "http://a?x=1", "address")]
    [InlineData("targets: { t: { url: 'http://a#x' } }", "upstreams.gpu.targets.t.url", "http://a#x", "address")]
    [InlineData("targets: { \"t t\": { url: 'http://a' } }", "upstreams.gpu.targets.t t", "t t", "no name")]
    [InlineData("totalMs: 500, connectMs: 500, betweenDeltasMs: 500, firstDeltaMs: 501, "
        + "targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.firstDeltaMs", "501", "longer than totalMs, 500 ms")]
    [InlineData("totalMs: 500, connectMs: 500, betweenDeltasMs: 501, firstDeltaMs: 500, "
        + "targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.betweenDeltasMs", "501", "longer than totalMs, 500 ms")]
    [InlineData("connectMs: 501, firstDeltaMs: 500, targets: { t: { url: 'http://a' } }", "upstreams.gpu.connectMs",
        "501",
        "longer than firstDeltaMs, 500 ms")]
    [InlineData("breaker: { coolMs: 501, coolMaxMs: 500 }, targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.breaker.coolMs", "501", "longer than coolMaxMs, 500 ms")]
    [InlineData("concurrency: { min: 50, max: 20 }, targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.concurrency.min", "50", "max")]
    [InlineData("kind: openai, hedge: { enabled: true }, targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.hedge.enabled", "true", "not sent twice")]
    [InlineData("kind: openai, healthMs: 5000, targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.healthMs", "5000", "no question whether")]
    [InlineData("healthPath: /health, targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.healthPath", "/health", "Only OpenAI-compatible")]
    [InlineData("kind: simulated, healthPath: models", "upstreams.gpu.healthPath", "models", "Only OpenAI-compatible")]
    [InlineData("kind: openai, healthPath: //b/health, targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.healthPath", "//b/health", "no path")]
    [InlineData("kind: openai, healthPath: 'http://b/health', targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.healthPath", "http://b/health", "no path")]
    [InlineData("endsWithoutReason: true, targets: { t: { url: 'http://a' } }",
        "upstreams.gpu.endsWithoutReason", "true", "no finish_reason")]
    public void What_cannot_work_in_an_upstream_is_an_error_at_its_line(
        string upstream, string key, string? value, string says)
    {
        using var folder = new ConfigFolder().Write("echo/model.yaml", ConfigFolder.Echo)
            .Write("spillway.yaml", $"server: {{ port: 0 }}\nmodels: [echo]\nupstreams:\n  gpu: {{ {upstream} }}\n");
        Is(folder, key, 4, value, says, "");
    }

    [Fact]
    public void A_language_model_has_ten_minutes_where_nothing_else_is_declared()
    {
        Assert.Equal(60_000, new UpstreamOptions().TotalMs);
        Assert.Equal(600_000, new UpstreamOptions { Kind = UpstreamKind.Openai }.TotalMs);
        Assert.Equal(5, new UpstreamOptions { TotalMs = 5, Kind = UpstreamKind.Azure }.TotalMs);
    }

    [Fact]
    public void Upstream_with_the_name_of_a_model_is_an_error()
    {
        using var folder = new ConfigFolder().Write("echo/model.yaml", ConfigFolder.Echo).Write(
            "spillway.yaml", "models: [echo]\nupstreams:\n  echo:\n    targets: { t: { url: 'http://a' } }\n");
        Is(folder, "upstreams.echo", 3, "echo", "has that name already", "");
    }

    [Fact]
    public void Upstream_with_too_many_targets_and_a_chain_with_too_many_steps_are_errors()
    {
        var many = string.Join(", ", Enumerable.Range(0, 65).Select(i => $"t{i}: {{ url: 'http://a' }}"));
        using var folder = new ConfigFolder().Write("echo/model.yaml", ConfigFolder.Echo)
            .Write("spillway.yaml", $"models: [echo]\nupstreams:\n  gpu: {{ targets: {{ {many} }} }}\n");
        Is(folder, "upstreams.gpu.targets", 3, "65", "at most 64 targets", "");
        var steps = string.Join(", ", Enumerable.Repeat("{ model: echo }", 9));
        using var long9 = Folder($"routes: {{ r: {{ chain: {{ steps: [{steps}] }} }} }}\n", "t: { url: 'http://a' }");
        Is(long9, "routes.r.chain.steps", 6, "9 steps", "1 to 8 steps", "");
    }

    [Fact]
    public void Any_name_may_be_a_model_of_the_repository_but_no_route()
    {
        using var folder = new ConfigFolder().Write("models/x", "").Write("spillway.yaml",
            "repository: { path: models, modelControl: explicit }\n"
            + "routes: { r: { chain: { steps: [{ model: later }] } } }\n");
        folder.Valid();
        folder.Write("spillway.yaml", "repository: { path: models, modelControl: explicit }\n"
            + "routes: { r: { chain: { steps: [{ model: r }] } } }\n");
        Assert.Contains(folder.Load().Errors, e => e.Key == "routes.r.chain.steps[0].model");
    }

    [Fact]
    public void Route_as_a_step_is_taken_and_one_over_language_models_is_not()
    {
        using var folder = Folder(
            "  words: { kind: simulated }\n"
            + "routes: { r: { chain: { steps: [{ model: s }, { model: gpu }] } }, "
            + "s: { chain: { steps: [{ model: echo }] } }, chat: { chain: { steps: [{ model: words }] } } }\n",
            "t: { url: 'http://a' }");
        folder.Valid();
        using var mixed = Folder(
            "  words: { kind: simulated }\n"
            + "routes: { r: { chain: { steps: [{ model: chat }, { model: gpu }] } }, "
            + "chat: { chain: { steps: [{ model: words }] } } }\n",
            "t: { url: 'http://a' }");
        Is(mixed, "routes.r.chain.steps[0].model", 7, "chat", "OpenAI's protocol, and this one takes tensors", "");
    }

    [Fact]
    public void Everything_at_once_that_can_work_is_taken()
    {
        using var folder = Folder(
            "routes: { r: { deadlineMs: 1000, chain: { steps: [{ model: gpu, timeoutMs: 500, "
            + "on: [failure, timeout, off], "
            + "checks: [{ confidenceMin: 0.5 }] }, { model: echo, whenPredictedWaitMs: 100, leaveBelowMs: 20 }, "
            + "{ kind: cached }, { kind: message, message: busy }] }, "
            + "cache: { enabled: true, staleIfErrorMs: 1000 } } }\n",
            "t: { url: 'https://a.example/base', weight: 2 }");
        folder.Valid();
    }

    private static ConfigFolder Folder(string routes, string targets) => new ConfigFolder()
        .Write("echo/model.yaml", ConfigFolder.Echo)
        .Write("spillway.yaml",
            $"server: {{ port: 0 }}\nmodels: [echo]\nupstreams:\n  gpu:\n    targets: {{ {targets} }}\n"
            + routes);

    private static void Is(ConfigFolder folder, string key, int line, string? value, string says, string suggestion)
    {
        var all = folder.Load().Errors;
        var found = all.Where(e => e.Key == key).ToList();
        Assert.True(found.Count == 1, $"{found.Count} at {key}:\n{ConfigErrorText.Format(all)}");
        var error = found[0];
        Assert.EndsWith("spillway.yaml", error.File, StringComparison.Ordinal);
        Assert.True(error.Line == line, $"{error.Line}: {error.Problem}");
        if (value is not null)
            Assert.Equal(value, error.Value);
        else
            Assert.DoesNotContain("pass@", ConfigErrorText.Format(all), StringComparison.Ordinal);
        Assert.Contains(says, error.Problem, StringComparison.Ordinal);
        Assert.NotEqual("", error.Remedy);
        Assert.Equal(suggestion, error.Suggestion);
    }
}
