namespace Spillway.Runtimes.Onnx;

/// <summary>
/// Runs batches on the model's shared session with run options and buffers of its own. One copy from each request into
/// the batch, padded on the way where the run says so; none on the way out but the item's own. A run of numbers
/// allocates nothing on the managed heap, save when a batch is larger than any before it.
/// </summary>
internal sealed unsafe class OnnxReplica : IBatchReplica
{
    private readonly OnnxModel _model;
    private readonly OrtHandle _session;
    private readonly OrtHandle _runOptions;
    private readonly InputSlot[] _inputs;
    private readonly OutputSlot[] _outputs;
    private volatile bool _stopped;

    public OnnxReplica(OnnxModel model, OrtHandle session, OrtHandle runOptions)
    {
        (_model, _session, _runOptions) = (model, session, runOptions);
        _inputs = [.. model.Signature.Inputs.Select((spec, port) => new InputSlot(model, spec, port))];
        _outputs = [.. model.Signature.Outputs.Select(spec => new OutputSlot(model, spec))];
    }

    /// <inheritdoc/>
    public Fault? Run(ReadOnlySpan<WorkItem> batch, RunControl control)
    {
        var held = false;
        try
        {
            // Throws when disposed; a Dispose from elsewhere during the run then waits for its end.
            _runOptions.DangerousAddRef(ref held);
            return batch.IsEmpty ? null : RunHeld(batch, control);
        }
        finally
        {
            if (held)
                _runOptions.DangerousRelease();
        }
    }

    /// <inheritdoc/>
    public void Stop()
    {
        var held = false;
        try
        {
            _runOptions.DangerousAddRef(ref held);
            _stopped = true;
            Ignore(_model.Library.Api.SetTerminate(_runOptions.Value));
        }
        finally
        {
            if (held)
                _runOptions.DangerousRelease();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _runOptions.Dispose();

    private Fault? RunHeld(ReadOnlySpan<WorkItem> batch, RunControl control)
    {
        var batched = _model.Signature.Batched;
        if (!batched && batch.Length > 1)
        {
            return new Fault(
                FaultKind.Internal, $"Model '{_model.Name}' has no batch dimension and takes one request a run; it was given {batch.Length}.");
        }

        var api = _model.Library.Api;
        _stopped = false;
        Ignore(api.UnsetTerminate(_runOptions.Value));
        var inputs = stackalloc nint[_inputs.Length];
        var outputs = stackalloc nint[_outputs.Length];
        new Span<nint>(inputs, _inputs.Length).Clear();
        new Span<nint>(outputs, _outputs.Length).Clear();
        try
        {
            if (Gather(batch, control.Padding, inputs) is { } invalid)
                return invalid;
            control.Mark(Stage.Batch);
            var shrink = _model.Watch?.Decide(InputBytes(batch)) ?? false;
            if (shrink)
                SetShrinking("cpu:0\0"u8);
            var status = _stopped ? 0 : api.Run(
                _session.Value, _runOptions.Value, _model.InputNames, inputs, _model.OutputNames, outputs);
            if (shrink)
                SetShrinking("\0"u8);
            control.Mark(Stage.Execute);
            if (_stopped)
            {
                Ignore(status);
                return new Fault(FaultKind.Cancelled, $"The run of model '{_model.Name}' was stopped: nobody waits for it any more.");
            }

            return status != 0 ? api.Take(status).ToRunFault(_model.Name) : Scatter(batch, control.Padding, outputs);
        }
        finally
        {
            Release(inputs, _inputs.Length);
            Release(outputs, _outputs.Length);
            GC.KeepAlive(this);
        }
    }

    private static long InputBytes(ReadOnlySpan<WorkItem> batch)
    {
        var bytes = 0L;
        foreach (var item in batch)
        {
            foreach (ref readonly var tensor in item.Inputs.Span)
                bytes += tensor.Data.Length;
        }

        return bytes;
    }

    /// <summary>
    /// Whether runs with these options end with giving back the arena's unused parts; empty: they do not.
    /// </summary>
    private void SetShrinking(ReadOnlySpan<byte> devices)
    {
        fixed (byte* key = "memory.enable_memory_arena_shrinkage\0"u8, value = devices)
            Ignore(_model.Library.Api.AddRunConfigEntry(_runOptions.Value, key, value));
    }

    private Fault? Gather(ReadOnlySpan<WorkItem> batch, RunPadding? padding, nint* values)
    {
        var rows = 0L;
        foreach (var item in batch)
            rows += item.Rows;
        for (var port = 0; port < _inputs.Length; port++)
        {
            if (_inputs[port].Gather(batch, rows, padding, out values[port]) is { } fault)
                return fault;
        }

        return null;
    }

    /// <summary>
    /// Every output is read and checked before the first is handed over, so that a fault leaves no item half filled.
    /// </summary>
    private Fault? Scatter(ReadOnlySpan<WorkItem> batch, RunPadding? padding, nint* values)
    {
        var rows = 0L;
        foreach (var item in batch)
            rows += item.Rows;
        for (var port = 0; port < _outputs.Length; port++)
        {
            if (_outputs[port].Read(values[port], batch.Length, rows) is { } fault)
                return fault;
        }

        var first = 0L;
        foreach (var item in batch)
        {
            for (var port = 0; port < _outputs.Length; port++)
                _outputs[port].HandOver(item, port, batch.Length, first, padding);
            first += item.Rows;
        }

        return null;
    }

    private void Release(nint* values, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (values[i] != 0)
                _model.Library.Api.ReleaseValue(values[i]);
        }
    }

    private void Ignore(nint status)
    {
        if (status != 0)
            _model.Library.Api.ReleaseStatus(status);
    }
}
