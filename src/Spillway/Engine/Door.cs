using System.Buffers;
using Spillway.Config;
using Spillway.Engine.Doors;
using Spillway.Engine.Routes;
using Spillway.Engine.Sequences;
using Spillway.Engine.Upstreams;
using Spillway.Flow;
using Spillway.Policies.Batching;
using Spillway.Policies.Caching;
using Spillway.Runtimes;
using Spillway.Telemetry;
using Spillway.Transforms.Text;

namespace Spillway.Engine;

/// <summary>
/// A served name and version as it stands: its signature, what happens to an input before the model and to an output
/// after it, and the deployment behind. Immutable: a load, an unload or a failure makes another one, and a request
/// keeps the one that it found. Several doors may lead to one deployment.
/// This file is long because everything that stands between a request's tensors and the model's stands together:
/// pictures, padding, masks, sequences, labels.
/// </summary>
public sealed class Door
{
    private const int PictureWidthAxis = 3;

    private readonly IInputStage? _input;
    private readonly IOutputStage? _output;
    private readonly Signature? _modelSignature;
    private readonly LabelFile?[] _labels = [];
    private readonly PaddingPlan? _padding;
    private readonly SequencePlan? _sequences;

    /// <summary>A door that leads nowhere yet, or no more.</summary>
    internal Door(Route route, ModelOptions options) =>
        (Route, Options, Owner) = (route, options, OwnerOf(route, options));

    /// <summary>Who answers for the name: its own owner, or the model's; empty where nobody is declared.</summary>
    public string Owner { get; private init; }

    private Door(
        Door closed, RuntimeTraits traits, Deployment deployment, Signature model, IInputStage? input,
            IOutputStage? output, LabelFile?[] labels, SequencePlan? sequences)
        : this(
            closed.Route with { State = RouteState.Ready, Why = "", PricePerRun = traits.PricePerRun,
                PricePerRow = traits.PricePerRow, Tariff = deployment.Billing?.Tariff },
            closed.Options)
    {
        (Traits, Deployment, _modelSignature, _input, _output) = (traits, deployment, model, input, output);
        (_labels, _padding, _sequences) = (labels, deployment.Lengths.Plan, sequences);
    }

    /// <summary>The declaration of the model behind it.</summary>
    public ModelOptions Options { get; }

    /// <summary>The most rows of one request.</summary>
    public int RowsMax => Options.Batching.BatchRowsMax;

    /// <summary>How its default deadline is made.</summary>
    public DeadlineOptions Deadlines => Options.Deadline;

    /// <summary>Its state as a request meets it.</summary>
    public Route Route { get; }

    /// <summary>What clients send and get; null while the model is not there.</summary>
    public Signature? Signature { get; private init; }

    /// <summary>What runs it; null while the model is not there.</summary>
    public Deployment? Deployment { get; }

    /// <summary>How the model runs; null while it is not there.</summary>
    public RuntimeTraits? Traits { get; private init; }

    /// <summary>Whether inputs are decoded or completed after admission.</summary>
    public bool Decodes => _input is not null || _padding?.Mask is not null || _sequences is not null;

    /// <summary>Whether pictures are decoded here.</summary>
    public bool TakesPictures => _input is not null;

    /// <summary>Whether its outputs are the best classes of each row, best first.</summary>
    internal bool GivesBestClasses => _output is TopKOutput;

    /// <summary>Whether an output's numbers are scores of classes that have names.</summary>
    internal bool IsLabelled(int port) => _labels[port] is not null;

    /// <summary>
    /// What is counted for the name and version; kept over all of its doors, made with the first request.
    /// </summary>
    internal ModelInstruments? Instruments { get; set; }

    /// <summary>The same door, leading to a deployment; or why its stages do not fit the model.</summary>
    internal static Outcome<Door> Open(
        Door closed, Deployment deployment, Signature model, RuntimeTraits traits, IInputStage? input,
            IOutputStage? output, SequencePlan? sequences = null)
    {
        if (!BindInput(deployment.Lengths.Plan, model, input, sequences).TryGet(out var signature, out var unfit))
            return unfit;
        if (output is not null)
        {
            if (!output.Bind(sequences?.Visible ?? model).TryGet(out var outputs, out var fault))
                return fault;
            signature = signature with { Outputs = outputs };
        }

        if (!OutputLabels.Load(closed.Options.Labels, signature).TryGet(out var labels, out var unlabelled))
            return unlabelled;
        return new Door(closed, traits, deployment, model, input, output, labels, sequences)
        {
            Signature = signature, Instruments = closed.Instruments,
        };
    }

    /// <summary>The model's signature without what is made here, its inputs as clients send them.</summary>
    private static Outcome<Signature> BindInput(
        PaddingPlan? padding, Signature model, IInputStage? input, SequencePlan? sequences)
    {
        // The mask is made here; clients neither see nor send it.
        var signature = padding?.Mask is { } mask
            ? model with { Inputs = [.. model.Inputs.Where((_, port) => port != mask.Port)] }
            : sequences?.Visible ?? model;
        if (input is null)
            return signature;
        if (!input.Bind(signature).TryGet(out var inputs, out var fault))
            return fault;
        if (padding is not null && padding.Input(ModelPort(padding, 0)) is not { Axis: PictureWidthAxis })
        {
            return new Fault(FaultKind.LoadFailed,
                $"model.yaml, padding.inputs: pictures vary in width, axis {PictureWidthAxis}. Name that axis.");
        }

        return signature with { Inputs = inputs };
    }

    /// <summary>
    /// A route over models: what it takes and gives is what its first step that answers takes and gives.
    /// </summary>
    /// <param name="plan">Its steps, as they stand.</param>
    /// <param name="first">
    /// Of its steps the first whose model is there; else the first that comes when it is asked for, else of all.
    /// </param>
    internal static Door Over(RoutePlan plan, Door first)
    {
        var route = first.Route with
        {
            Model = new(plan.Name, RoutePlan.Version), IsChain = true, CountsSteps = true,
            Tariff = first.Route.Tariff ?? plan.AnyTariff,
        };
        return new(route, first, first.Deployment)
        {
            Plan = plan, Owner = plan.Owner.Length > 0 ? plan.Owner : first.Owner,
        };
    }

    /// <summary>
    /// The same while its model is away: what it takes and gives is known, and nobody is behind it.
    /// </summary>
    /// <param name="state">How the model stands.</param>
    /// <param name="why">The reason of a failed load; else empty.</param>
    internal Door Remember(RouteState state, string why) => new(
        Route with { State = state, Why = why, IsRemembered = true, Tariff = null }, this, deployment: null);

    private Door(Route route, Door like, Deployment? deployment)
        : this(route, like.Options)
    {
        (Traits, Deployment, Signature, Owner) = (like.Traits, deployment, like.Signature, like.Owner);
        (_modelSignature, _input, _output) = (like._modelSignature, like._input, like._output);
        (_labels, _padding) = (like._labels, like._padding);
    }

    /// <summary>A model elsewhere, as a step of routes; it is served under no name of its own.</summary>
    internal static Door Remote(UpstreamGroup upstream)
    {
        var signature = upstream.Signature;
        var state = signature is null ? RouteState.Loading : RouteState.Ready;
        var route = new Route(new(upstream.Name, RoutePlan.Version), upstream.Name, state, "", 0)
        {
            Tariff = upstream.Tariff,
        };
        return new(route, upstream, signature);
    }

    private Door(Route route, UpstreamGroup upstream, Signature? signature)
        : this(route, new ModelOptions
            {
                Name = upstream.Name, Runtime = "upstream", Deadline = new() { FixedMs = upstream.TotalMs },
            })
    {
        (Upstream, Signature, _modelSignature) = (upstream, signature, signature);
        Traits = new() { Platform = "spillway_upstream", Devices = [] };
    }

    /// <summary>A name over language models elsewhere: it takes no tensors, and no request is placed behind
    /// it.</summary>
    internal static Door Chat(Route route, ModelOptions options, RuntimeTraits traits) =>
        new(route, options) { Traits = traits };

    /// <summary>Where the model is, when it is not here; null for one that is.</summary>
    internal UpstreamGroup? Upstream { get; }

    /// <summary>The steps of a route; null for the door of a model.</summary>
    internal RoutePlan? Plan { get; private init; }

    /// <summary>Which model an answer through it is of; not of a route, whose steps say it.</summary>
    internal AnswerOrigin Origin => field ??= new(
        Route.Deployment, Route.Model.Version, Deployment?.Provenance.Digest ?? "",
        Deployment?.Provenance.SignedBy ?? "");

    /// <summary>The longest that what runs for a request with that much time may take.</summary>
    internal TimeSpan RunMax(TimeSpan time)
    {
        // Calls to an upstream, retries included, go on until the request's own deadline.
        var most = Upstream is null ? TimeSpan.FromMilliseconds(Deadlines.MaxMs) : time;
        return most < time ? most : time;
    }

    /// <summary>The same name in another state, without a deployment.</summary>
    internal Door Close(RouteState state, string why) =>
        new(Route with { State = state, Why = why }, Options) { Instruments = Instruments };

    /// <summary>What a request asks room for, from its headers alone: nothing is decoded yet.</summary>
    internal Outcome<Claim> Measure(Work work)
    {
        if (work.Request.Sequence is not null && _sequences is null)
            return NoSequences();
        var inputs = work.Request.Inputs;
        var claim = new Claim
        {
            // A caller who sets no deadline does not pay for the model's absence with the default one.
            Started = work.Request.Timeout is null ? work.LoadedAt ?? work.Timeline.Started : work.Timeline.Started,
            Timeout = work.Request.Timeout,
            Priority = work.Request.Priority,
            Rows = RowsOf(inputs),
            Elements = 1,
        };
        if (Options.Shedding.Enabled)
            claim = claim with { Criticality = work.Criticality, CallerHash = HashOf(work) };
        if (claim.Rows > RowsMax)
        {
            return Fault.Invalid(
                $"inference request batch-size must be <= {RowsMax} for '{Route.Model.Name}': it brings "
                + $"{claim.Rows:N0} rows. "
                + $"Split it, or raise batching.batchRowsMax of {Route.Deployment}.");
        }

        if (_sequences is not null && claim.Rows != 1)
            return OneRow(claim.Rows);
        if (_input is null)
            return MeasureTensors(inputs, claim);
        var measured = _input.Measure(inputs, claim);
        // What varies in a picture's tensor is its width; where lengths are padded, that is the length.
        return _padding is not null && measured.TryGet(out var padded, out _)
            ? padded with { Form = default, Length = padded.Form[0] }
            : measured;
    }

    /// <summary>
    /// The same for all requests of a caller in an hour, so that the same ones are served; where nobody is known apart,
    /// each request for itself.
    /// </summary>
    private static uint HashOf(Work work)
    {
        var (caller, started) = (work.Caller, work.Timeline.Started.Ticks);
        return ReferenceEquals(caller, Caller.Local)
            ? (uint)HashCode.Combine(started)
            : (uint)HashCode.Combine(caller.Tenant, caller.Key, started / TimeSpan.TicksPerHour);
    }

    private int RowsOf(TensorSet inputs) => _modelSignature!.Batched && inputs[0].Shape.Rank > 0
        ? (int)Math.Min(inputs[0].Shape[0], int.MaxValue)
        : 1;

    /// <summary>
    /// Decodes what admission left encoded, and completes what no client sends; on the arriving thread.
    /// </summary>
    internal Fault? Decode(Work work)
    {
        var from = work.Request.Inputs;
        if (_input is not null)
        {
            if (_input.Decode(from, work.Inputs) is { } fault)
                return fault;
        }
        else if (_sequences is not null)
        {
            _sequences.Complete(work.Request, work.Inputs);
        }
        else if (_padding?.Mask is not null)
        {
            // The same bytes: the request holds them as long as the work lives.
            foreach (ref readonly var tensor in from.Span)
                work.Inputs.Add() = tensor;
        }

        if (_padding?.Mask is { } mask)
            AddMask(work.Inputs, mask);
        return null;
    }

    /// <summary>One output of the model for one request; on the runner's thread, the data only borrowed.</summary>
    internal void TakeOutput(Work work, int port, in Shape shape, ReadOnlySpan<byte> data)
    {
        if (work.OutputFault is not null)
            return;
        if (_sequences is not null)
        {
            if (_sequences.VisibleOutput(port) is >= 0 and var visible)
            {
                port = visible;
            }
            else
            {
                work.OutputFault = _sequences.Keep(port, shape, data, work.Seat.Next!);
                return;
            }
        }

        if (_output is not null)
            work.OutputFault = _output.Take(work.Outputs, port, shape, data);
        else
            Keep(work, port, shape, data);
    }

    /// <summary>
    /// Turns the answer's outputs of which the caller asked for the best classes into byte strings
    /// "value:index[:label]", and takes from the others what the caller is not to see. Before the answer is formed,
    /// whatever the protocol.
    /// </summary>
    internal Fault? Classify(Work work)
    {
        var asked = work.Request.Outputs;
        for (var i = 0; i < asked.Count; i++)
        {
            if (asked[i].Classes == 0 || work.Outputs.Find(asked[i].Port) is not (>= 0 and var index))
                continue;
            ref var tensor = ref work.Outputs[index];
            var (batched, classes) = (Signature!.Batched, asked[i].Classes);
            var text = new ArrayBufferWriter<byte>();
            if (Classification.Write(
                tensor.Data.Span, tensor.Type, tensor.Shape, batched, classes, _labels[tensor.Port], text,
                work.Caller.Detail) is { } fault)
                return fault;
            tensor.Shape = Classification.ShapeOf(tensor.Shape, batched, classes);
            (tensor.Type, tensor.Data) = (DataType.Bytes, text.WrittenMemory);
        }

        Hardening.Finish(work);
        return null;
    }

    /// <summary>The elements of a tensor; bytes where the elements are byte strings.</summary>
    internal static long Elements(in Tensor tensor) =>
        tensor.Type is DataType.Bytes ? tensor.Data.Length : tensor.Data.Length / tensor.Type.Size();

    private static string OwnerOf(Route route, ModelOptions options) =>
        options.Serve.GetValueOrDefault(route.Model.Name) is { Owner.Length: > 0 } own ? own.Owner : options.Owner;

    private static Fault NoSequences() => new(
        FaultKind.Unsupported,
        "a sequence (parameter 'sequence_id') is not supported by this model, which keeps no state; leave the "
        + "parameter out, or declare sequences in model.yaml");

    private Fault OneRow(int rows) => Fault.Invalid(
        $"a request of a sequence to '{Route.Model.Name}' brings one row: it brings {rows:N0}. Send one request for "
        + "each sequence; the server runs them together.");

    /// <summary>The model's port of an input that clients see.</summary>
    private static int ModelPort(PaddingPlan? padding, int port) =>
        padding?.Mask is { } mask && port >= mask.Port ? port + 1 : port;

    private Outcome<Claim> MeasureTensors(TensorSet inputs, in Claim claim)
    {
        var (elements, fixedElements, length, measure) = (0L, 0L, 0L, -1);
        Shape form = default;
        for (var i = 0; i < inputs.Count; i++)
        {
            ref readonly var tensor = ref inputs[i];
            var own = Elements(tensor);
            elements += own;
            var port = _sequences?.ModelInput(tensor.Port) ?? ModelPort(_padding, tensor.Port);
            var axis = _padding?.Input(port)?.Axis ?? -1;
            AddVariable(_modelSignature!.Inputs[port].Shape, tensor.Shape, _modelSignature.Batched, axis, ref form);
            if (axis < 0)
                fixedElements += own;
            else if (measure >= 0 && tensor.Shape[axis] != length)
                return Uneven(inputs, measure, i);
            else
                (length, measure) = (tensor.Shape[axis], i);
        }

        return claim with
        {
            Elements = Math.Max(elements, 1), Form = form, Length = length, FixedElements = fixedElements,
        };
    }

    private Fault Uneven(TensorSet inputs, int one, int other)
    {
        var specs = Signature!.Inputs;
        return Fault.Invalid(
            $"inputs of '{Route.Model.Name}' that grow with the length must have the same: "
            + $"'{specs[inputs[one].Port].Name}' is {inputs[one].Shape}, '{specs[inputs[other].Port].Name}' is "
            + $"{inputs[other].Shape}. Bring both to one length; the server pads from there.");
    }

    /// <summary>Makes room for the mask among the model's inputs; the replica fills it.</summary>
    private void AddMask(TensorSet inputs, in MaskInput mask)
    {
        inputs.Add();
        var tensors = inputs.Span;
        for (var port = tensors.Length - 1; port > mask.Port; port--)
        {
            tensors[port] = tensors[port - 1];
            tensors[port].Port = port;
        }

        tensors[mask.Port] = new() { Port = mask.Port, Type = _modelSignature!.Inputs[mask.Port].Type };
    }

    /// <summary>The variable dimensions but the rows and a padded length, from which a group is told.</summary>
    private static void AddVariable(in Shape declared, in Shape actual, bool batched, int padded, ref Shape form)
    {
        for (var i = batched ? 1 : 0; i < actual.Rank; i++)
        {
            // Beyond the rank limit forms may look equal that are not; the replica then refuses the run.
            if (declared[i] < 0 && i != padded)
                form.TryAdd(actual[i]);
        }
    }

    private DataType OutputType(int port) => (_sequences?.Visible ?? _modelSignature!).Outputs[port].Type;

    private static void Keep(Work work, int port, in Shape shape, ReadOnlySpan<byte> data)
    {
        var outputs = work.Request.Outputs;
        var asked = outputs.Count == 0;
        for (var i = 0; i < outputs.Count && !asked; i++)
            asked = outputs[i].Port == port;
        if (!asked)
            return;
        var copy = work.Outputs.Rent(data.Length);
        data.CopyTo(copy.Span);
        ref var tensor = ref work.Outputs.Add();
        tensor.Port = port;
        tensor.Shape = shape;
        tensor.Data = copy;
        tensor.Type = work.Door.OutputType(port);
    }
}

/// <summary>What happens to inputs at the door, in two steps with the admission between them.</summary>
internal interface IInputStage
{
    /// <summary>The inputs that clients see, given the model's; a fault when they do not fit together.</summary>
    Outcome<IReadOnlyList<TensorSpec>> Bind(Signature model);

    /// <summary>Reads headers only, and says how large the decoded input will be.</summary>
    Outcome<Claim> Measure(TensorSet inputs, Claim claim);

    /// <summary>Decodes into the model's inputs.</summary>
    Fault? Decode(TensorSet inputs, TensorSet into);
}

/// <summary>What happens to the model's outputs, on the runner's thread.</summary>
internal interface IOutputStage
{
    /// <summary>The outputs that clients see, given the model's; a fault when they do not fit together.</summary>
    Outcome<IReadOnlyList<TensorSpec>> Bind(Signature model);

    /// <summary>One output of the model; the data is only borrowed.</summary>
    Fault? Take(TensorSet outputs, int port, in Shape shape, ReadOnlySpan<byte> data);
}
