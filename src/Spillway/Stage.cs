namespace Spillway;

/// <summary>Where a request's time goes, in the order of its life.</summary>
public enum Stage
{
    /// <summary>From the handler's first instruction to the body's last byte.</summary>
    Receive,

    /// <summary>Wire to tensors: JSON, binary, pictures.</summary>
    Parse,

    /// <summary>Kill switch, rights, rates, budget, room in the queue.</summary>
    Gate,

    /// <summary>Looking for a kept answer.</summary>
    Cache,

    /// <summary>Ready, and waiting for a runner.</summary>
    Queue,

    /// <summary>Being gathered with others into one run.</summary>
    Batch,

    /// <summary>Inside the model.</summary>
    Execute,

    /// <summary>From the model's result to the first byte: post-processing, hand-over, formatting.</summary>
    Output,

    /// <summary>From the first byte to the last handed to the connection.</summary>
    Write,
}
