using System.Buffers;
using System.Net.Http.Headers;
using Spillway.Client;
using Spillway.Config;
using Spillway.Engine.Drills;

namespace Spillway.Engine.Upstreams;

/// <summary>
/// Calls one target: an Open Inference server over HTTP. Four time-outs of its own and the request's deadline bound a
/// call; every way to fail is a fault. Follows no redirect, trusts no length. Thread-safe.
/// </summary>
internal sealed class TargetClient : IDisposable
{
    private const int RefusalBytesMax = 64 * 1024;

    private readonly HttpClient _http;
    private readonly UpstreamOptions _options;
    private readonly Clock _clock;
    private readonly string _model;

    /// <summary>Makes one; nothing is connected yet.</summary>
    /// <param name="upstream">The upstream's name, for messages.</param>
    /// <param name="name">The target's.</param>
    /// <param name="options">Validated.</param>
    /// <param name="key">Sent as a bearer; empty for none.</param>
    /// <param name="clock">The clock of the time-outs but the first.</param>
    /// <param name="drills">What a drill breaks; null for nothing ever.</param>
    public TargetClient(
        string upstream, string name, UpstreamOptions options, string key, Clock clock, DrillSwitch? drills = null)
    {
        (Name, Key, _options, _clock) = ($"{upstream}/{name}", key, options, clock);
        _model = options.Model.Length > 0 ? options.Model : upstream;
        var url = options.Targets[name].Url;
        HttpMessageHandler network = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromMilliseconds(options.ConnectMs), AllowAutoRedirect = false,
            UseCookies = false, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ActivityHeadersPropagator = null,
        };
        _http = new(drills is null ? network : new DrillHandler(drills, upstream, name, clock, network))
        {
            BaseAddress = new(url.EndsWith('/') ? url : url + "/"), Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>"gpu/a", for messages.</summary>
    public string Name { get; }

    /// <summary>Sent as a bearer with the next request on; empty for none. Never shown.</summary>
    public string Key { get; set; }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Asks.</summary>
    /// <param name="work">
    /// Its inputs are copied before they are sent: an upstream that answers early still reads. It is not read after the
    /// call began.
    /// </param>
    /// <param name="signature">What the model takes and gives.</param>
    /// <param name="deadline">When the answer is due.</param>
    /// <param name="began">Called when the first byte came.</param>
    /// <param name="aborted">The caller is gone.</param>
    public async ValueTask<TargetReply> AskAsync(
        Work work, Signature signature, Instant deadline, Action began, CancellationToken aborted)
    {
        using var request = WireCall.Write(CallOf(work, signature, deadline - _clock.Now));
        if (work.Asked.Trace is { } trace)
            request.Headers.TryAddWithoutValidation("traceparent", trace.ToString());
        using var phase = new Phase(_options, _clock, deadline, aborted);
        byte[]? body = null;
        try
        {
            phase.Enter("the first byte", _options.FirstDeltaMs);
            using var response = await SendAsync(request, phase).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                began();
            var most = response.IsSuccessStatusCode ? _options.AnswerBytesMax : RefusalBytesMax;
            (body, var length) = await UpstreamBody.ReadAsync(response, most, _options, phase, follows: true)
                .ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                var text = body.AsSpan(0, length < 0 ? most : length);
                return new(TargetFaults.Of(Name, response, text)) { ToldNot = TargetFaults.IsFinal(response) };
            }

            if (length < 0)
                return new(Failed($"answered with more than {most:N0} bytes"));
            if (!WireReply.Read(response, body.AsMemory(0, length)).TryGet(out var answer, out var broken))
                return new(Failed($"gave an answer that cannot be read: {broken.Message}"));
            var reply = new TargetReply(null, answer, body)
            {
                IsDegraded = response.Headers.Contains(TargetFaults.DegradedName),
            };
            body = null;
            return reply;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return new(phase.Explain(Name, e));
        }
        finally
        {
            if (body is not null)
                ArrayPool<byte>.Shared.Return(body);
        }
    }

    /// <summary>What the target's model takes and gives, or why that cannot be told.</summary>
    public async ValueTask<Outcome<Signature>> DescribeAsync(CancellationToken cancellation)
    {
        var path = $"v2/models/{Uri.EscapeDataString(_model)}";
        var (text, fault) = await GetAsync(path, cancellation).ConfigureAwait(false);
        return fault is not null ? fault : TargetMetadata.Read(Name, text!);
    }

    /// <summary>Whether the target is ready; null, or why not.</summary>
    public async ValueTask<Fault?> CheckAsync(CancellationToken cancellation) =>
        (await GetAsync($"v2/models/{Uri.EscapeDataString(_model)}/ready", cancellation).ConfigureAwait(false)).Fault;

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Phase phase)
    {
        if (Key is { Length: > 0 } key)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, phase.Token);
    }

    private async ValueTask<(byte[]? Body, Fault? Fault)> GetAsync(string path, CancellationToken cancellation)
    {
        var deadline = _clock.Now + TimeSpan.FromMilliseconds(_options.FirstDeltaMs);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        using var phase = new Phase(_options, _clock, deadline, cancellation);
        try
        {
            phase.Enter("the first byte", _options.FirstDeltaMs);
            using var response = await SendAsync(request, phase).ConfigureAwait(false);
            var (body, length) = await UpstreamBody.ReadAsync(
                response, RefusalBytesMax, _options, phase, follows: true).ConfigureAwait(false);
            var text = length < 0 ? [] : body.AsSpan(0, length).ToArray();
            ArrayPool<byte>.Shared.Return(body);
            return response.IsSuccessStatusCode ? (text, null) : (null, TargetFaults.Of(Name, response, text));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            return (null, phase.Explain(Name, e));
        }
    }

    /// <summary>
    /// Gives a work the outputs of a reply that was judged, which is used up. Null, or the reply's fault.
    /// </summary>
    public static Fault? Take(TargetReply reply, Work work, Signature signature)
    {
        if (reply.Fault is not null)
            return reply.Fault;
        work.Outputs.Reset();
        foreach (var output in reply.Answer!.Outputs)
        {
            var port = signature.FindOutput(System.Text.Encoding.UTF8.GetBytes(output.Name));
            if (!IsWanted(work.Request, port))
                continue;
            ref var tensor = ref work.Outputs.Add();
            (tensor.Port, tensor.Type, tensor.Shape, tensor.Data) = (port, output.Type, output.Shape, output.Data);
        }

        work.Outputs.Adopt(reply.Body!); // The outputs point into it.
        work.CameDegraded = reply.IsDegraded;
        return null;
    }

    /// <summary>What is wrong with a reply's outputs; null when they are what was asked for.</summary>
    public Fault? Judge(InferenceReply reply, InferenceRequest asked, Signature signature)
    {
        var given = new bool[signature.Outputs.Count];
        foreach (var output in reply.Outputs)
        {
            var port = signature.FindOutput(System.Text.Encoding.UTF8.GetBytes(output.Name));
            if (port < 0 || signature.Outputs[port] is var spec
                && (spec.Type != output.Type || !spec.Accepts(output.Shape)))
            {
                return Failed($"gave an output '{output.Name}' {output.Type.WireName()} {output.Shape}, which is not "
                    + "its model's");
            }

            if (given[port])
                return Failed($"gave the output '{output.Name}' twice");
            given[port] = true;
        }

        for (var port = 0; port < signature.Outputs.Count; port++)
        {
            if (IsWanted(asked, port) && !given[port])
                return Failed($"answered without the output '{signature.Outputs[port].Name}'");
        }

        return null;
    }

    private static bool IsWanted(InferenceRequest request, int port)
    {
        for (var i = 0; i < request.Outputs.Count; i++)
        {
            if (request.Outputs[i].Port == port)
                return true;
        }

        return request.Outputs.Count == 0;
    }

    private InferenceCall CallOf(Work work, Signature signature, TimeSpan left)
    {
        var inputs = new List<InferenceInput>(work.Request.Inputs.Count);
        foreach (ref readonly var tensor in work.Request.Inputs.Span)
        {
            inputs.Add(InferenceInput.Raw(
                signature.Inputs[tensor.Port].Name, tensor.Type, tensor.Shape.Dims, tensor.Data.Span));
        }

        return new()
        {
            Model = _model, Inputs = inputs, Priority = work.Request.Priority, Criticality = work.Criticality,
            Outputs = [.. work.Request.Outputs.Select(o => signature.Outputs[o.Port].Name)],
            Deadline = left > TimeSpan.Zero ? left : TimeSpan.FromTicks(1),
        };
    }

    private Fault Failed(string how) => new(FaultKind.UpstreamFailed, $"The upstream {Name} {how}.");
}

/// <summary>What a target said: why not, or an answer in a rented buffer, which whoever has it gives back.</summary>
/// <param name="Fault">Why not; null when there is an answer.</param>
/// <param name="Answer">Its tensors, which point into the buffer.</param>
/// <param name="Body">The buffer.</param>
internal readonly record struct TargetReply(Fault? Fault, InferenceReply? Answer = null, byte[]? Body = null)
    : IDisposable
{
    /// <summary>The target said that its answer is not what it promises first.</summary>
    public bool IsDegraded { get; init; }

    /// <summary>The target said not to try again.</summary>
    public bool ToldNot { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Took { get; init; }

    /// <summary>Nobody wants it.</summary>
    public void Dispose()
    {
        if (Body is not null)
            ArrayPool<byte>.Shared.Return(Body);
    }
}
