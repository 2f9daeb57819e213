namespace Spillway;

/// <summary>
/// What a caller asks, after translation and before anything is decided: independent of the protocol. Reused from
/// request to request; the Engine owns it.
/// </summary>
public sealed class InferenceRequest
{
    private readonly List<RequestedOutput> _outputs = new(4);

    /// <summary>The caller's own id, echoed in the answer; empty when none was given.</summary>
    public string Id { get; set; } = "";

    /// <summary>1 is the most urgent; 0 means the model's default.</summary>
    public int Priority { get; set; }

    /// <summary>The caller's patience from the request's first instant; null means the route's default.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>
    /// How much it matters that it is answered when there is too much to do; critical unless its caller says otherwise.
    /// </summary>
    public Criticality Criticality { get; set; } = Criticality.Critical;

    /// <summary>The most that it may cost; null for no limit of its own.</summary>
    public Money? CostMax { get; set; }

    /// <summary>The tensors as given, against the served name's signature.</summary>
    public TensorSet Inputs { get; } = new();

    /// <summary>The outputs asked for; empty means all.</summary>
    public IList<RequestedOutput> Outputs => _outputs;

    /// <summary>True when outputs that do not say otherwise are to be binary.</summary>
    public bool BinaryOutputs { get; set; }

    /// <summary>Its place in a sequence of requests to a model that keeps state; null when it stands alone.</summary>
    public SequenceMark? Sequence { get; set; }

    /// <summary>Ready for the next caller; returns the buffers.</summary>
    public void Reset()
    {
        Id = "";
        Priority = 0;
        Timeout = null;
        Criticality = Criticality.Critical;
        CostMax = null;
        BinaryOutputs = false;
        Sequence = null;
        _outputs.Clear();
        Inputs.Reset();
    }
}

/// <summary>One output that the caller asked for.</summary>
/// <param name="Port">Index into the signature's outputs.</param>
/// <param name="Binary">Binary or JSON; null takes the request's default.</param>
/// <param name="Classes">
/// Give the best so many classes as "value:index[:label]" in place of the output's numbers; 0 gives the numbers.
/// </param>
public readonly record struct RequestedOutput(int Port, bool? Binary, int Classes = 0);
